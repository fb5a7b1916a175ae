//! The log of the process.

use crate::CommandError;
use saltmine_server::config::{LogArguments, LogFormat};
#[cfg(feature = "otlp")]
use saltmine_server::otlp::SpanExport;
use std::io::{self, IsTerminal};
use tracing::Level;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Identity, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// The target of the start-up summary. Its warnings are logged whatever levels the operator chose.
pub(crate) const STARTUP: &str = "saltmine_server::startup";

/// Logs to stderr from now on, with the default levels of a command that ends by itself.
///
/// # Errors
///
/// Those of [`start`].
pub(crate) fn start_for_command(arguments: &LogArguments) -> Result<(), CommandError> {
    start(&arguments.for_command())
}

/// Logs to stderr from now on.
///
/// # Errors
///
/// If the levels or the format are invalid.
pub(crate) fn start(arguments: &LogArguments) -> Result<(), CommandError> {
    start_with(arguments, Identity::new())
}

/// Logs to stderr from now on, and exports traces if the environment requests it.
///
/// # Errors
///
/// Those of [`start`], and if the export cannot be started.
#[cfg(feature = "otlp")]
pub(crate) fn start_with_traces(arguments: &LogArguments) -> Result<Traces, CommandError> {
    let export = collector().map(|_| SpanExport::start()).transpose().map_err(CommandError::Traces)?;
    start_with(arguments, export.as_ref().map(SpanExport::layer))?;
    Ok(Traces(export))
}

/// Logs to stderr from now on. This build does not export traces, and warns if the environment requests it.
///
/// # Errors
///
/// Those of [`start`].
#[cfg(not(feature = "otlp"))]
pub(crate) fn start_with_traces(arguments: &LogArguments) -> Result<Traces, CommandError> {
    start(arguments)?;
    if let Some(name) = collector() {
        tracing::warn!(target: STARTUP, "{name} is set, but this build does not export traces: build it with --features otlp");
    }
    Ok(Traces())
}

/// Returns the variable that names a collector of traces, if one is set.
fn collector() -> Option<&'static str> {
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
        .into_iter()
        .find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The export of traces, if there is one.
pub(crate) struct Traces(#[cfg(feature = "otlp")] Option<SpanExport>);

impl Traces {
    /// Sends the remaining traces.
    pub(crate) async fn end(self) {
        #[cfg(feature = "otlp")]
        if let Some(export) = self.0 {
            // It blocks, and ends its own runtime.
            match tokio::task::spawn_blocking(|| export.end()).await {
                Ok(Ok(())) => {}
                Ok(Err(problem)) => tracing::warn!("the last traces could not be exported ({problem})"),
                Err(problem) => tracing::warn!("the last traces could not be exported ({problem})"),
            }
        }
    }
}

fn start_with(
    arguments: &LogArguments,
    traces: impl Layer<Registry> + Send + Sync,
) -> Result<(), CommandError> {
    let (mut levels, format) = arguments.check()?;
    if !levels.would_enable(STARTUP, &Level::WARN) {
        levels = levels.with_target(STARTUP, Level::WARN);
    }
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        // The members of the event beside those of the log; `span` has those of the request.
        LogFormat::Json => {
            lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
        }
    };
    tracing_subscriber::registry().with(traces).with(lines.with_filter(levels)).init();
    Ok(())
}
