//! What every request gets: an id, a place in the log, and a body for its error.

use super::problem;
use crate::{AppState, Error, Random};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method};
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

/// The route that answered, for the metrics: paths have ids in them, and there may be any number of those.
#[derive(Clone)]
struct Route(MatchedPath);

/// Lies around the routes alone, and tells [`frame`] which it was.
pub(super) async fn note_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(Route(route));
    }
    response
}

/// Methods by name; whoever makes up others makes up no more counters.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}

/// The outermost layer.
pub(super) async fn frame(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let id = state.request_ids.next();
    // Paths hold no secret; query strings and headers may.
    let span = tracing::info_span!("request", id, method = %request.method(), path = request.uri().path());
    let method = method_name(request.method());
    let start = state.clock.elapsed();
    async {
        let mut response = problem::render(next.run(request).await, &id);
        let took = state.clock.elapsed().saturating_sub(start);
        let status = response.status().as_u16();
        let route = response.extensions().get::<Route>().map_or("other", |route| route.0.as_str());
        state.metrics.answered(method, route, status, took);
        let reason = response.extensions().get::<Arc<Error>>().map(|error| error.outward().1);
        tracing::info!(status, reason, took_ms = took.as_millis() as u64, "answered");
        let id = HeaderValue::from_str(&id).expect("an id is letters, digits and `_`");
        response.headers_mut().insert("x-request-id", id);
        response
    }
    .instrument(span)
    .await
}
