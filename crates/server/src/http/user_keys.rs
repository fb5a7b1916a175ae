use super::body::JsonBody;
use super::project::{ProjectParameters, ProjectPath, app_of};
use super::user_key_input::{MAX_KEYS, UserKeyInput};
use crate::{App, AppConfig, AppState, Error, Owner, UserKey, WebClient};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// The keys of an app.
#[derive(Serialize, ToSchema)]
pub(super) struct UserKeyList {
    data: Vec<UserKey>,
}

/// A key of an app.
#[derive(Serialize, ToSchema)]
pub(super) struct UserKeyCreated {
    data: UserKey,
}

/// The keys that verify the tokens of an app's signed-in users.
#[utoipa::path(
    get,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps/{id}/auth/keys",
    tag = "apps",
    security(("managementKey" = [])),
    params(ProjectParameters, ("id" = String, Path, description = "The app's id")),
    responses(
        (status = 200, description = "All keys, in the order in which they were added", body = UserKeyList),
        (status = 400, description = "The app is not a web client"),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such app"),
        (status = 422, description = "The tenant's or the project's id is invalid"),
    )
)]
pub(super) async fn list_user_keys(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Result<Json<UserKeyList>, Error> {
    let data = app_of(&state, &owner, &id).await?.web_client()?.public_keys.clone();
    Ok(Json(UserKeyList { data }))
}

/// Adds a key. Tokens that it signs are accepted at once by this instance, and by others within a second.
#[utoipa::path(
    post,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps/{id}/auth/keys",
    tag = "apps",
    security(("managementKey" = [])),
    params(ProjectParameters, ("id" = String, Path, description = "The app's id")),
    request_body = UserKeyInput,
    responses(
        (status = 201, description = "The key", body = UserKeyCreated),
        (status = 400, description = "The app is not a web client, or the key is a private one, is not a PEM of a \
            SubjectPublicKeyInfo, is too short, or has another type than its algorithm; `field` names the member"),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such app"),
        (status = 409, description = "The app has a key with this `kid`, or the maximum number of keys"),
        (status = 422, description = "A member is missing or of another type; `field` names it"),
    )
)]
pub(super) async fn add_user_key(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, id)): Path<(String, String, String)>,
    JsonBody(input): JsonBody<UserKeyInput>,
) -> Result<impl IntoResponse, Error> {
    let data = input.check(state.clock.now())?;
    let added = data.clone();
    change(&state, &owner, &id, move |web_client| {
        if web_client.public_keys.iter().any(|key| key.kid == added.kid) {
            return Err(Error::UserKeyExists);
        }
        if web_client.public_keys.len() >= MAX_KEYS {
            return Err(Error::UserKeysFull);
        }
        web_client.public_keys.push(added);
        Ok(())
    })
    .await?;
    Ok((StatusCode::CREATED, Json(UserKeyCreated { data })))
}

/// Removes a key. Tokens that it signed are refused at once by this instance, and by others within a second.
#[utoipa::path(
    delete,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps/{id}/auth/keys/{kid}",
    tag = "apps",
    security(("managementKey" = [])),
    params(
        ProjectParameters,
        ("id" = String, Path, description = "The app's id"),
        ("kid" = String, Path, description = "The key's `kid`"),
    ),
    responses(
        (status = 204, description = "The key is removed"),
        (status = 400, description = "The app is not a web client"),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such app, or the app has no such key"),
        (status = 422, description = "The tenant's or the project's id is invalid"),
    )
)]
pub(super) async fn remove_user_key(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, id, kid)): Path<(String, String, String, String)>,
) -> Result<StatusCode, Error> {
    change(&state, &owner, &id, |web_client| {
        let count = web_client.public_keys.len();
        web_client.public_keys.retain(|key| key.kid != kid);
        if web_client.public_keys.len() < count { Ok(()) } else { Err(Error::UserKeyNotFound) }
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the settings of a web client. Concurrent changes run one after the other.
pub(super) async fn change(
    state: &AppState,
    owner: &Owner,
    id: &str,
    change: impl FnOnce(&mut WebClient) -> Result<(), Error>,
) -> Result<(), Error> {
    let change = |app: &mut App| match &mut app.config {
        AppConfig::WebClient { web_client } => change(web_client),
        AppConfig::Api {} => Err(Error::AppTypeNotSupported),
    };
    let app = state.store.change_app(owner, id, state.clock.now(), change).await?;
    state.apps.forget(id);
    app.map(|_| ()).ok_or(Error::AppNotFound)
}
