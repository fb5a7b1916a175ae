//! What every request gets: an id, a place in the log, and a body for its error.

use super::problem;
use crate::{AppState, Error, Random};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::Instrument;

/// Ids for requests: the same beginning for all of a process, drawn when it starts, and a count.
///
/// They are for reading logs and protect nothing. One that a client sends is not taken over.
pub(crate) struct RequestIds {
    process: String,
    count: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(random: &impl Random) -> io::Result<Self> {
        Ok(Self { process: random.lowercase(12)?, count: AtomicU64::new(1) })
    }

    fn next(&self) -> String {
        format!("req_{}_{}", self.process, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

/// The outermost layer.
pub(super) async fn frame(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let id = state.request_ids.next();
    // Paths hold no secret; query strings and headers may.
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let start = state.clock.elapsed();
    async {
        let mut response = problem::render(next.run(request).await, &id);
        let took_ms = state.clock.elapsed().saturating_sub(start).as_millis() as u64;
        let reason = response.extensions().get::<Arc<Error>>().map(|error| error.outward().1);
        tracing::info!(status = response.status().as_u16(), reason, took_ms, "answered");
        let id = HeaderValue::from_str(&id).expect("an id is letters, digits and `_`");
        response.headers_mut().insert("x-request-id", id);
        response
    }
    .instrument(span)
    .await
}
