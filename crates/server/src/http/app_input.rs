//! Reads and checks the app in a request body. An error names the invalid member.

use super::user_key_input::{self, UserKeyInput};
use super::validation::text;
use crate::{AllowedDomain, App, AppConfig, AppType, Error, InvalidDomain, Owner, PowVersion, WebClient};
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// A new app.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewApp {
    name: String,
    description: Option<String>,
    r#type: String,
    default_agent_id: Option<String>,
    prompt: Option<String>,
    #[serde(default, deserialize_with = "not_null")]
    enabled: Option<bool>,
    config: ConfigInput,
}

/// A new app.
#[derive(ToSchema)]
#[schema(as = NewApp, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes what `NewApp` is checked for: the type, and the settings of the type")]
pub(super) struct NewAppDescription {
    /// The name that operators see, 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The description that operators see, 1 to 2000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    description: Option<String>,
    /// The id of the agent that replies; if absent, the server's default agent replies.
    #[schema(min_length = 1, max_length = 255)]
    default_agent_id: Option<String>,
    /// The instructions that the agent receives before a conversation, 1 to 20000 characters.
    #[schema(min_length = 1, max_length = 20000)]
    prompt: Option<String>,
    /// Whether the app is enabled (default `true`).
    #[schema(value_type = bool, required = false)]
    enabled: Option<bool>,
    #[serde(flatten)]
    kind: NewKind,
}

/// The type of a new app.
#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(dead_code, reason = "a part of `NewAppDescription`")]
enum NewKind {
    /// Pages in browsers.
    WebClient { config: NewWebClientConfig },
    /// Servers.
    Api { config: NewApiConfig },
}

#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(dead_code, reason = "a part of `NewAppDescription`")]
enum NewWebClientConfig {
    WebClient {
        #[serde(rename = "webClient")]
        web_client: WebClientInput,
    },
}

#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(dead_code, reason = "a part of `NewAppDescription`")]
enum NewApiConfig {
    Api {},
}

/// Changes of an app. An absent member keeps its value; `null` removes a description, an agent or a prompt.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AppChange {
    /// The name that operators see, 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = String, required = false)]
    name: Option<Option<String>>,
    /// The description that operators see, 1 to 2000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    /// The present type: the type of an app cannot change.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = AppType, required = false)]
    r#type: Option<String>,
    /// The id of the agent that replies; if absent, the server's default agent replies.
    #[schema(min_length = 1, max_length = 255)]
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    default_agent_id: Option<Option<String>>,
    /// The instructions that the agent receives before a conversation, 1 to 20000 characters.
    #[schema(min_length = 1, max_length = 20000)]
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    prompt: Option<Option<String>>,
    /// Whether the app is enabled.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = bool, required = false)]
    enabled: Option<bool>,
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = ConfigInput, required = false)]
    config: Option<ConfigInput>,
}

/// Distinguishes a member that is `null` from one that is absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Reads a member that may be absent, but must not be `null`.
pub(super) fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Option::deserialize(deserializer)?;
    value.map(Some).ok_or_else(|| D::Error::custom("must not be null: send a value, or omit the member"))
}

/// The settings of the app's type.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigInput {
    /// The same as the app's `type`.
    #[schema(value_type = AppType)]
    r#type: String,
    /// Required for a new web client. An app of type `api` has none.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = WebClientInput, required = false)]
    web_client: Option<WebClientInput>,
}

/// The pages that may use the app.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WebClientInput {
    /// `*`, `*.example.com`, `docs.example.com` or `localhost:3000`.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(min_items = 1, max_items = 100, required = true, value_type = Vec<String>)]
    allowed_domains: Option<Vec<String>>,
    /// Whether visitors without an account can open sessions (default `true`; `false` for a new app with `publicKeys`).
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = bool, required = false)]
    allow_anonymous: Option<bool>,
    /// The keys of a new app. Later only `…/apps/{id}/auth/keys` changes them: a change of the app repeats them or omits
    /// them.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(max_items = 20, value_type = Vec<UserKeyInput>, required = false)]
    public_keys: Option<Vec<UserKeyInput>>,
    /// The value that the `aud` of a signed-in user's token must contain, 1 to 255 characters; `null` removes it.
    #[schema(min_length = 1, max_length = 255)]
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    audience: Option<Option<String>>,
    /// The only version of the proof of work that the app accepts; `null` or absent: the configured versions.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<PowVersion>)]
    pow_version: Option<Option<u64>>,
}

