use super::body::JsonBody;
use super::list::{ListParameters, ListQuery, Pagination};
use super::owner::{OwnedBy, OwnerParameters, text};
use crate::{AllowedDomain, App, AppConfig, AppState, AppType, Error, InvalidDomain, WebClient};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// An app to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewApp {
    /// What people call it, 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What people say about it, 1 to 2000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    description: Option<String>,
    /// `web_client` or `api`.
    #[schema(value_type = AppType)]
    r#type: String,
    /// The agent that answers; without one the server's own does.
    #[schema(min_length = 1, max_length = 255)]
    default_agent_id: Option<String>,
    /// Whether it may be used at once: true by default.
    enabled: Option<bool>,
    config: ConfigInput,
}

/// What to change of an app. What is left out stays as it is; `null` takes a description or an agent away.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AppChange {
    /// What people call it, 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    name: Option<Option<String>>,
    /// What people say about it, 1 to 2000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// The same as before: an app stays what it is.
    #[schema(value_type = Option<AppType>)]
    r#type: Option<String>,
    /// The agent that answers; without one the server's own does.
    #[schema(min_length = 1, max_length = 255)]
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    default_agent_id: Option<Option<String>>,
    /// Whether it may be used.
    enabled: Option<bool>,
    config: Option<ConfigInput>,
}

/// Tells a member that is `null` from one that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What belongs to the app's kind.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConfigInput {
    /// The same as the app's `type`.
    #[schema(value_type = AppType)]
    r#type: String,
    /// Required for a new web client.
    web_client: Option<WebClientInput>,
}

/// Where the app may run.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WebClientInput {
    /// `*`, `*.example.com`, `docs.example.com` or `localhost:3000`.
    #[schema(min_items = 1, max_items = 100, required = true, value_type = Vec<String>)]
    allowed_domains: Option<Vec<String>>,
    /// Whether visitors without an account get sessions: true by default.
    allow_anonymous: Option<bool>,
}

/// What making an app gives back.
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

/// Makes an app.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/projects/{projectId}/apps",
    tag = "apps",
    security(("managementKey" = [])),
    params(OwnerParameters),
    request_body = NewApp,
    responses(
        (status = 201, description = "The app", body = AppCreated,
            headers(("location" = String, description = "The app's address"))),
        (status = 401, description = "The management key is missing or wrong"),
        (status = 422, description = "A member is wrong; `field` names it"),
    )
)]
pub(super) async fn create_app(
    State(state): State<AppState>,
    OwnedBy(owner): OwnedBy,
    JsonBody(new): JsonBody<NewApp>,
) -> Result<impl IntoResponse, Error> {
    let now = state.clock.now();
    let config = new.config.check(app_type(&new.r#type)?, None)?;
    let mut app = App {
        id: String::new(),
        tenant_id: owner.tenant_id,
        project_id: owner.project_id,
        name: text("name", new.name, 255)?,
        description: new.description.map(|description| text("description", description, 2000)).transpose()?,
        r#type: config.app_type(),
        default_agent_id: new.default_agent_id.map(|id| text("defaultAgentId", id, 255)).transpose()?,
        enabled: new.enabled.unwrap_or(true),
        config,
        last_used_at: None,
        created_at: now,
        updated_at: now,
    };
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

/// The project's apps, the newest first.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/projects/{projectId}/apps",
    tag = "apps",
    security(("managementKey" = [])),
    params(
        OwnerParameters,
        ListParameters,
        ("type" = Option<AppType>, Query, description = "Of this kind alone"),
    ),
    responses(
        (status = 200, description = "A page of them", body = AppList),
        (status = 401, description = "The management key is missing or wrong"),
        (status = 422, description = "A parameter is wrong; `field` names it"),
    )
)]
pub(super) async fn list_apps(
    State(state): State<AppState>,
    OwnedBy(owner): OwnedBy,
    query: ListQuery,
) -> Result<Json<AppList>, Error> {
    let app_type = query.parameter("type").map(app_type).transpose()?;
    let page = state.store.list_apps(&owner, app_type, query.page).await?;
    let pagination = Pagination::of(query.page, &page);
    Ok(Json(AppList { data: page.items, pagination }))
}

/// One app.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/projects/{projectId}/apps/{id}",
    tag = "apps",
    security(("managementKey" = [])),
    params(OwnerParameters, ("id" = String, Path, description = "The app's id")),
    responses(
        (status = 200, description = "The app", body = AppAnswer),
        (status = 401, description = "The management key is missing or wrong"),
        (status = 404, description = "The project has no such app"),
        (status = 422, description = "The tenant's or the project's id is none"),
    )
)]
pub(super) async fn read_app(
    State(state): State<AppState>,
    OwnedBy(owner): OwnedBy,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Result<Json<AppAnswer>, Error> {
    let app = state.store.find_app(&id).await?;
    let app = app.filter(|app| app.tenant_id == owner.tenant_id && app.project_id == owner.project_id);
    Ok(Json(AppAnswer { data: app.ok_or(Error::AppNotFound)? }))
}

/// Changes an app.
#[utoipa::path(
    patch,
    path = "/tenants/{tenantId}/projects/{projectId}/apps/{id}",
    tag = "apps",
    security(("managementKey" = [])),
    params(OwnerParameters, ("id" = String, Path, description = "The app's id")),
    request_body = AppChange,
    responses(
        (status = 200, description = "The app as it is now", body = AppAnswer),
        (status = 401, description = "The management key is missing or wrong"),
        (status = 404, description = "The project has no such app"),
        (status = 422, description = "A member is wrong; `field` names it"),
    )
)]
pub(super) async fn change_app(
    State(state): State<AppState>,
    OwnedBy(owner): OwnedBy,
    Path((_, _, id)): Path<(String, String, String)>,
    JsonBody(change): JsonBody<AppChange>,
) -> Result<Json<AppAnswer>, Error> {
    let now = state.clock.now();
    let app = state.store.change_app(&owner, &id, now, |app| change.apply(app)).await?;
    Ok(Json(AppAnswer { data: app.ok_or(Error::AppNotFound)? }))
}

