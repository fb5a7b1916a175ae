use super::body::JsonBody;
use super::end_user::bearer;
use super::problem::Problem;
use crate::{AllowedDomain, App, AppConfig, AppState, Error, WebClient};
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An app to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewApp {
    /// What people call it, 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What people say about it, at most 2000 characters.
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// `web_client` or `api`.
    r#type: String,
    /// The agent that answers; without one the server's own does.
    #[schema(max_length = 255)]
    default_agent_id: Option<String>,
    /// Whether it may be used at once: true by default.
    enabled: Option<bool>,
    config: NewConfig,
}

/// What belongs to the app's kind.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NewConfig {
    /// The same as the app's `type`.
    r#type: String,
    /// Required if the type is `web_client`.
    web_client: Option<NewWebClient>,
}

/// Where the app may run.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NewWebClient {
    /// `*`, `*.example.com`, `docs.example.com` or `localhost:3000`.
    #[schema(min_items = 1, max_items = 100)]
    allowed_domains: Vec<String>,
    /// Whether visitors without an account get sessions: true by default.
    allow_anonymous: Option<bool>,
}

/// What a management call gives back.
#[derive(Serialize, ToSchema)]
pub(super) struct AppCreated {
    data: AppCreatedData,
}

#[derive(Serialize, ToSchema)]
struct AppCreatedData {
    app: App,
}

/// Makes an app.
#[utoipa::path(
    post,
    path = "/tenants/{tenantId}/projects/{projectId}/apps",
    tag = "apps",
    security(("managementKey" = [])),
    params(
        ("tenantId" = String, Path, description = "The tenant that owns the app"),
        ("projectId" = String, Path, description = "The project that it belongs to"),
    ),
    request_body = NewApp,
    responses(
        (status = 201, description = "The app", body = AppCreated),
        (status = 401, description = "The management key is missing or wrong", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "A member is wrong; `field` names it", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_app(
    State(state): State<AppState>,
    Path((tenant_id, project_id)): Path<(String, String)>,
    JsonBody(new): JsonBody<NewApp>,
) -> Result<impl IntoResponse, Error> {
    let now = state.clock.now();
    let config = new.config.check(&new.r#type)?;
    let mut app = App {
        id: String::new(),
        tenant_id: owner("tenantId", tenant_id)?,
        project_id: owner("projectId", project_id)?,
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

/// Refuses every call of the management API without its key. With no key configured, no call has it.
pub(super) async fn require_management_key(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let key = state.settings.management_key.as_ref();
    let given = bearer(request.headers());
    match (key, given) {
        (Some(key), Some(given)) if key.matches(given) => next.run(request).await,
        _ => Error::ManagementKey.into_response(),
    }
}

impl NewConfig {
    fn check(self, app_type: &str) -> Result<AppConfig, Error> {
        if !matches!(app_type, "web_client" | "api") {
            return Err(Error::field("type", "must be `web_client` or `api`"));
        }
        if self.r#type != app_type {
            return Err(Error::field("config.type", format!("must be `{app_type}`, as the app's type")));
        }
        if app_type == "api" {
            return Ok(AppConfig::Api {});
        }
        let web_client = self
            .web_client
            .ok_or_else(|| Error::field("config.webClient", "is required for a web client"))?;
        Ok(AppConfig::WebClient { web_client: web_client.check()? })
    }
}

impl NewWebClient {
    fn check(self) -> Result<WebClient, Error> {
        const FIELD: &str = "config.webClient.allowedDomains";
        if !(1..=100).contains(&self.allowed_domains.len()) {
            return Err(Error::field(FIELD, "must have 1 to 100 entries"));
        }
        let entries = self.allowed_domains.into_iter().enumerate();
        let allowed_domains = entries
            .map(|(index, entry)| {
                AllowedDomain::try_from(entry)
                    .map_err(|error| Error::field(format!("{FIELD}[{index}]"), error.to_string()))
            })
            .collect::<Result<_, _>>()?;
        Ok(WebClient { allowed_domains, allow_anonymous: self.allow_anonymous.unwrap_or(true) })
    }
}

/// A text that says something, without the space around it.
fn text(field: &str, text: String, max_characters: usize) -> Result<String, Error> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.chars().count() > max_characters {
        return Err(Error::field(field, format!("must have 1 to {max_characters} characters")));
    }
    Ok(trimmed.to_owned())
}

/// The id of a tenant or project, as it stands in paths and tokens.
fn owner(field: &str, id: String) -> Result<String, Error> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if (1..=255).contains(&id.len()) && id.bytes().all(is_plain) {
        Ok(id)
    } else {
        Err(Error::field(field, "must have 1 to 255 of A-Z, a-z, 0-9, `-`, `_` and `.`"))
    }
}
