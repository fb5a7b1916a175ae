use super::route::Route;
use super::{problem, router};
use crate::limits::LimitReport;
use crate::{AppState, Error};
use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderValue, Method, Request};
use axum::response::Response;
use std::sync::Arc;
use tower::ServiceExt;
use tracing::Instrument;

/// The whole server but for the socket: the routes, and what every request gets beside its answer: an id, a place in
/// the log, a count, and a body for its error.
#[derive(Clone)]
pub struct Front {
    state: AppState,
    routes: Router,
}

impl Front {
    /// The server of this state.
    #[must_use]
    pub fn new(state: AppState) -> Self {
        Self { routes: router(&state), state }
    }

    /// Answers one request.
    pub async fn answer<B>(&self, mut request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
    {
        let state = &self.state;
        let id = state.request_ids.next();
        // At the highest level, so that a warning has its id whatever level is logged. Paths hold no secret; query strings and headers may.
        let span =
            tracing::error_span!("request", id, method = %request.method(), path = request.uri().path());
        let method = method_name(request.method());
        let route = Route::default();
        request.extensions_mut().insert(route.clone());
        let limits = LimitReport::default();
        request.extensions_mut().insert(limits.clone());
        let start = state.clock.elapsed();
        async {
            let Ok(response) = self.routes.clone().oneshot(request).await;
            let mut response = problem::render(response, &id);
            let took = state.clock.elapsed().saturating_sub(start);
            let status = response.status().as_u16();
            state.metrics.answered(method, route.label(), status, took);
            let reason = response.extensions().get::<Arc<Error>>().map(|error| error.outward().1);
            tracing::info!(status, reason, took_ms = took.as_millis() as u64, "answered");
            let id = HeaderValue::try_from(id).expect("an id is letters, digits and `_`");
            response.headers_mut().insert("x-request-id", id);
            limits.write(response.headers_mut());
            response
        }
        .instrument(span)
        .await
    }
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
