//! The log of the process.

use crate::CommandError;
use saltmine_server::config::LogArguments;
use std::io::{self, IsTerminal};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// The levels of a server's log, unless the operator chose others.
const SERVER_LEVELS: &str = "info,sqlx=warn";

/// The levels of the log of a command that ends by itself: what it prints is its result.
const COMMAND_LEVELS: &str = "warn";

/// Logs to stderr from now on, as a command that ends by itself does.
///
/// # Errors
///
/// Those of [`start`].
pub(crate) fn start_for_command(arguments: &LogArguments) -> Result<(), CommandError> {
    let mut arguments = arguments.clone();
    if arguments.levels == SERVER_LEVELS {
        COMMAND_LEVELS.clone_into(&mut arguments.levels);
    }
    start(&arguments)
}

/// Logs to stderr from now on.
///
/// # Errors
///
/// If the levels or the format are none.
pub(crate) fn start(arguments: &LogArguments) -> Result<(), CommandError> {
    let levels: Targets =
        arguments.levels.parse().map_err(|_| CommandError::Log(arguments.levels.clone()))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = match &*arguments.format {
        "text" => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        // The members of the event beside those of the log; `span` has those of the request.
        "json" => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
        other => return Err(CommandError::LogFormat(other.to_owned())),
    };
    tracing_subscriber::registry().with(lines.with_filter(levels)).init();
    Ok(())
}
