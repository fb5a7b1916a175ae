use super::app_input::not_null;
use super::body::JsonBody;
use super::list::{ListParameters, ListQuery, Pagination};
use super::project::{ProjectParameters, ProjectPath};
use super::validation::text;
use crate::api_keys::{ApiKey, ApiKeySecret};
use crate::{AppState, Error};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A new API key.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewApiKey {
    /// The name that operators see, 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The id of the agent that replies.
    #[schema(min_length = 1, max_length = 255)]
    agent_id: String,
    /// The time when the key expires; if absent, the key never expires.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = String, format = DateTime, required = false)]
    expires_at: Option<Timestamp>,
}

/// The response to the creation of an API key.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeyCreated {
    data: ApiKeyCreatedData,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ApiKeyCreatedData {
    api_key: ApiKey,
    /// The secret, which no other response contains: send it as `Authorization: Bearer …`.
    #[schema(example = "smk_a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6nqz1u3")]
    key: String,
}

/// A page of API keys.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeyList {
    data: Vec<ApiKey>,
    pagination: Pagination,
}

/// Creates an API key. Only this response contains its secret.
#[utoipa::path(
    post,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/api-keys",
    tag = "api-keys",
    security(("managementKey" = [])),
    params(ProjectParameters),
    request_body = NewApiKey,
    responses(
        (status = 201, description = "The API key and its secret", body = ApiKeyCreated),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 422, description = "A member is invalid; `field` names it"),
    )
)]
pub(super) async fn create_api_key(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    JsonBody(new): JsonBody<NewApiKey>,
) -> Result<impl IntoResponse, Error> {
    let now = state.clock.now();
    if new.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::field("expiresAt", "must be in the future"));
    }
    let secret = ApiKeySecret::generate(&*state.random).map_err(Error::Random)?;
    let api_key = ApiKey {
        id: format!("key_{}", state.random.lowercase(20).map_err(Error::Random)?),
        tenant_id: owner.tenant_id,
        project_id: owner.project_id,
        name: text("name", new.name, 255)?,
        agent_id: text("agentId", new.agent_id, 255)?,
        key_prefix: secret.shown(),
        last_used_at: None,
        expires_at: new.expires_at.map(in_milliseconds),
        created_at: now,
    };
    state.store.insert_api_key(&api_key, &secret.hash()).await?;
    let data = ApiKeyCreatedData { api_key, key: secret.reveal() };
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(ApiKeyCreated { data })))
}

/// Rounds the time as the database stores it, so that later responses return the same value.
fn in_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// Lists the project's API keys, the newest first.
#[utoipa::path(
    get,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/api-keys",
    tag = "api-keys",
    security(("managementKey" = [])),
    params(ProjectParameters, ListParameters),
    responses(
        (status = 200, description = "A page of API keys", body = ApiKeyList),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 422, description = "A parameter is invalid; `field` names it"),
    )
)]
pub(super) async fn list_api_keys(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    query: ListQuery,
) -> Result<Json<ApiKeyList>, Error> {
    let page = state.store.list_api_keys(&owner, query.page).await?;
    let pagination = Pagination::of(query.page, &page);
    Ok(Json(ApiKeyList { data: page.items, pagination }))
}

/// Deletes an API key, and its conversations soon after. The secret is no longer valid.
#[utoipa::path(
    delete,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/api-keys/{id}",
    tag = "api-keys",
    security(("managementKey" = [])),
    params(ProjectParameters, ("id" = String, Path, description = "The API key's id")),
    responses(
        (status = 204, description = "The API key is deleted"),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such API key"),
        (status = 422, description = "The tenant's or the project's id is invalid"),
    )
)]
pub(super) async fn delete_api_key(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Result<StatusCode, Error> {
    let deleted = state.store.delete_api_key(&owner, &id).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(Error::ApiKeyNotFound) }
}
