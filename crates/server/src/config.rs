//! How the server is told what to do: the environment, or the same as arguments. Checked once, here.

use crate::development::{self, DrawnSecrets};
use crate::{ProofOfWork, Random, RateLimit, Secret, Settings};
use clap::Parser;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// The fewest characters of a secret that signs.
const SECRET_CHARACTERS: usize = 32;

/// The reference server for the saltmine client: anonymous chat sessions behind a proof of work.
///
/// Every option can be given by its environment variable, and secrets should be: arguments can be seen by others.
#[derive(Parser, Clone, Debug)]
#[command(name = "saltmine-server", version, about)]
pub struct Arguments {
    /// Signs challenges, at least 32 characters; unset: proof of work is off
    #[arg(long, env = "INKEEP_POW_HMAC_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub pow_hmac_secret: Option<String>,

    /// The largest number that may solve a challenge
    #[arg(long, env = "INKEEP_POW_DIFFICULTY", default_value = "50000", value_name = "NUMBER")]
    pub pow_difficulty: String,

    /// How long a challenge lives
    #[arg(long, env = "INKEEP_POW_CHALLENGE_TTL_SECONDS", default_value = "300", value_name = "SECONDS")]
    pub pow_challenge_ttl_seconds: String,

    /// Signs session tokens, at least 32 characters; required in production
    #[arg(long, env = "INKEEP_ANON_JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub anon_jwt_secret: Option<String>,

    /// How long a session lives, 60 to 2592000
    #[arg(
        long,
        env = "INKEEP_ANON_SESSION_LIFETIME_SECONDS",
        default_value = "2592000",
        value_name = "SECONDS"
    )]
    pub anon_session_lifetime_seconds: String,

    /// The management key; unset: the management API is closed
    #[arg(
        long,
        env = "INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub manage_api_bypass_secret: Option<String>,

    /// The database, made if it is not there
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://saltmine.db",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub database_url: String,

    /// `production`, or `development`: draws missing secrets at random and makes a demo app
    #[arg(long, env = "SALTMINE_ENV", default_value = "production", value_name = "ENV")]
    pub environment: String,

    /// The address to listen on
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    pub host: String,

    /// The port to listen on; 0: any that is free
    #[arg(long, env = "PORT", default_value = "8787")]
    pub port: String,

    /// Requests a second and burst, for one address, on challenge and session; or `off`
    #[arg(long, env = "SALTMINE_RATE_LIMIT", default_value = "20/60", value_name = "LIMIT")]
    pub rate_limit: String,

    /// A folder of files to serve at `/`
    #[arg(long, env = "SALTMINE_STATIC_DIR", value_name = "FOLDER")]
    pub static_dir: Option<PathBuf>,

    /// Where drawn secrets are kept (development only)
    #[arg(long, env = "SALTMINE_STATE_DIR", default_value = ".saltmine", value_name = "FOLDER")]
    pub state_dir: PathBuf,

    /// What is logged to stderr: error, warn, info, debug or trace, also by module, as in `info,sqlx=debug`
    #[arg(long, env = "SALTMINE_LOG", default_value = "info,sqlx=warn", value_name = "LEVELS")]
    pub log: String,
}

/// What the arguments say, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// For whom the server runs.
    pub environment: Environment,
    /// The address to listen on.
    pub host: String,
    /// The port to listen on; 0 is any that is free.
    pub port: u16,
    /// The database.
    pub database_url: String,
    /// The secrets that were drawn because the environment had none, if any were.
    pub drawn_secrets: Option<DrawnSecrets>,
    /// What the handlers need to know.
    pub settings: Settings,
}

/// For whom the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// For visitors: every secret is the operator's.
    Production,
    /// For one who tries it out: what is missing is made up.
    Development,
}

/// Why the server does not start: one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A secret is too short.
    #[error(
        "{name} has {characters} characters: give it at least {SECRET_CHARACTERS}, for example from `openssl rand -hex 32`{otherwise}."
    )]
    ShortSecret {
        /// The variable.
        name: &'static str,
        /// How many it has.
        characters: usize,
        /// What else can be done.
        otherwise: &'static str,
    },
    /// The secret that signs tokens is missing.
    #[error(
        "INKEEP_ANON_JWT_SECRET is not set: give it at least {SECRET_CHARACTERS} characters, for example from `openssl rand -hex 32`, or set SALTMINE_ENV=development to try the server out."
    )]
    NoTokenSecret,
    /// A variable holds what it must not.
    #[error("{name} is {value:?}: it must be {must}.")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        must: String,
    },
    /// The drawn secrets can be neither read nor made.
    #[error(transparent)]
    Secrets(#[from] development::SecretsError),
}

