//! The configuration: environment variables or arguments, which this module checks.

mod arguments;
mod command;
mod environment;
mod error;
mod limits;
mod log;
mod management;
mod proof_of_work;
mod summary;

pub use arguments::Arguments;
pub use command::{
    AppCommand, Command, DatabaseArguments, HealthArguments, KeyCommand, ListAppsArguments, LogArguments,
    NewAppArguments, NewKeyArguments, OwnerArguments,
};
pub use error::ConfigError;
pub use limits::LimitArguments;
pub use log::LogFormat;
pub use management::{AuditArguments, ManagementArguments};
pub use summary::{SummaryLine, price};

use crate::development::{self, GeneratedSecrets, SecretsError};
use crate::store::StoreKind;
use crate::{ChatCompletionsSettings, ContextBudget, Random, RateLimit, Secret, Settings};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;
use url::Url;

/// The fewest characters of a secret that signs.
const SECRET_CHARACTERS: usize = 32;

/// The fewest characters of the management key, in production.
const KEY_CHARACTERS: usize = 16;

/// The checked configuration.
// No `Debug`: it would show the database's password.
#[derive(Clone)]
pub struct Config {
    /// The environment.
    pub environment: Environment,
    /// The address to listen on.
    pub host: String,
    /// The port to listen on; 0 is any that is free.
    pub port: u16,
    /// The address of the admin listener, if there is one.
    pub admin_address: Option<SocketAddr>,
    /// After SIGTERM, the time to report that the server is not ready before its socket is closed.
    pub drain_time: Duration,
    /// The database.
    pub database_url: String,
    /// Connections to PostgreSQL at most.
    pub database_connections: u32,
    /// The settings of the agent that requests chat completions from a service, if there is one.
    pub agent: Option<ChatCompletionsSettings>,
    /// The secrets that were generated because the environment had none, if any.
    pub generated_secrets: Option<GeneratedSecrets>,
    /// The settings of the handlers.
    pub settings: Settings,
}

/// The environment that the server runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Production: the operator sets every secret.
    Production,
    /// Development: missing secrets are generated.
    Development,
}

impl Arguments {
    /// Checks every value, and generates missing secrets in development.
    ///
    /// An empty secret turns its feature off, in development too. The secret of tokens is required: an empty one is
    /// missing.
    ///
    /// # Errors
    ///
    /// The first invalid value.
    pub fn check(self, random: &dyn Random) -> Result<Config, ConfigError> {
        self.check_with(|folder| development::secrets(folder, random))
    }

    /// The same without writing a file: missing secrets in development are generated and not stored.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check), but for a state folder that cannot be written.
    pub fn check_only(self, random: &dyn Random) -> Result<Config, ConfigError> {
        self.check_with(|folder| development::secrets_without_storing(folder, random))
    }

