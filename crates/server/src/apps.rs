use crate::{AllowedDomain, Error, PowVersion, UserKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a widget is registered as: who owns it, where it may run, and which agent answers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct App {
    /// `app_` and at least 16 of a-z0-9.
    #[schema(example = "app_demo000000000000")]
    pub id: String,
    /// The tenant that owns it.
    pub tenant_id: String,
    /// The tenant's project that it belongs to.
    pub project_id: String,
    /// What people call it.
    pub name: String,
    /// What people say about it.
    pub description: Option<String>,
    /// The kind, the same as `config.type`.
    pub r#type: AppType,
    /// The agent that answers; without one the server's own does.
    pub default_agent_id: Option<String>,
    /// The instructions that the agent receives before a conversation. Visitors never see them.
    pub prompt: Option<String>,
    /// Whether it may be used.
    pub enabled: bool,
    /// What belongs to its kind.
    pub config: AppConfig,
    /// When it last gave out a session, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Who owns apps and API keys: one project of a tenant, which never sees another's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The tenant.
    pub tenant_id: String,
    /// The tenant's project.
    pub project_id: String,
}

impl App {
    /// The settings of a web client.
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

    /// The settings of a web client that may give out anonymous sessions.
    ///
    /// # Errors
    ///
    /// [`Error::AppTypeNotSupported`], [`Error::AnonymousNotAllowed`]
    pub(crate) fn anonymous_web_client(&self) -> Result<&WebClient, Error> {
        let web_client = self.web_client()?;
        if web_client.allow_anonymous { Ok(web_client) } else { Err(Error::AnonymousNotAllowed) }
    }
}

/// The kinds of app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppType {
    /// Pages in browsers, told apart by their origin.
    WebClient,
    /// Servers, told apart by their key.
    Api,
}

impl AppType {
    /// The name that the kind has in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebClient => "web_client",
            Self::Api => "api",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::WebClient, Self::Api].into_iter().find(|kind| kind.name() == name)
    }
}

/// What belongs to an app's kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AppConfig {
    /// Pages in browsers.
    WebClient {
        /// Where it may run.
        #[serde(rename = "webClient")]
        web_client: WebClient,
    },
    /// Servers.
    Api {},
}

impl AppConfig {
    /// Only the kind.
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
    /// The pages that may use it; at least one.
    #[schema(value_type = Vec<String>, min_items = 1, example = json!(["docs.example.com"]))]
    pub allowed_domains: Vec<AllowedDomain>,
    /// Whether visitors without an account get sessions.
    pub allow_anonymous: bool,
    /// The keys that verify the tokens of signed-in users. They are changed by routes of their own.
    pub public_keys: Vec<UserKey>,
    /// What the `aud` of such a token must contain; without it any is accepted.
    pub audience: Option<String>,
    /// The only version of the proof of work that the app takes; `null`: what the server is configured for.
    #[serde(default)]
    pub pow_version: Option<PowVersion>,
}
