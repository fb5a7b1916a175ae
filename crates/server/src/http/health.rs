//! Liveness, readiness and metrics, for an operator's machines.

use crate::{AppState, Error, StoreError};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use std::time::Duration;
use tokio::sync::Mutex;
use utoipa::ToSchema;

/// The time limit of the database's response.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// The time that the result of a check is reused: anyone may request it, and the database is checked at most once a second.
const REUSE_TIME: Duration = Duration::from_secs(1);

/// The result of the last readiness check, and its time.
#[derive(Default)]
pub(crate) struct Readiness(Mutex<Option<(Duration, Result<(), StoreError>)>>);

impl Readiness {
    /// Checks the database, unless it was checked within the last second. Concurrent callers share one check.
    async fn check(&self, state: &AppState) -> Result<(), StoreError> {
        let mut last = self.0.lock().await;
        let now = state.clock.elapsed();
        if let Some((at, result)) = &*last
            && now.saturating_sub(*at) < REUSE_TIME
        {
            return result.clone();
        }
        let result = state.store.check_writable(TIME_LIMIT).await;
        *last = Some((state.clock.elapsed(), result.clone()));
        result
    }
}

/// The state of the server.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// Reports that the process responds. If it does not, restart it.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    responses((status = 200, description = "The process responds", body = Health))
)]
pub(super) async fn report_health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Reports whether the server is ready: the database accepts writes. If it does not, send requests to another instance.
///
/// The database is checked at most once a second.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    responses(
        (status = 200, description = "The database accepts writes", body = Health),
        (status = 503, description = "The database cannot be reached or is read-only, its disk is full, or the server is about to stop"),
    )
)]
pub(super) async fn report_readiness(State(state): State<AppState>) -> Result<Json<Health>, Error> {
    if state.is_draining() {
        return Err(Error::Draining);
    }
    state.readiness.check(&state).await.map_err(Error::NotReady)?;
    Ok(Json(Health { status: "ok" }))
}

/// Returns the counters since the start, in the format of Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    responses((status = 200, description = "The counters", body = String,
        content_type = "application/openmetrics-text"))
)]
pub(super) async fn report_metrics(State(state): State<AppState>) -> impl IntoResponse {
    state.metrics.runtime.update(&state);
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], state.metrics.text())
}
