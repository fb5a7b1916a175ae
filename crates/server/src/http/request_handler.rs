use super::route::Route;
use super::{Surface, client_address, problem, request_id, router};
use crate::limits::LimitReport;
use crate::trace_context::{self, TraceContext};
use crate::{AppState, Error};
use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderValue, Method, Request, header};
use axum::response::Response;
use std::sync::Arc;
use tower::ServiceExt;
use tracing::field::{Empty, display};
use tracing::{Instrument, Span};

/// The server without the socket: the routes, and for every request an id, a line in the log, a count in the metrics, and
/// the body of an error.
#[derive(Clone)]
pub struct RequestHandler {
    state: AppState,
    routes: Router,
}

impl RequestHandler {
    /// Returns the handler of every route.
    #[must_use]
    pub fn new(state: AppState) -> Self {
        Self::of(Surface::Everything, state)
    }

    /// Returns the handler of the routes that visitors use, for a server that has an admin listener.
    #[must_use]
    pub fn public(state: AppState) -> Self {
        Self::of(Surface::Public, state)
    }

    /// Returns the handler of the management API, the metrics and the health checks.
    #[must_use]
    pub fn admin(state: AppState) -> Self {
        Self::of(Surface::Admin, state)
    }

    fn of(surface: Surface, state: AppState) -> Self {
        Self { routes: router(&state, surface), state }
    }

    /// Returns the response to one request.
    pub async fn handle<B>(&self, mut request: Request<B>) -> Response
    where
        B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
    {
        let state = &self.state;
        let (headers, extensions) = (request.headers(), request.extensions());
        let is_of_proxy = client_address::is_from_trusted_proxy(state, extensions);
        let id = is_of_proxy.then(|| request_id::of_proxy(headers)).flatten();
        let id = id.unwrap_or_else(|| state.request_ids.next());
        let address = client_address::of(state, headers, extensions);
        // At the highest level, so that a warning has its request id at every log level. Paths contain no secret; query
        // strings and headers may.
        let span = tracing::error_span!(
            "request", id, method = %request.method(), path = request.uri().path(), %address,
            app = Empty, visitor = Empty, trace_id = Empty, span_id = Empty,
            otel.kind = trace_context::SPAN_KIND
        );
        // If there are no random numbers, the request fails later, where it requires them.
        let trace =
            TraceContext::begin(is_of_proxy.then_some(headers), &span, &*state.random).unwrap_or_default();
        if let Some(TraceContext { trace_id, span_id, .. }) = &trace {
            span.record("trace_id", trace_id).record("span_id", span_id);
        }
        let method = method_name(request.method());
        let route = Route::default();
        request.extensions_mut().insert(route.clone());
        let limits = LimitReport::default();
        request.extensions_mut().insert(limits.clone());
        let start = state.clock.elapsed();
        let respond = async {
            let Ok(response) = self.routes.clone().oneshot(request).await;
            let mut response = problem::render(response, &id);
            let took = state.clock.elapsed().saturating_sub(start);
            let status = response.status().as_u16();
            state.metrics.answered(method, route.label(), status, took);
            let reason = response.extensions().get::<Arc<Error>>().map(|error| error.outward().1);
            tracing::info!(status, reason, took_ms = took.as_millis() as u64, "request finished");
            #[cfg(feature = "otlp")]
            trace_context::describe(method, route.label(), status);
            let headers = response.headers_mut();
            let id = HeaderValue::try_from(id).expect("an id is letters, digits and `._-`");
            headers.insert(request_id::REQUEST_ID, id);
            limits.write(headers);
            if state.is_draining() {
                // A load balancer then opens its next connection to another instance.
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        };
        TraceContext::scope(trace, respond.instrument(span)).await
    }
}

/// Adds the app to the request's log lines.
pub(super) fn log_app(app_id: &str) {
    Span::current().record("app", display(app_id));
}

/// Adds the visitor to the request's log lines.
pub(super) fn log_visitor(user_id: &str) {
    Span::current().record("visitor", display(user_id));
}

/// Returns the name of a method. All unknown ones share a name, so that no client can add counters.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::HEAD => "HEAD",
        _ => "other",
    }
}