    fn check_with(
        mut self,
        secrets: impl FnOnce(&Path) -> Result<GeneratedSecrets, SecretsError>,
    ) -> Result<Config, ConfigError> {
        self.anon_jwt_secret = self.anon_jwt_secret.filter(|secret| !secret.is_empty());
        let environment = match &*self.environment {
            "production" => Environment::Production,
            "development" => Environment::Development,
            _ => return Err(invalid("SALTMINE_ENV", &self.environment, "production or development")),
        };
        let generated_secrets = match environment {
            Environment::Development => self.generate_missing_secrets(secrets)?,
            Environment::Production => None,
        };
        let token_secret = self.anon_jwt_secret.as_deref().ok_or(ConfigError::NoTokenSecret)?;
        let agent_timeout = seconds("SALTMINE_AGENT_TIMEOUT_SECONDS", &self.agent_timeout_seconds)?;
        let management_key = self.management_key(environment)?;
        let settings = Settings {
            proof_of_work: self.proof_of_work()?,
            second_token_secret: second("INKEEP_ANON_JWT_SECRET_SECOND", &self.anon_jwt_secret_second)?,
            session_lifetime_seconds: number(
                "INKEEP_ANON_SESSION_LIFETIME_SECONDS",
                &self.anon_session_lifetime_seconds,
                60,
                2_592_000,
            )? as u32,
            is_development: environment == Environment::Development,
            management: self.management.check(environment, management_key.as_ref())?,
            management_key,
            rate_limit: rate_limit(&self.rate_limit)?,
            limits: self.limits.check()?,
            trusted_proxies: networks(&self.trusted_proxies)?,
            max_connections: positive("SALTMINE_MAX_CONNECTIONS", &self.max_connections)?,
            max_connections_per_address: positive(
                "SALTMINE_MAX_CONNECTIONS_PER_ADDRESS",
                &self.max_connections_per_address,
            )?,
            agent_timeout,
            agent_prompt: self.agent_prompt.clone().filter(|prompt| !prompt.trim().is_empty()),
            context_budget: ContextBudget {
                bytes: context_size("SALTMINE_AGENT_CONTEXT_BYTES", &self.agent_context_bytes)?,
                tokens: context_size("SALTMINE_AGENT_CONTEXT_TOKENS", &self.agent_context_tokens)?,
            },
            finish_time: seconds("SALTMINE_SHUTDOWN_SECONDS", &self.shutdown_seconds)?,
            retention: retention(&self.retention_days)?,
            static_dir: self.static_dir.clone().filter(|folder| !folder.as_os_str().is_empty()),
            ..Settings::new(secret("INKEEP_ANON_JWT_SECRET", token_secret, SECRET_CHARACTERS, "")?)
        };
        if let Some(folder) = settings.static_dir.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(invalid("SALTMINE_STATIC_DIR", &folder.display().to_string(), "an existing folder"));
        }
        if let Some(folder) = &settings.static_dir {
            self.require_public(folder, environment)?;
        }
        if StoreKind::of(&self.database.url).is_none() {
            return Err(ConfigError::Database);
        }
        self.database.log.check()?;
        Ok(Config {
            environment,
            port: number("PORT", &self.port, 0, u64::from(u16::MAX))? as u16,
            admin_address: admin_address(self.admin_address.as_deref())?,
            drain_time: Duration::from_secs(number("SALTMINE_DRAIN_SECONDS", &self.drain_seconds, 0, 3600)?),
            database_connections: self.database.checked_connections()?,
            agent: self.agent(agent_timeout)?,
            host: self.host,
            database_url: self.database.url,
            generated_secrets,
            settings,
        })
    }

    /// Refuses a folder of static files that contains the database or the generated secrets.
    fn require_public(&self, folder: &Path, environment: Environment) -> Result<(), ConfigError> {
        let contains = |file: &Path| {
            // The file itself may not exist yet.
            let parent =
                file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            match (folder.canonicalize(), parent.canonicalize()) {
                (Ok(folder), Ok(parent)) => parent.starts_with(folder),
                _ => false,
            }
        };
        let private = match StoreKind::of(&self.database.url) {
            Some(StoreKind::Sqlite(file)) if contains(&file) => "the database",
            _ if environment == Environment::Development && contains(&self.state_dir.join("x")) => {
                "the generated secrets"
            }
            _ => return Ok(()),
        };
        Err(ConfigError::StaticFolder { folder: folder.display().to_string(), private })
    }

    fn management_key(&self, environment: Environment) -> Result<Option<Secret>, ConfigError> {
        const NAME: &str = "INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET";
        let at_least = match environment {
            Environment::Production => KEY_CHARACTERS,
            Environment::Development => 1,
        };
        let key = self.manage_api_bypass_secret.as_deref().filter(|key| !key.is_empty());
        key.map(|key| secret(NAME, key, at_least, ", or leave it unset to close the management API"))
            .transpose()
    }

    fn agent(&self, time_limit: Duration) -> Result<Option<ChatCompletionsSettings>, ConfigError> {
        let is_set = |value: &&String| !value.is_empty();
        let Some(text) = self.agent_url.as_ref().filter(is_set) else {
            return Ok(None);
        };
        // The message omits the address, which may contain a key.
        let must = "a URL such as https://api.openai.com/v1/chat/completions";
        let wrong = || invalid("SALTMINE_AGENT_URL", "…", must);
        let mut url: Url = text.parse().map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong());
        }
        if !url.path().ends_with("/chat/completions") {
            let path = format!("{}/chat/completions", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        let missing = ConfigError::Incomplete { name: "SALTMINE_AGENT_URL", missing: "SALTMINE_AGENT_MODEL" };
        let model = self.agent_model.clone().filter(|model| !model.is_empty()).ok_or(missing)?;
        let key = self.agent_key.as_ref().filter(is_set).map(|key| Secret::from(&**key));
        Ok(Some(ChatCompletionsSettings { url, key, model, time_limit }))
    }

    fn generate_missing_secrets(
        &mut self,
        secrets: impl FnOnce(&Path) -> Result<GeneratedSecrets, SecretsError>,
    ) -> Result<Option<GeneratedSecrets>, ConfigError> {
        let slots =
            [&mut self.pow_hmac_secret, &mut self.anon_jwt_secret, &mut self.manage_api_bypass_secret];
        if slots.iter().all(|slot| slot.is_some()) {
            return Ok(None);
        }
        let generated = secrets(&self.state_dir)?;
        for (slot, value) in slots.into_iter().zip(&generated.values) {
            slot.get_or_insert_with(|| value.clone());
        }
        Ok(Some(generated))
    }
}

