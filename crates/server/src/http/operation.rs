//! What an operator's machines ask: is it alive, is it ready, how is it doing.

use crate::{AppState, Error};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the server is.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process answers at all. If it does not, start it anew.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses((status = 200, description = "It does", body = Health))
)]
pub(super) async fn tell_health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether the server can do its work: the database answers. If it does not, send requests elsewhere.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses(
        (status = 200, description = "It is", body = Health),
        (status = 503, description = "The database cannot be reached"),
    )
)]
pub(super) async fn tell_readiness(State(state): State<AppState>) -> Result<Json<Health>, Error> {
    state.store.ping(PATIENCE).await.map_err(Error::NotReady)?;
    Ok(Json(Health { status: "ok" }))
}

/// What is counted since the start, as Prometheus reads it.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses((status = 200, description = "The counters", body = String,
        content_type = "application/openmetrics-text"))
)]
pub(super) async fn tell_metrics(State(state): State<AppState>) -> impl IntoResponse {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], state.metrics.text())
}
