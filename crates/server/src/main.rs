//! The server's binary: reads the command line and the environment, and runs one command.

mod commands;
mod logging;

use commands::{health, manage, serve};
use saltmine_server::config::{AppCommand, Command, ConfigError, KeyCommand};
use saltmine_server::{AgentError, StoreError};
use std::io;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The reason why a command fails: one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(
        "DATABASE_URL cannot be used ({0}): set it to a database that this user can write to, such as sqlite://saltmine.db or postgres://user:password@host/name."
    )]
    Database(StoreError),
    #[error(
        "The tables of the database cannot be brought up to date ({0}): restore them from a backup, or use the version of saltmine-server that created them."
    )]
    Migration(StoreError),
    #[error("HOST and PORT are {host} and {port}, which cannot be listened on ({problem}): choose others.")]
    Listen { host: String, port: u16, problem: io::Error },
    #[error("SALTMINE_ADMIN_ADDRESS is {address}, which cannot be listened on ({problem}): choose another.")]
    ListenForAdmin { address: std::net::SocketAddr, problem: io::Error },
    #[error("SALTMINE_AGENT_URL cannot be used ({0}): check that this machine's certificates can be read.")]
    Agent(AgentError),
    #[cfg(feature = "otlp")]
    #[error("Traces cannot be exported ({0}): correct the variables OTEL_EXPORTER_OTLP_….")]
    Traces(String),
    #[error("The system returned no random numbers ({0}): check that /dev/urandom can be read.")]
    Random(io::Error),
    #[error("The server stopped because of an error ({0}). Restart it.")]
    Serve(io::Error),
    #[error("The server at {address} is not healthy: {problem}. Check its log.")]
    Health { address: String, problem: String },
    #[error("{0}: correct the option.")]
    Refused(String),
    #[error("The database failed ({0}): see the log of the database.")]
    Failed(String),
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Migration(_) => Self::Migration(error),
            _ => Self::Database(error),
        }
    }
}

impl CommandError {
    /// Returns the exit status: 1 if the command failed while it ran, 2 if the operator can correct the input.
    fn exit_status(&self) -> u8 {
        match self {
            Self::Serve(_) | Self::Health { .. } | Self::Failed(_) => 1,
            _ => 2,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit_status())
        }
    }
}

async fn run() -> Result<(), CommandError> {
    match Command::read()? {
        Command::Serve(arguments) => serve::run(*arguments).await,
        Command::CheckConfig(arguments) => serve::check_config(*arguments),
        Command::Migrate(database) => manage::migrate(&database).await,
        Command::Health(arguments) => health::run(&arguments).await,
        Command::App(AppCommand::Create(arguments)) => manage::create_app(arguments).await,
        Command::App(AppCommand::List(arguments)) => manage::list_apps(arguments).await,
        Command::Key(KeyCommand::Create(arguments)) => manage::create_key(arguments).await,
    }
}
