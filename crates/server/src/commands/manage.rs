//! `migrate`, `app` and `key`: work on the database without a running server.
//!
//! The commands send requests to the management API within the process, so that its checks and log lines are the same.

use crate::{CommandError, logging};
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use jiff::Timestamp;
use saltmine_server::config::{
    AuditArguments, ConfigError, DatabaseArguments, ListAppsArguments, NewAppArguments, NewKeyArguments,
    OwnerArguments,
};
use saltmine_server::{AppState, ManagementSettings, Random, RequestHandler, Settings, Store, SystemRandom};
use serde_json::{Value, json};
use std::io::{self, Write};

/// The maximum size of a response, in bytes: a page of apps is smaller.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// The number of apps on a page.
const PAGE_SIZE: u64 = 100;

/// Brings the tables up to date.
pub(crate) async fn migrate(database: &DatabaseArguments) -> Result<(), CommandError> {
    logging::start_for_command(&database.log)?;
    open(database).await?.close().await;
    print("The tables of the database are up to date.\n");
    Ok(())
}

/// Creates a web client and prints its id.
pub(crate) async fn create_app(arguments: NewAppArguments) -> Result<(), CommandError> {
    let NewAppArguments { name, domains, agent, prompt, owner, database, audit } = arguments;
    let mut body = json!({
        "name": name,
        "type": "web_client",
        "config": { "type": "web_client", "webClient": { "allowedDomains": domains } },
    });
    for (member, value) in [("defaultAgentId", agent), ("prompt", prompt)] {
        if let Some(value) = value {
            body[member] = value.into();
        }
    }
    let api = ManagementApi::open(&database, &audit).await?;
    let created = api.call(Method::POST, &path(&owner, "apps"), Some(body)).await?;
    print(&format!("{}\n", text(&created["data"]["app"]["id"])));
    Ok(())
}

/// Prints the apps of a project.
pub(crate) async fn list_apps(arguments: ListAppsArguments) -> Result<(), CommandError> {
    let ListAppsArguments { owner, database, audit } = arguments;
    let api = ManagementApi::open(&database, &audit).await?;
    for page in 1.. {
        let path = format!("{}?page={page}&limit={PAGE_SIZE}", path(&owner, "apps"));
        let list = api.call(Method::GET, &path, None).await?;
        let apps = list["data"].as_array().map_or(&[][..], Vec::as_slice);
        for app in apps {
            let domains = app["config"]["webClient"]["allowedDomains"].as_array();
            let domains: Vec<_> = domains.into_iter().flatten().map(text).collect();
            let columns = [text(&app["id"]), text(&app["type"]), text(&app["name"]), domains.join(",")];
            print(&format!("{}\n", columns.join("\t")));
        }
        if (apps.len() as u64) < PAGE_SIZE {
            break;
        }
    }
    Ok(())
}

/// Creates an API key and prints its secret.
pub(crate) async fn create_key(arguments: NewKeyArguments) -> Result<(), CommandError> {
    let NewKeyArguments { name, agent, expires_at, owner, database, audit } = arguments;
    let mut body = json!({ "name": name, "agentId": agent });
    if let Some(time) = expires_at {
        let must = "a time such as 2030-01-31T00:00:00Z".to_owned();
        let Ok(parsed) = time.parse::<Timestamp>() else {
            return Err(ConfigError::Invalid { name: "--expires-at", value: time, must }.into());
        };
        body["expiresAt"] = parsed.to_string().into();
    }
    let api = ManagementApi::open(&database, &audit).await?;
    let created = api.call(Method::POST, &path(&owner, "api-keys"), Some(body)).await?;
    print(&format!("{}\n", text(&created["data"]["key"])));
    Ok(())
}

/// Returns the management API on a database, for this process.
struct ManagementApi {
    handler: RequestHandler,
    key: String,
}

impl ManagementApi {
    async fn open(database: &DatabaseArguments, audit: &AuditArguments) -> Result<Self, CommandError> {
        logging::start_for_command(&database.log)?;
        let management = ManagementSettings { audit_entries: audit.checked_entries()?, read_key: None };
        let store = open(database).await?;
        let key = SystemRandom.lowercase(48).map_err(CommandError::Random)?;
        // No token is signed here: the key serves as the secret that the settings require.
        let settings = Settings {
            management_key: Some(key.clone().into()),
            management,
            ..Settings::new(key.clone().into())
        };
        let state = AppState::builder(settings, store).build().map_err(CommandError::Random)?;
        Ok(Self { handler: RequestHandler::admin(state), key })
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, CommandError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.map_or_else(String::new, |body| body.to_string())))
            .map_err(|error| CommandError::Refused(error.to_string()))?;
        let response = self.handler.handle(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), MAX_RESPONSE_BYTES).await;
        let bytes = bytes.map_err(|error| CommandError::Failed(error.to_string()))?;
        let json: Value =
            serde_json::from_slice(&bytes).map_err(|error| CommandError::Failed(error.to_string()))?;
        match status {
            status if status.is_success() => Ok(json),
            status if status.is_client_error() => Err(CommandError::Refused(text(&json["detail"]))),
            status => Err(CommandError::Failed(status.to_string())),
        }
    }
}

async fn open(database: &DatabaseArguments) -> Result<Store, CommandError> {
    let connections = database.checked_connections()?;
    Ok(Store::open_with(&database.url, connections).await?)
}

fn path(OwnerArguments { tenant, project }: &OwnerArguments, resource: &str) -> String {
    // The API rejects ids with other characters than those that a path may contain.
    let encode = |id: &str| url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>();
    format!("/manage/tenants/{}/projects/{}/{resource}", encode(tenant), encode(project))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Prints to stdout. A closed stdout is not an error.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
