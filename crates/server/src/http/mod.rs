//! The routes and their layers. Each resource has its own file.

mod api_keys;
mod app_input;
mod apps;
mod audit;
mod auth;
mod body;
mod challenge;
mod chat;
mod chat_completions;
mod client_address;
mod conversations;
mod cors;
mod csv;
mod demo_keys;
mod events;
mod feedback;
mod health;
mod list;
mod message_stream;
mod messages;
mod openapi;
mod origin;
mod pow;
mod price;
mod problem;
mod project;
mod query_parameters;
mod rate_limit;
mod reply;
mod reply_meter;
mod report_lists;
mod request_handler;
mod request_id;
mod revocations;
mod route;
mod session;
mod static_files;
mod user_key_input;
mod user_keys;
mod validation;
mod visitor_data;

pub(crate) use auth::KnownApiKeys;
pub(crate) use body::BodyMemory;
pub(crate) use client_address::is_trusted;
pub(crate) use health::Readiness;
pub(crate) use rate_limit::{RateLimiter, key};
pub use request_handler::RequestHandler;
pub(crate) use request_id::RequestIds;

use crate::{AppState, Error, Settings};
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::routing::future::RouteFuture;
use axum::{Router, middleware};
use futures_util::FutureExt;
use query_parameters::KnownParameters;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tower::ServiceBuilder;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The largest body of the run API, in bytes. One message of a widget may have up to 300,000.
const RUN_BODY_BYTES: usize = 1024 * 1024;

/// The largest body of a chat, in bytes. Widgets send files with a message, up to 4.3 MB: the agent receives only the text.
const CHAT_BODY_BYTES: usize = 5 * 1024 * 1024;

/// The largest body of the management API, in bytes: many times the size of a hundred domains.
const MANAGE_BODY_BYTES: usize = 64 * 1024;

/// The routes of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surface {
    /// Every route: the server has one listener.
    Everything,
    /// The routes that visitors use.
    Public,
    /// The management API, the metrics and the health checks.
    Admin,
}

/// Returns the routes of a listener.
fn router(state: &AppState, surface: Surface) -> Router {
    let (api, description) = api(state, surface).split_for_parts();
    let unknown = any(async || Error::RouteNotFound)
        .layer(ServiceBuilder::new().map_response(cors::allow_authorization).layer(cors::layer()));
    let router = api
        .merge(demo_keys::routes(state).layer(DefaultBodyLimit::max(MANAGE_BODY_BYTES)))
        .merge(openapi::routes(description).layer(ServiceBuilder::new().map_request(route::note)))
        .nest_service("/run", unknown.with_state(()))
        .with_state(state.clone());
    let folder = state.settings.static_dir.as_deref().filter(|_| surface != Surface::Admin);
    static_files::serve(router, folder)
}

/// Returns the routes that the API's description contains.
fn api(state: &AppState, surface: Surface) -> OpenApiRouter<AppState> {
    let quick = OpenApiRouter::new()
        .routes(routes!(challenge::issue_challenge))
        .routes(routes!(challenge::issue_app_challenge))
        .routes(routes!(session::open_session))
        .routes(routes!(conversations::list_conversations))
        .routes(routes!(conversations::read_conversation, visitor_data::delete_conversation))
        .routes(routes!(visitor_data::export_own_data, visitor_data::erase_own_data));
    let reports =
        OpenApiRouter::new().routes(routes!(events::report_event)).routes(routes!(feedback::give_feedback));
    let slow =
        OpenApiRouter::new().routes(routes!(chat::chat)).routes(routes!(chat_completions::complete_chat));
    let manage = OpenApiRouter::new()
        .routes(routes!(apps::create_app, apps::list_apps))
        .routes(routes!(apps::read_app, apps::change_app, apps::delete_app))
        .routes(routes!(user_keys::list_user_keys, user_keys::add_user_key))
        .routes(routes!(user_keys::remove_user_key))
        .routes(routes!(report_lists::list_events))
        .routes(routes!(report_lists::list_feedback))
        .routes(routes!(api_keys::create_api_key, api_keys::list_api_keys))
        .routes(routes!(api_keys::delete_api_key))
        .routes(routes!(revocations::revoke_sessions, revocations::list_revocations))
        .routes(routes!(audit::list_audit_log))
        .routes(routes!(visitor_data::delete_conversation_of_app))
        .routes(routes!(visitor_data::export_visitor, visitor_data::erase_visitor));
    let known = KnownParameters::of(manage.get_openapi());
    let manage = manage
        .route_layer(middleware::from_fn_with_state(known, query_parameters::refuse_unknown))
        .route_layer(middleware::from_fn(auth::refuse_changes_by_read_key))
        .route_layer(middleware::from_fn_with_state(state.clone(), audit::record))
        .route_layer(middleware::from_fn_with_state(state.clone(), auth::require_management_key));
    let operation = OpenApiRouter::new()
        .routes(routes!(health::report_health))
        .routes(routes!(health::report_readiness))
        .routes(routes!(health::report_metrics));
    let Settings { request_timeout, agent_timeout, .. } = state.settings;
    let run = Guard { is_cross_origin: true, body_bytes: None, timeout: request_timeout };
    let agent =
        Guard { body_bytes: Some(CHAT_BODY_BYTES), timeout: request_timeout + agent_timeout, ..run.clone() };
    let reporter = Guard { body_bytes: Some(RUN_BODY_BYTES), ..run.clone() };
    let manager =
        Guard { is_cross_origin: false, body_bytes: Some(MANAGE_BODY_BYTES), timeout: request_timeout };
    let recorded = Guard { timeout: request_timeout + audit::RECORD_TIME, ..manager.clone() };
    let mut router = OpenApiRouter::with_openapi(openapi::frame());
    if surface != Surface::Admin {
        router = router.merge(run.around(quick)).merge(reporter.around(reports)).merge(agent.around(slow));
    }
    if surface != Surface::Public {
        router = router.merge(recorded.around(manage)).merge(manager.around(operation));
    }
    router
}

/// The limits and the CORS headers of a route.
#[derive(Clone)]
struct Guard {
    /// Whether pages of other origins may call the route.
    is_cross_origin: bool,
    /// The largest body, if the route reads one.
    body_bytes: Option<usize>,
    timeout: Duration,
}

impl Guard {
    /// Returns all limits as one layer, since the router boxes each layer.
    fn around(self, router: OpenApiRouter<AppState>) -> OpenApiRouter<AppState> {
        let timeout = self.timeout;
        let cors = ServiceBuilder::new().map_response(cors::allow_authorization).layer(cors::layer());
        router.layer(
            ServiceBuilder::new()
                .map_request(route::note)
                // Outside of the layers that refuse requests, so that a page can read their responses.
                .option_layer(self.is_cross_origin.then_some(cors.into_inner()))
                .option_layer(self.body_bytes.map(DefaultBodyLimit::max))
                .map_future(move |answer: RouteFuture<Infallible>| {
                    hold(answer.map(|Ok(response)| response), timeout).map(Ok::<_, Infallible>)
                }),
        )
    }
}

/// Runs a request with a time limit, and returns a panic as an error.
async fn hold(answer: impl Future<Output = Response>, limit: Duration) -> Response {
    let answer = AssertUnwindSafe(answer).catch_unwind();
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => Error::of_panic(&*panic).into_response(),
        Err(_) => Error::TimedOut.into_response(),
    }
}
