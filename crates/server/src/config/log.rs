//! Checks the options of the log.

use super::{ConfigError, LogArguments, invalid};
use crate::defaults;
use tracing_subscriber::filter::Targets;

/// How lines of the log are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object on each line.
    Json,
}

impl LogArguments {
    /// Returns the levels and the format.
    ///
    /// # Errors
    ///
    /// If they are none.
    pub fn check(&self) -> Result<(Targets, LogFormat), ConfigError> {
        let must = "a level such as info, or levels by module such as info,sqlx=debug";
        let levels = self.levels.parse().map_err(|_| invalid("SALTMINE_LOG", &self.levels, must))?;
        let format = match &*self.format {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            other => return Err(invalid("SALTMINE_LOG_FORMAT", other, "text or json")),
        };
        Ok((levels, format))
    }

    /// Returns the options for a command that ends by itself, whose result is what it prints: by default its log has
    /// only warnings and errors.
    #[must_use]
    pub fn for_command(&self) -> Self {
        let mut arguments = self.clone();
        if arguments.levels == defaults::LOG_LEVELS {
            defaults::COMMAND_LOG_LEVELS.clone_into(&mut arguments.levels);
        }
        arguments
    }
}
