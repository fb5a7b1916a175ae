//! The routes, and what lies around them. Each resource has a file of its own.

mod apps;
mod body;
mod challenge;
mod chat;
mod cors;
mod end_user;
mod openapi;
mod origin;
mod problem;
mod rate_limit;
mod request;
mod session;
mod static_files;

pub(crate) use rate_limit::RateLimiter;
pub(crate) use request::RequestIds;

use crate::{AppState, Error};
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Router, middleware};
use std::any::Any;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The largest body of a chat, in bytes: a long conversation.
const RUN_BODY_BYTES: usize = 256 * 1024;

/// The largest body of the management API, in bytes: a hundred domains fit many times.
const MANAGE_BODY_BYTES: usize = 64 * 1024;

/// The whole server as one router, which `main` puts on a socket and the tests call directly.
pub fn app(state: AppState) -> Router {
    let (api, description) = api(&state).split_for_parts();
    let description = openapi::document(description);
    let router = api
        .route("/openapi.json", get(async || ([(header::CONTENT_TYPE, "application/json")], description)))
        .with_state(state.clone());
    static_files::serve(router, state.settings.static_dir.as_deref())
        .layer(middleware::from_fn_with_state(state, request::frame))
}

/// The routes that the API's description is made of.
fn api(state: &AppState) -> OpenApiRouter<AppState> {
    let limited = OpenApiRouter::new()
        .routes(routes!(challenge::issue_challenge))
        .routes(routes!(session::open_session))
        .route_layer(middleware::from_fn_with_state(state.clone(), rate_limit::enforce));
    let run = limited.routes(routes!(chat::chat)).fallback(async || Error::RouteNotFound);
    let manage = OpenApiRouter::new()
        .routes(routes!(apps::create_app))
        .route_layer(middleware::from_fn_with_state(state.clone(), apps::require_management_key));
    OpenApiRouter::with_openapi(openapi::frame())
        // CORS lies around everything else, so that a page can read every refusal.
        .nest("/run", guard(run, state, RUN_BODY_BYTES).layer(cors::layer()))
        .nest("/manage", guard(manage, state, MANAGE_BODY_BYTES))
}

/// What no request may do: panic the server, hold it up, fill its memory.
fn guard(router: OpenApiRouter<AppState>, state: &AppState, body_bytes: usize) -> OpenApiRouter<AppState> {
    let timeout = state.settings.request_timeout;
    router
        .layer(DefaultBodyLimit::max(body_bytes))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Error::Panic(text.to_owned()).into_response()
        }))
}
