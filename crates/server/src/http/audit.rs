//! The audit log: every call of the management API with a valid key.

use super::list::{ListParameters, ListQuery, Pagination};
use super::{client_address, hold};
use crate::audit::{AuditEntry, ManagementRole};
use crate::{AppState, Error, StoreError};
use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// The maximum number of stored characters of a path.
const PATH_CHARACTERS: usize = 1000;

/// The time that the record of a call may take beside the call itself. The time limit of the call is within the record,
/// so that its status is recorded too.
pub(super) const RECORD_TIME: Duration = Duration::from_secs(5);

/// A page of the audit log.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditLog {
    data: Vec<AuditEntry>,
    pagination: Pagination,
}

/// Lists the calls of the management API, the newest first.
///
/// The audit log has no calls without a valid key: those are in the server's log.
#[utoipa::path(
    get,
    path = "/manage/audit-log",
    tag = "operation",
    security(("managementKey" = [])),
    params(ListParameters),
    responses(
        (status = 200, description = "A page of the audit log", body = AuditLog),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 422, description = "A parameter is invalid; `field` names it"),
    )
)]
pub(super) async fn list_audit_log(
    State(state): State<AppState>,
    query: ListQuery,
) -> Result<Json<AuditLog>, Error> {
    let page = state.store.list_audit_entries(query.page).await?;
    let pagination = Pagination::of(query.page, &page);
    Ok(Json(AuditLog { data: page.items, pagination }))
}

/// Stores a call before it is made, and its status after it. A call that cannot be stored is not made.
pub(super) async fn record(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let Some(role) = request.extensions().get::<ManagementRole>().copied() else {
        return next.run(request).await;
    };
    if state.settings.management.audit_entries == 0 {
        return next.run(request).await;
    }
    let id = match state.random.lowercase(20) {
        Ok(random) => format!("audit_{random}"),
        Err(error) => return Error::Random(error).into_response(),
    };
    let entry = AuditEntry {
        id,
        at: state.clock.now(),
        key: role,
        address: client_address::of(&state, request.headers(), request.extensions()).to_string(),
        method: request.method().as_str().to_owned(),
        path: request.uri().path().chars().take(PATH_CHARACTERS).collect(),
        status: None,
    };
    let inserted = tokio::time::timeout(RECORD_TIME / 2, state.store.insert_audit_entry(&entry));
    if let Err(error) = inserted.await.unwrap_or(Err(StoreError::TimedOut)) {
        return Error::from(error).into_response();
    }
    let response = hold(next.run(request), state.settings.request_timeout).await;
    let finished = state.store.finish_audit_entry(&entry.id, response.status().as_u16());
    let finished = tokio::time::timeout(RECORD_TIME / 2, finished).await;
    if let Err(error) = finished.unwrap_or(Err(StoreError::TimedOut)) {
        // The call is already in the log, and was made.
        tracing::warn!(%error, entry = entry.id, "could not store the status of a management call");
    }
    response
}
