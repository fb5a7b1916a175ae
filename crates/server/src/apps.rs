use crate::{AllowedDomain, Error, PowVersion, UserKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An app: its owner, the pages that may use it, and its agent.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct App {
    /// `app_` and at least 16 of a-z0-9.
    #[schema(example = "app_demo000000000000")]
    pub id: String,
    /// The tenant that owns the app.
    pub tenant_id: String,
    /// The project of the tenant.
    pub project_id: String,
    /// The name that operators see.
    pub name: String,
    /// The description that operators see.
    pub description: Option<String>,
    /// The type, the same as `config.type`.
    pub r#type: AppType,
    /// The id of the agent that replies; `null`: the server's default agent.
    pub default_agent_id: Option<String>,
    /// The instructions that the agent receives before a conversation. Visitors never see them.
    pub prompt: Option<String>,
    /// Whether the app is enabled.
    pub enabled: bool,
    /// The settings of the app's type.
    pub config: AppConfig,
    /// The time when the app's last session was opened, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// The time of the creation.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The time of the last change.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// The owner of apps and API keys: a project of a tenant. A project cannot see the apps and keys of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The tenant.
    pub tenant_id: String,
    /// The project of the tenant.
    pub project_id: String,
}

impl App {
    /// Returns the settings of a web client.
    ///
    /// # Errors
    ///
    /// [`Error::AppTypeNotSupported`]
    pub(crate) fn web_client(&self) -> Result<&WebClient, Error> {
        match &self.config {
            AppConfig::WebClient { web_client } => Ok(web_client),
            AppConfig::Api {} => Err(Error::AppTypeNotSupported),
        }
    }

    /// Returns the settings of a web client that allows anonymous sessions.
    ///
    /// # Errors
    ///
    /// [`Error::AppTypeNotSupported`], [`Error::AnonymousNotAllowed`]
    pub(crate) fn anonymous_web_client(&self) -> Result<&WebClient, Error> {
        let web_client = self.web_client()?;
        if web_client.allow_anonymous { Ok(web_client) } else { Err(Error::AnonymousNotAllowed) }
    }
}

/// The types of app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppType {
    /// Pages in browsers, identified by their origin.
    WebClient,
    /// Servers, identified by their key.
    Api,
}

impl AppType {
    /// Returns the name of the type in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebClient => "web_client",
            Self::Api => "api",
        }
    }

    /// Returns the type with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::WebClient, Self::Api].into_iter().find(|kind| kind.name() == name)
    }
}

/// The settings of the app's type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AppConfig {
    /// Pages in browsers.
    WebClient {
        /// The settings of the web client.
        #[serde(rename = "webClient")]
        web_client: WebClient,
    },
    /// Servers.
    Api {},
}

impl AppConfig {
    /// Only the type.
    #[must_use]
    pub fn app_type(&self) -> AppType {
        match self {
            Self::WebClient { .. } => AppType::WebClient,
            Self::Api {} => AppType::Api,
        }
    }
}

/// The settings of a web client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebClient {
    /// The pages that may use the app; at least one.
    #[schema(value_type = Vec<String>, min_items = 1, example = json!(["docs.example.com"]))]
    pub allowed_domains: Vec<AllowedDomain>,
    /// Whether visitors without an account can open sessions.
    pub allow_anonymous: bool,
    /// The keys that verify the tokens of signed-in users. Separate routes change them.
    pub public_keys: Vec<UserKey>,
    /// The value that the `aud` of a signed-in user's token must contain; if absent, any `aud` is accepted.
    pub audience: Option<String>,
    /// The only version of the proof of work that the app accepts; `null`: the configured versions.
    #[serde(default)]
    pub pow_version: Option<PowVersion>,
}
