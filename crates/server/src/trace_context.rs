//! The trace of a request (W3C Trace Context, level 1): read from a trusted proxy, logged, and sent to the agent's service.

use crate::Random;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::future::Future;
use std::io;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The kind of a request's span, which only exported spans have.
pub(crate) const SPAN_KIND: Option<&str> = if cfg!(feature = "otlp") { Some("server") } else { None };

#[cfg(feature = "otlp")]
pub(crate) use exported::describe;

tokio::task_local! {
    static CURRENT: Option<TraceContext>;
}

/// One span of a trace: this server's part of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    /// 32 hexadecimal digits.
    pub(crate) trace_id: String,
    /// 16 hexadecimal digits.
    pub(crate) span_id: String,
    flags: String,
    state: Option<HeaderValue>,
}

impl TraceContext {
    /// Reads the context of the caller, and creates a span of this server in the same trace. Returns `None` if the caller
    /// has no valid context.
    ///
    /// If traces are exported, the span is the exported one, in a new trace if the caller has none.
    pub(crate) fn begin(
        caller: Option<&HeaderMap>,
        span: &tracing::Span,
        random: &dyn Random,
    ) -> io::Result<Option<Self>> {
        let parent = caller.and_then(|headers| Some((headers, parse(headers.get(TRACEPARENT)?)?)));
        let state = parent.as_ref().and_then(|(headers, _)| headers.get(TRACESTATE).cloned());
        let parent = parent.map(|(_, parent)| parent);
        #[cfg(feature = "otlp")]
        if let Some((trace_id, span_id, flags)) = exported::begin(parent.as_ref(), state.as_ref(), span) {
            return Ok(Some(Self { trace_id, span_id, flags, state }));
        }
        #[cfg(not(feature = "otlp"))]
        let _ = span;
        let Some(Parent { trace_id, flags, .. }) = parent else {
            return Ok(None);
        };
        let mut bytes = [0; 8];
        random.fill(&mut bytes)?;
        // An id of only zeros is invalid.
        let span_id = format!("{:016x}", u64::from_be_bytes(bytes).max(1));
        Ok(Some(Self { trace_id, span_id, flags, state }))
    }

    /// Runs a future as a part of this trace.
    pub(crate) async fn scope<F: Future>(context: Option<Self>, future: F) -> F::Output {
        CURRENT.scope(context, future).await
    }

    /// Returns the headers for a request to another service, which are empty outside of a trace.
    pub(crate) fn outgoing_headers() -> HeaderMap {
        let mut headers = HeaderMap::new();
        let _ = CURRENT.try_with(|context| {
            let Some(Self { trace_id, span_id, flags, state }) = context else { return };
            if let Ok(parent) = HeaderValue::try_from(format!("00-{trace_id}-{span_id}-{flags}")) {
                headers.insert(TRACEPARENT, parent);
            }
            if let Some(state) = state {
                headers.insert(TRACESTATE, state.clone());
            }
        });
        headers
    }
}

/// The content of a `traceparent` header.
#[derive(Debug, PartialEq, Eq)]
struct Parent {
    trace_id: String,
    #[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "only an exported span names its parent"))]
    span_id: String,
    flags: String,
}

/// Reads a `traceparent` header.
fn parse(header: &HeaderValue) -> Option<Parent> {
    let mut parts = header.to_str().ok()?.trim().split('-');
    let mut hex = |digits: usize| {
        let part = parts.next()?;
        let is_hex =
            part.len() == digits && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then_some(part)
    };
    let (version, trace_id, parent_id, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    let is_zero = |id: &str| id.bytes().all(|byte| byte == b'0');
    // A later version may append more parts; version 00 may not, and version ff is not one.
    let has_valid_version = version != "ff" && (version != "00" || parts.next().is_none());
    (has_valid_version && !is_zero(trace_id) && !is_zero(parent_id)).then(|| Parent {
        trace_id: trace_id.to_owned(),
        span_id: parent_id.to_owned(),
        flags: flags.to_owned(),
    })
}

#[cfg(feature = "otlp")]
mod exported {
    //! The spans of OpenTelemetry, which `crate::otlp` exports.

    use super::Parent;
    use axum::http::HeaderValue;
    use opentelemetry::trace::{
        SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
    };
    use tracing::Span;
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    /// Begins the exported span of a request. Returns its trace id, its id and its flags, in the form of a `traceparent`, or
    /// `None` if nothing is exported.
    pub(super) fn begin(
        parent: Option<&Parent>,
        state: Option<&HeaderValue>,
        span: &Span,
    ) -> Option<(String, String, String)> {
        if let Some(parent) = parent.and_then(|parent| remote(parent, state)) {
            // It fails if no layer exports spans.
            let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(parent));
        }
        let context = span.context();
        let context = context.span().span_context().clone();
        let flags = format!("{:02x}", context.trace_flags().to_u8());
        context.is_valid().then(|| (context.trace_id().to_string(), context.span_id().to_string(), flags))
    }

    /// Adds the response to the exported span of the current request, by OpenTelemetry's conventions for HTTP.
    pub(crate) fn describe(method: &'static str, route: &str, status: u16) {
        let span = Span::current();
        span.context().span().update_name(format!("{method} {route}"));
        span.set_attribute("http.request.method", method);
        span.set_attribute("http.route", route.to_owned());
        span.set_attribute("http.response.status_code", i64::from(status));
        if status >= 500 {
            span.set_status(Status::error(""));
        }
    }

    fn remote(parent: &Parent, state: Option<&HeaderValue>) -> Option<SpanContext> {
        let state = state.and_then(|state| state.to_str().ok()?.parse::<TraceState>().ok());
        Some(SpanContext::new(
            TraceId::from_hex(&parent.trace_id).ok()?,
            SpanId::from_hex(&parent.span_id).ok()?,
            TraceFlags::new(u8::from_str_radix(&parent.flags, 16).ok()?),
            true,
            state.unwrap_or_default(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{Parent, parse};
    use axum::http::HeaderValue;

    #[test]
    fn only_a_valid_header_is_read() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let good = format!("00-{trace}-00f067aa0ba902b7-01");
        let parse = |text: &str| parse(&HeaderValue::from_str(text).unwrap());
        let parent = |flags: &str| {
            let (span_id, flags) = ("00f067aa0ba902b7".to_owned(), flags.to_owned());
            Some(Parent { trace_id: trace.to_owned(), span_id, flags })
        };
        assert_eq!(parse(&good), parent("01"));
        assert_eq!(parse(&format!("cc-{trace}-00f067aa0ba902b7-00-more")), parent("00"));
        for bad in [
            String::new(),
            good.to_uppercase(),
            format!("{good}-more"),
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{trace}-0000000000000000-01"),
            format!("00-{trace}-00f067aa0ba902b-01"),
            format!("00-{trace}-00f067aa0ba902b7"),
        ] {
            assert_eq!(parse(&bad), None, "{bad}");
        }
    }
}