impl DatabaseArguments {
    /// Returns the checked number of connections.
    ///
    /// # Errors
    ///
    /// If the value is invalid.
    pub fn checked_connections(&self) -> Result<u32, ConfigError> {
        positive("SALTMINE_DATABASE_CONNECTIONS", &self.connections).map(NonZeroU32::get)
    }
}

/// Reads the address of an admin listener. An empty text is no address.
///
/// # Errors
///
/// If the text is not an address with a port.
pub fn admin_address(text: Option<&str>) -> Result<Option<SocketAddr>, ConfigError> {
    let text = text.filter(|text| !text.is_empty());
    let must = "an address and a port, such as 127.0.0.1:9090";
    let parse = |text: &str| text.parse().map_err(|_| invalid("SALTMINE_ADMIN_ADDRESS", text, must));
    text.map(parse).transpose()
}

fn retention(days: &str) -> Result<Option<Duration>, ConfigError> {
    const DAY_SECONDS: u64 = 24 * 60 * 60;
    let days = number("SALTMINE_RETENTION_DAYS", days, 0, 36_500)?;
    Ok((days > 0).then(|| Duration::from_secs(days * DAY_SECONDS)))
}

fn secret(
    name: &'static str,
    text: &str,
    at_least: usize,
    otherwise: &'static str,
) -> Result<Secret, ConfigError> {
    let characters = text.chars().count();
    if characters < at_least {
        return Err(ConfigError::ShortSecret { name, characters, at_least, otherwise });
    }
    Ok(text.into())
}

/// A secret that may be missing.
fn second(name: &'static str, text: &Option<String>) -> Result<Option<Secret>, ConfigError> {
    let text = text.as_deref().filter(|text| !text.is_empty());
    text.map(|text| secret(name, text, SECRET_CHARACTERS, ", or leave it unset")).transpose()
}

fn number(name: &'static str, text: &str, min: u64, max: u64) -> Result<u64, ConfigError> {
    let number = text.parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| invalid(name, text, &format!("a whole number from {min} to {max}")))
}

fn positive(name: &'static str, text: &str) -> Result<NonZeroU32, ConfigError> {
    let number = number(name, text, 1, 1_000_000)?;
    Ok(u32::try_from(number).ok().and_then(NonZeroU32::new).expect("it is in the range"))
}

fn context_size(name: &'static str, text: &str) -> Result<usize, ConfigError> {
    number(name, text, 1000, 100_000_000).map(|number| number as usize)
}

fn seconds(name: &'static str, text: &str) -> Result<Duration, ConfigError> {
    number(name, text, 1, 3600).map(Duration::from_secs)
}

fn networks(text: &str) -> Result<Vec<IpNet>, ConfigError> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let parse =
        |entry: &str| entry.parse::<IpNet>().ok().or_else(|| entry.parse::<IpAddr>().ok().map(IpNet::from));
    // Addresses of IPv4 in the form of IPv6 are compared as those of IPv4.
    let canonical = |network: IpNet| match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6
            .addr()
            .to_ipv4_mapped()
            .map_or(network, |address| IpNet::new_assert(address.into(), v6.prefix_len() - 96)),
        _ => network,
    };
    let must = "addresses and networks, such as 10.0.0.0/8,192.0.2.7";
    entries
        .map(|entry| {
            parse(entry).map(canonical).ok_or_else(|| invalid("SALTMINE_TRUSTED_PROXIES", text, must))
        })
        .collect()
}

fn rate_limit(text: &str) -> Result<Option<RateLimit>, ConfigError> {
    if text == "off" {
        return Ok(None);
    }
    let limit = text.split_once('/').and_then(|(per_second, burst)| {
        Some(RateLimit { per_second: count(per_second)?, burst: count(burst)? })
    });
    let must = "requests a second and burst, such as 20/60, or off";
    limit.map(Some).ok_or_else(|| invalid("SALTMINE_RATE_LIMIT", text, must))
}

fn count(text: &str) -> Option<NonZeroU32> {
    text.parse().ok()
}

fn invalid(name: &'static str, value: &str, must: &str) -> ConfigError {
    ConfigError::Invalid { name, value: value.to_owned(), must: must.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::networks;

    #[test]
    fn mapped_proxies_are_those_of_ipv4() {
        for (text, expected) in [
            ("::ffff:172.17.0.1", "172.17.0.1/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("fd00::/8", "fd00::/8"),
            ("10.0.0.0/8", "10.0.0.0/8"),
        ] {
            assert_eq!(networks(text).unwrap(), [expected.parse().unwrap()], "{text}");
        }
    }
}
