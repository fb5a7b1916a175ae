use super::app_input::not_null;
use super::body::JsonBody;
use super::list::{ListParameters, ListQuery, Pagination};
use super::project::{ProjectParameters, ProjectPath, app_of};
use crate::revocations::{self, Revocation};
use crate::user_tokens::{MAX_SUB_CHARACTERS, is_sub};
use crate::{AppState, Error};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The sessions to revoke.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewRevocation {
    /// The visitor, as the `sub` of their token; if absent, all visitors of the app.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(min_length = 1, max_length = 255, value_type = String, required = false)]
    visitor: Option<String>,
    /// Sessions that began before this time are no longer accepted; if absent, all present sessions, including those of the
    /// current second.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = String, format = DateTime, required = false)]
    not_before: Option<Timestamp>,
}

/// One revocation.
#[derive(Serialize, ToSchema)]
pub(super) struct RevocationResponse {
    data: Revocation,
}

/// A page of revocations.
#[derive(Serialize, ToSchema)]
pub(super) struct RevocationList {
    data: Vec<Revocation>,
    pagination: Pagination,
}

/// Revokes the sessions of one visitor, or of all visitors of an app.
///
/// Every instance refuses them from the next request on. A visitor can open a new session, with a new identity, which is
/// valid at once, and a second later on other instances. A token that your backend signs for a user is valid if its `iat`
/// is in a later second, even if a clock that is ahead signed it before. Each further revocation of all visitors in the same second adds a second.
#[utoipa::path(
    post,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps/{id}/revocations",
    tag = "apps",
    security(("managementKey" = [])),
    params(ProjectParameters, ("id" = String, Path, description = "The app's id")),
    request_body = NewRevocation,
    responses(
        (status = 201, description = "The revocation", body = RevocationResponse),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such app"),
        (status = 422, description = "A member is invalid; `field` names it"),
    )
)]
pub(super) async fn revoke_sessions(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, id)): Path<(String, String, String)>,
    JsonBody(new): JsonBody<NewRevocation>,
) -> Result<impl IntoResponse, Error> {
    app_of(&state, &owner, &id).await?;
    let now = state.clock.now();
    // White space is part of a `sub`.
    if new.visitor.as_deref().is_some_and(|visitor| !is_sub(visitor)) {
        let problem = format!("must have 1 to {MAX_SUB_CHARACTERS} characters, and no control characters");
        return Err(Error::field("visitor", problem));
    }
    if new.not_before.is_some_and(|time| time > now) {
        return Err(Error::field("notBefore", "must not be in the future"));
    }
    let of_app = state.store.find_revocation_of_app(&id).await?;
    let not_before = revocations::not_before(new.not_before, now, of_app.as_ref());
    let data = Revocation { visitor: new.visitor, not_before, created_at: now };
    state.store.revoke_sessions(&id, &data).await?;
    state.apps.forget(&id);
    Ok((StatusCode::CREATED, Json(RevocationResponse { data })))
}

/// Lists the revocations of an app, the newest first.
#[utoipa::path(
    get,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps/{id}/revocations",
    tag = "apps",
    security(("managementKey" = [])),
    params(ProjectParameters, ("id" = String, Path, description = "The app's id"), ListParameters),
    responses(
        (status = 200, description = "A page of revocations", body = RevocationList),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such app"),
        (status = 422, description = "A parameter is invalid; `field` names it"),
    )
)]
pub(super) async fn list_revocations(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, id)): Path<(String, String, String)>,
    query: ListQuery,
) -> Result<Json<RevocationList>, Error> {
    app_of(&state, &owner, &id).await?;
    let page = state.store.list_revocations(&id, query.page).await?;
    let pagination = Pagination::of(query.page, &page);
    Ok(Json(RevocationList { data: page.items, pagination }))
}
