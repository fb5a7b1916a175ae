//! The export of traces by OTLP over HTTP (OpenTelemetry), a cargo feature: one span for each request.
//!
//! The variables are those of the OpenTelemetry specification, such as `OTEL_EXPORTER_OTLP_ENDPOINT`,
//! `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER` and `OTEL_BSP_…`.

use crate::agent::tls;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::env;
use std::error::Error;
use std::thread;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// The variable that names this service in traces.
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";

/// The export of spans, in batches on a separate thread.
pub struct SpanExport(SdkTracerProvider);

impl SpanExport {
    /// Starts the export to the collector that the environment names.
    ///
    /// # Errors
    ///
    /// If a variable is invalid or this machine's certificates cannot be read. The error is a text.
    pub fn start() -> Result<Self, String> {
        // The client has its own runtime, which must not be created inside another one.
        let exporter =
            thread::spawn(exporter).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let mut resource = Resource::builder();
        if env::var_os(SERVICE_NAME).is_none_or(|name| name.is_empty()) {
            resource = resource.with_service_name("saltmine-server");
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        Ok(Self(provider))
    }

    /// Returns the layer that exports the spans of requests. Their events stay in the log.
    #[must_use]
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let requests = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::ERROR);
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(env!("CARGO_PKG_NAME")))
            .with_location(false)
            .with_threads(false)
            .with_filter(requests)
    }

    /// Sends the remaining spans. Blocks up to the time limit of the export.
    ///
    /// # Errors
    ///
    /// If the collector does not accept them. The error is a text.
    pub fn end(self) -> Result<(), String> {
        self.0.shutdown().map_err(|error| error.to_string())
    }
}

fn exporter() -> Result<SpanExporter, String> {
    let words = |error: &dyn Error| error.to_string();
    let client = reqwest::blocking::Client::builder()
        .tls_backend_preconfigured(tls().map_err(|error| words(&error))?)
        .build()
        .map_err(|error| words(&error))?;
    let exporter = SpanExporter::builder().with_http().with_http_client(client);
    exporter.with_protocol(Protocol::HttpBinary).build().map_err(|error| words(&error))
}