/// Deletes an app, and its conversations soon after. Its sessions are good for nothing from then on.
#[utoipa::path(
    delete,
    path = "/tenants/{tenantId}/projects/{projectId}/apps/{id}",
    tag = "apps",
    security(("managementKey" = [])),
    params(OwnerParameters, ("id" = String, Path, description = "The app's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 401, description = "The management key is missing or wrong"),
        (status = 404, description = "The project has no such app"),
        (status = 422, description = "The tenant's or the project's id is none"),
    )
)]
pub(super) async fn delete_app(
    State(state): State<AppState>,
    OwnedBy(owner): OwnedBy,
    Path((_, _, id)): Path<(String, String, String)>,
) -> Result<StatusCode, Error> {
    if state.store.delete_app(&owner, &id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Error::AppNotFound)
    }
}

impl AppChange {
    fn apply(self, app: &mut App) -> Result<(), Error> {
        if self.r#type.as_deref().is_some_and(|name| app_type(name).ok() != Some(app.r#type)) {
            return Err(Error::field("type", format!("must be `{}`, as it was", app.r#type.name())));
        }
        if let Some(name) = self.name {
            app.name = text("name", name.ok_or_else(|| Error::field("name", "must not be null"))?, 255)?;
        }
        if let Some(description) = self.description {
            app.description = description.map(|text_| text("description", text_, 2000)).transpose()?;
        }
        if let Some(id) = self.default_agent_id {
            app.default_agent_id = id.map(|id| text("defaultAgentId", id, 255)).transpose()?;
        }
        if let Some(config) = self.config {
            app.config = config.check(app.r#type, Some(&app.config))?;
        }
        app.enabled = self.enabled.unwrap_or(app.enabled);
        Ok(())
    }
}

fn app_type(name: &str) -> Result<AppType, Error> {
    AppType::from_name(name).ok_or_else(|| Error::field("type", "must be `web_client` or `api`"))
}

impl ConfigInput {
    /// What it makes of the config of before, if there was one.
    fn check(self, app_type: AppType, before: Option<&AppConfig>) -> Result<AppConfig, Error> {
        let name = app_type.name();
        if self.r#type != name {
            return Err(Error::field("config.type", format!("must be `{name}`, as the app's type")));
        }
        match (app_type, before, self.web_client) {
            (AppType::Api, _, _) => Ok(AppConfig::Api {}),
            (AppType::WebClient, Some(before), None) => Ok(before.clone()),
            (AppType::WebClient, None, None) => {
                Err(Error::field("config.webClient", "is required for a web client"))
            }
            (AppType::WebClient, before, Some(input)) => {
                let before = match before {
                    Some(AppConfig::WebClient { web_client }) => Some(web_client),
                    _ => None,
                };
                Ok(AppConfig::WebClient { web_client: input.check(before)? })
            }
        }
    }
}

impl WebClientInput {
    fn check(self, before: Option<&WebClient>) -> Result<WebClient, Error> {
        let before_domains = before.map(|before| before.allowed_domains.clone());
        let allowed_domains = match (self.allowed_domains, before_domains) {
            (Some(entries), _) => domains(entries)?,
            (None, Some(before)) => before,
            (None, None) => return Err(Error::field(DOMAINS, "is required")),
        };
        let before = before.is_none_or(|before| before.allow_anonymous);
        Ok(WebClient { allowed_domains, allow_anonymous: self.allow_anonymous.unwrap_or(before) })
    }
}

const DOMAINS: &str = "config.webClient.allowedDomains";

fn domains(entries: Vec<String>) -> Result<Vec<AllowedDomain>, Error> {
    if !(1..=100).contains(&entries.len()) {
        return Err(Error::field(DOMAINS, "must have 1 to 100 entries"));
    }
    let entries = entries.iter().enumerate();
    let check = |(index, entry): (usize, &String)| {
        entry
            .parse()
            .map_err(|error: InvalidDomain| Error::field(format!("{DOMAINS}[{index}]"), error.to_string()))
    };
    entries.map(check).collect()
}