impl NewApp {
    /// Returns the app, without an id.
    pub(super) fn check(self, owner: Owner, now: Timestamp) -> Result<App, Error> {
        let config = self.config.check(app_type(&self.r#type)?, None, now)?;
        Ok(App {
            id: String::new(),
            tenant_id: owner.tenant_id,
            project_id: owner.project_id,
            name: text("name", self.name, 255)?,
            description: self.description.map(|words| text("description", words, 2000)).transpose()?,
            r#type: config.app_type(),
            default_agent_id: self.default_agent_id.map(|id| text("defaultAgentId", id, 255)).transpose()?,
            prompt: self.prompt.map(prompt).transpose()?,
            enabled: self.enabled.unwrap_or(true),
            config,
            last_used_at: None,
            created_at: now,
            updated_at: now,
        })
    }
}

impl AppChange {
    /// Changes the app, or returns the error of an invalid member.
    pub(super) fn apply(self, app: &mut App, now: Timestamp) -> Result<(), Error> {
        if self.r#type.as_deref().map(app_type).transpose()?.is_some_and(|other| other != app.r#type) {
            return Err(Error::AppTypeFixed);
        }
        if let Some(name) = self.name {
            app.name = text("name", name.ok_or_else(|| Error::field("name", "must not be null"))?, 255)?;
        }
        if let Some(description) = self.description {
            app.description = description.map(|words| text("description", words, 2000)).transpose()?;
        }
        if let Some(id) = self.default_agent_id {
            app.default_agent_id = id.map(|id| text("defaultAgentId", id, 255)).transpose()?;
        }
        if let Some(text) = self.prompt {
            app.prompt = text.map(prompt).transpose()?;
        }
        if let Some(config) = self.config {
            if app_type(&config.r#type).is_ok_and(|other| other != app.r#type) {
                return Err(Error::AppTypeFixed);
            }
            app.config = config.check(app.r#type, Some(&app.config), now)?;
        }
        app.enabled = self.enabled.unwrap_or(app.enabled);
        Ok(())
    }
}

fn prompt(words: String) -> Result<String, Error> {
    text("prompt", words, 20_000)
}

pub(super) fn app_type(name: &str) -> Result<AppType, Error> {
    AppType::from_name(name).ok_or_else(|| Error::field("type", "must be `web_client` or `api`"))
}

impl ConfigInput {
    /// Returns the new config. `before` is the present one, if there is one.
    fn check(
        self,
        app_type: AppType,
        before: Option<&AppConfig>,
        now: Timestamp,
    ) -> Result<AppConfig, Error> {
        let name = app_type.name();
        if self.r#type != name {
            return Err(Error::field("config.type", format!("must be `{name}`, as the app's type")));
        }
        match (app_type, before, self.web_client) {
            (AppType::Api, _, None) => Ok(AppConfig::Api {}),
            (AppType::Api, _, Some(_)) => {
                Err(Error::field("config.webClient", "must be left out: only a `web_client` app has it"))
            }
            (AppType::WebClient, Some(before), None) => Ok(before.clone()),
            (AppType::WebClient, None, None) => {
                Err(Error::field("config.webClient", "is required for a web client"))
            }
            (AppType::WebClient, before, Some(input)) => {
                let before = match before {
                    Some(AppConfig::WebClient { web_client }) => Some(web_client),
                    _ => None,
                };
                Ok(AppConfig::WebClient { web_client: input.check(before, now)? })
            }
        }
    }
}

impl WebClientInput {
    fn check(self, before: Option<&WebClient>, now: Timestamp) -> Result<WebClient, Error> {
        let before_domains = before.map(|before| before.allowed_domains.clone());
        let allowed_domains = match (self.allowed_domains, before_domains) {
            (Some(entries), _) => domains(entries)?,
            (None, Some(before)) => before,
            (None, None) => return Err(Error::field(DOMAINS, "is required")),
        };
        let public_keys = match before {
            None => user_key_input::check_all(KEYS, self.public_keys.unwrap_or_default(), now)?,
            Some(before) => user_key_input::unchanged(KEYS, self.public_keys, &before.public_keys)?,
        };
        let audience = match self.audience {
            Some(audience) => {
                audience.map(|words| text("config.webClient.audience", words, 255)).transpose()?
            }
            None => before.and_then(|before| before.audience.clone()),
        };
        // An app that is created with keys is for signed-in users.
        let default = before.map_or(public_keys.is_empty(), |before| before.allow_anonymous);
        let allow_anonymous = self.allow_anonymous.unwrap_or(default);
        let pow_version = match self.pow_version {
            Some(version) => version.map(pow_version).transpose()?,
            None => before.and_then(|before| before.pow_version),
        };
        Ok(WebClient { allowed_domains, allow_anonymous, public_keys, audience, pow_version })
    }
}

fn pow_version(number: u64) -> Result<PowVersion, Error> {
    let wrong = || Error::field("config.webClient.powVersion", "must be 1, 2 or null");
    PowVersion::from_number(number).ok_or_else(wrong)
}

const KEYS: &str = "config.webClient.publicKeys";

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