impl Arguments {
    /// Checks every value, and draws missing secrets in development.
    ///
    /// A secret that is set to nothing is off; one that is not set is missing. Tokens cannot be off: their secret is
    /// missing either way.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    pub fn check(mut self, random: &dyn Random) -> Result<Config, ConfigError> {
        self.anon_jwt_secret = self.anon_jwt_secret.filter(|secret| !secret.is_empty());
        let environment = match &*self.environment {
            "production" => Environment::Production,
            "development" => Environment::Development,
            _ => return Err(invalid("SALTMINE_ENV", &self.environment, "production or development")),
        };
        let drawn_secrets = match environment {
            Environment::Development => self.draw_missing_secrets(random)?,
            Environment::Production => None,
        };
        let token_secret = self.anon_jwt_secret.as_deref().ok_or(ConfigError::NoTokenSecret)?;
        let settings = Settings {
            proof_of_work: self.proof_of_work()?,
            session_lifetime_seconds: number(
                "INKEEP_ANON_SESSION_LIFETIME_SECONDS",
                &self.anon_session_lifetime_seconds,
                60,
                2_592_000,
            )? as u32,
            management_key: self.manage_api_bypass_secret.filter(|key| !key.is_empty()).map(Secret::from),
            rate_limit: rate_limit(&self.rate_limit)?,
            static_dir: self.static_dir.filter(|folder| !folder.as_os_str().is_empty()),
            ..Settings::new(secret("INKEEP_ANON_JWT_SECRET", token_secret, "")?)
        };
        if let Some(folder) = settings.static_dir.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(invalid(
                "SALTMINE_STATIC_DIR",
                &folder.display().to_string(),
                "a folder that is there",
            ));
        }
        Ok(Config {
            environment,
            port: number("PORT", &self.port, 0, u64::from(u16::MAX))? as u16,
            host: self.host,
            database_url: self.database_url,
            drawn_secrets,
            settings,
        })
    }

    fn proof_of_work(&self) -> Result<Option<ProofOfWork>, ConfigError> {
        // Checked even if they are not used now: who turns proof of work on should not meet an old mistake.
        let max_number =
            number("INKEEP_POW_DIFFICULTY", &self.pow_difficulty, 1, saltmine_protocol::MAX_NUMBER)?;
        let ttl_seconds =
            number("INKEEP_POW_CHALLENGE_TTL_SECONDS", &self.pow_challenge_ttl_seconds, 1, 86_400)?;
        match self.pow_hmac_secret.as_deref() {
            None | Some("") => Ok(None),
            Some(text) => {
                let otherwise = ", or leave it unset to turn proof of work off";
                let secret = secret("INKEEP_POW_HMAC_SECRET", text, otherwise)?;
                Ok(Some(ProofOfWork { secret, max_number, ttl_seconds }))
            }
        }
    }

    fn draw_missing_secrets(&mut self, random: &dyn Random) -> Result<Option<DrawnSecrets>, ConfigError> {
        let slots =
            [&mut self.pow_hmac_secret, &mut self.anon_jwt_secret, &mut self.manage_api_bypass_secret];
        if slots.iter().all(|slot| slot.is_some()) {
            return Ok(None);
        }
        let drawn = development::secrets(&self.state_dir, random)?;
        for (slot, value) in slots.into_iter().zip(&drawn.values) {
            slot.get_or_insert_with(|| value.clone());
        }
        Ok(Some(drawn))
    }
}

fn secret(name: &'static str, text: &str, otherwise: &'static str) -> Result<Secret, ConfigError> {
    let characters = text.chars().count();
    if characters < SECRET_CHARACTERS {
        return Err(ConfigError::ShortSecret { name, characters, otherwise });
    }
    Ok(text.into())
}

fn number(name: &'static str, text: &str, min: u64, max: u64) -> Result<u64, ConfigError> {
    let number = text.parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| invalid(name, text, &format!("a whole number from {min} to {max}")))
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
