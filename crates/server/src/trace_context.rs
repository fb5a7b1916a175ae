//! The trace that a request belongs to, as W3C Trace Context (level 1) describes it: read from a trusted proxy, logged, and
//! sent to the agent's service.

use crate::Random;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use std::future::Future;
use std::io;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

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
    /// Reads the context of the caller, and makes a span of this server's own in the same trace. Returns `None` if there
    /// is no valid one.
    pub(crate) fn of(headers: &HeaderMap, random: &dyn Random) -> io::Result<Option<Self>> {
        let Some((trace_id, flags)) = headers.get(TRACEPARENT).and_then(parse) else {
            return Ok(None);
        };
        let mut bytes = [0; 8];
        random.fill(&mut bytes)?;
        // All zeros are no valid id.
        let span_id = format!("{:016x}", u64::from_be_bytes(bytes).max(1));
        Ok(Some(Self { trace_id, span_id, flags, state: headers.get(TRACESTATE).cloned() }))
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

/// Returns the trace id and the flags of a `traceparent` header.
fn parse(header: &HeaderValue) -> Option<(String, String)> {
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
    (has_valid_version && !is_zero(trace_id) && !is_zero(parent_id))
        .then(|| (trace_id.to_owned(), flags.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use axum::http::HeaderValue;

    #[test]
    fn only_a_valid_header_is_read() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let good = format!("00-{trace}-00f067aa0ba902b7-01");
        let parse = |text: &str| parse(&HeaderValue::from_str(text).unwrap());
        assert_eq!(parse(&good), Some((trace.to_owned(), "01".to_owned())));
        assert_eq!(
            parse(&format!("cc-{trace}-00f067aa0ba902b7-00-more")),
            Some((trace.to_owned(), "00".to_owned()))
        );
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
