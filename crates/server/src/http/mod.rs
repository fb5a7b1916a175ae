//! The routes, and what lies around them. Each resource has a file of its own.

mod api_keys;
mod app_input;
mod apps;
mod body;
mod caller;
mod challenge;
mod chat;
mod chat_completions;
mod client_address;
mod conversations;
mod cors;
mod list;
mod openapi;
mod operation;
mod origin;
mod owner;
mod pow;
mod problem;
mod rate_limit;
mod reply;
mod request;
mod session;
mod static_files;

pub(crate) use client_address::is_trusted;
pub(crate) use rate_limit::{RateLimiter, key};
pub(crate) use request::RequestIds;

use crate::{AppState, Error, Settings};
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::{Router, middleware};
use std::any::Any;
use std::time::Duration;
use tower::ServiceBuilder;
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
    let router = api
        .layer(middleware::from_fn(request::note_route))
        .merge(openapi::routes(description))
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
    let read = OpenApiRouter::new()
        .routes(routes!(conversations::list_conversations))
        .routes(routes!(conversations::read_conversation));
    let write =
        OpenApiRouter::new().routes(routes!(chat::chat)).routes(routes!(chat_completions::complete_chat));
    let manage = OpenApiRouter::new()
        .routes(routes!(apps::create_app, apps::list_apps))
        .routes(routes!(apps::read_app, apps::change_app, apps::delete_app))
        .routes(routes!(api_keys::create_api_key, api_keys::list_api_keys))
        .routes(routes!(api_keys::delete_api_key))
        .route_layer(middleware::from_fn_with_state(state.clone(), owner::require_management_key));
    let operation = OpenApiRouter::new()
        .routes(routes!(operation::tell_health))
        .routes(routes!(operation::tell_readiness))
        .routes(routes!(operation::tell_metrics));
    let Settings { request_timeout, agent_timeout, .. } = state.settings;
    let run = guard(limited.merge(read), RUN_BODY_BYTES, request_timeout)
        .merge(guard(write, RUN_BODY_BYTES, request_timeout + agent_timeout))
        .fallback(async || Error::RouteNotFound);
    OpenApiRouter::with_openapi(openapi::frame())
        // CORS lies around everything else, so that a page can read every refusal.
        .nest("/run", run.layer(cors::layer()))
        .nest("/manage", guard(manage, MANAGE_BODY_BYTES, request_timeout))
        .merge(operation)
}

/// What no request may do: panic the server, hold it up, fill its memory.
fn guard(router: OpenApiRouter<AppState>, body_bytes: usize, timeout: Duration) -> OpenApiRouter<AppState> {
    let tell_panic = |panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Error::Panic(text.to_owned()).into_response()
    };
    // One layer of three: the router boxes each.
    router.layer(
        ServiceBuilder::new()
            .layer(CatchPanicLayer::custom(tell_panic))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout))
            .layer(DefaultBodyLimit::max(body_bytes)),
    )
}
