//! The second management key and the audit log.

use super::{ConfigError, Environment, KEY_CHARACTERS, SummaryLine, number, secret};
use crate::{ManagementSettings, Secret, defaults};
use clap::Args;

// No `Debug`: it would show the key.
#[derive(Args, Clone)]
#[allow(missing_docs, reason = "clap would print it as the description of the program")]
pub struct ManagementArguments {
    /// A second management key that changes nothing, at least 16 characters
    #[arg(long, env = "SALTMINE_MANAGE_READ_KEY", hide_env_values = true, value_name = "SECRET")]
    pub manage_read_key: Option<String>,

    /// The audit log.
    #[command(flatten)]
    pub audit: AuditArguments,
}

#[derive(Args, Clone, Debug)]
#[allow(missing_docs, reason = "clap would print it as the description of the program")]
pub struct AuditArguments {
    /// Maximum number of calls of the management API in the audit log; 0: no audit log
    #[arg(long, env = "SALTMINE_AUDIT_ENTRIES", default_value_t = defaults::AUDIT_ENTRIES.to_string(), value_name = "NUMBER")]
    pub audit_entries: String,
}

impl AuditArguments {
    /// Returns the checked number of entries.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn checked_entries(&self) -> Result<u32, ConfigError> {
        Ok(number("SALTMINE_AUDIT_ENTRIES", &self.audit_entries, 0, 1_000_000)? as u32)
    }
}

impl ManagementArguments {
    /// Checks the values. `full_key` is the key that permits every call.
    pub(super) fn check(
        &self,
        environment: Environment,
        full_key: Option<&Secret>,
    ) -> Result<ManagementSettings, ConfigError> {
        const NAME: &str = "SALTMINE_MANAGE_READ_KEY";
        let at_least = match environment {
            Environment::Production => KEY_CHARACTERS,
            Environment::Development => 1,
        };
        let key = self.manage_read_key.as_deref().filter(|key| !key.is_empty());
        if key.is_some_and(|key| full_key.is_some_and(|full_key| full_key.matches(key))) {
            return Err(ConfigError::SameKey { name: NAME, other: "INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET" });
        }
        Ok(ManagementSettings {
            read_key: key.map(|key| secret(NAME, key, at_least, ", or leave it unset")).transpose()?,
            audit_entries: self.audit.checked_entries()?,
        })
    }
}

/// Describes the audit log when the server starts.
pub(super) fn summary(settings: &ManagementSettings) -> SummaryLine {
    match settings.audit_entries {
        0 => SummaryLine {
            is_warning: true,
            text: "audit log: off; set SALTMINE_AUDIT_ENTRIES, for example to 10000".to_owned(),
        },
        entries => SummaryLine {
            is_warning: false,
            text: format!("audit log: the last {entries} calls of the management API"),
        },
    }
}
