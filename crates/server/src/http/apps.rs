use super::app_input::{AppChange, NewApp, NewAppDescription, app_type};
use super::body::JsonBody;
use super::list::{ListParameters, ListQuery, Pagination};
use super::project::{ProjectParameters, ProjectPath, app_of};
use crate::{App, AppState, AppType, Error};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

/// The response to the creation of an app.
#[derive(Serialize, ToSchema)]
pub(super) struct AppCreated {
    data: AppCreatedData,
}

#[derive(Serialize, ToSchema)]
struct AppCreatedData {
    app: App,
}

/// One app.
#[derive(Serialize, ToSchema)]
pub(super) struct AppAnswer {
    data: App,
}

/// A page of apps.
#[derive(Serialize, ToSchema)]
pub(super) struct AppList {
    data: Vec<App>,
    pagination: Pagination,
}

/// Creates an app.
#[utoipa::path(
    post,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps",
    tag = "apps",
    security(("managementKey" = [])),
    params(ProjectParameters),
    request_body = NewAppDescription,
    responses(
        (status = 201, description = "The app", body = AppCreated,
            headers(("location" = String, description = "The app's address"))),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 422, description = "A member is invalid; `field` names it"),
    )
)]
pub(super) async fn create_app(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    JsonBody(new): JsonBody<NewApp>,
) -> Result<impl IntoResponse, Error> {
    let mut app = new.check(owner, state.clock.now())?;
    loop {
        app.id = format!("app_{}", state.random.lowercase(20).map_err(Error::Random)?);
        if state.store.insert_app(&app).await? {
            break;
        }
    }
    let location = format!("/manage/tenants/{}/projects/{}/apps/{}", app.tenant_id, app.project_id, app.id);
    let body = AppCreated { data: AppCreatedData { app } };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(body)))
}

/// Lists the project's apps, the newest first.
#[utoipa::path(
    get,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps",
    tag = "apps",
    security(("managementKey" = [])),
    params(
        ProjectParameters,
        ListParameters,
        ("type" = Option<AppType>, Query, description = "Only apps of this type"),
    ),
    responses(
        (status = 200, description = "A page of apps", body = AppList),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 422, description = "A parameter is invalid; `field` names it"),
    )
)]
pub(super) async fn list_apps(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    query: ListQuery,
) -> Result<Json<AppList>, Error> {
    let app_type = query.parameter("type").map(app_type).transpose()?;
    let page = state.store.list_apps(&owner, app_type, query.page).await?;
    let pagination = Pagination::of(query.page, &page);
    Ok(Json(AppList { data: page.items, pagination }))
}

/// Returns an app.
#[utoipa::path(
    get,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps/{id}",
    tag = "apps",
    security(("managementKey" = [])),
    params(ProjectParameters, ("id" = String, Path, description = "The app's id")),
    responses(
        (status = 200, description = "The app", body = AppAnswer),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such app"),
        (status = 422, description = "The tenant's or the project's id is invalid"),
    )
)]
pub(super) async fn read_app(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Result<Json<AppAnswer>, Error> {
    Ok(Json(AppAnswer { data: app_of(&state, &owner, &id).await? }))
}

/// Changes an app.
#[utoipa::path(
    patch,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps/{id}",
    tag = "apps",
    security(("managementKey" = [])),
    params(ProjectParameters, ("id" = String, Path, description = "The app's id")),
    request_body = AppChange,
    responses(
        (status = 200, description = "The changed app", body = AppAnswer),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such app"),
        (status = 409, description = "The type of an app cannot change"),
        (status = 422, description = "A member is invalid; `field` names it"),
    )
)]
pub(super) async fn change_app(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, id)): Path<(String, String, String)>,
    JsonBody(change): JsonBody<AppChange>,
) -> Result<Json<AppAnswer>, Error> {
    let now = state.clock.now();
    let app = state.store.change_app(&owner, &id, now, |app| change.apply(app, now)).await?;
    state.apps.forget(&id);
    Ok(Json(AppAnswer { data: app.ok_or(Error::AppNotFound)? }))
}

/// Deletes an app, and its conversations soon after. Its sessions are no longer valid.
#[utoipa::path(
    delete,
    path = "/manage/tenants/{tenantId}/projects/{projectId}/apps/{id}",
    tag = "apps",
    security(("managementKey" = [])),
    params(ProjectParameters, ("id" = String, Path, description = "The app's id")),
    responses(
        (status = 204, description = "The app is deleted"),
        (status = 401, description = "The management key is missing or invalid"),
        (status = 404, description = "The project has no such app"),
        (status = 422, description = "The tenant's or the project's id is invalid"),
    )
)]
pub(super) async fn delete_app(
    State(state): State<AppState>,
    ProjectPath(owner): ProjectPath,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Result<StatusCode, Error> {
    let deleted = state.store.delete_app(&owner, &id).await?;
    state.apps.forget(&id);
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(Error::AppNotFound) }
}
