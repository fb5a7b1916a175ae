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

/// Why a command fails. Each is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(
        "SALTMINE_LOG is {0:?}: it must be a level such as info, or levels by module such as info,sqlx=debug."
    )]
    Log(String),
    #[error("SALTMINE_LOG_FORMAT is {0:?}: it must be text or json.")]
    LogFormat(String),
    #[error(
        "DATABASE_URL cannot be used ({0}): give the address of a database that this user may write, such as sqlite://saltmine.db or postgres://user:password@host/name."
    )]
    Database(StoreError),
    #[error(
        "The tables of the database cannot be brought up to date ({0}): restore them from a backup, or use the version of saltmine-server that made them."
    )]
    Migration(StoreError),
    #[error("HOST and PORT are {host} and {port}, which cannot be listened on ({problem}): choose others.")]
    Listen { host: String, port: u16, problem: io::Error },
    #[error("SALTMINE_ADMIN_ADDRESS is {address}, which cannot be listened on ({problem}): choose another.")]
    ListenForAdmin { address: std::net::SocketAddr, problem: io::Error },
    #[error("SALTMINE_AGENT_URL cannot be used ({0}): see that this machine's certificates can be read.")]
    Agent(AgentError),
    #[cfg(feature = "otlp")]
    #[error("Traces cannot be exported ({0}): correct the variables OTEL_EXPORTER_OTLP_….")]
    Traces(String),
    #[error("The system gives no random numbers ({0}).")]
    Random(io::Error),
    #[error("The server had to stop ({0}).")]
    Serve(io::Error),
    #[error("The server at {address} does not respond as it should: {problem}.")]
    Health { address: String, problem: String },
    #[error("{0}: correct the option.")]
    Refused(String),
    #[error("The database failed ({0}): its log says why.")]
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
    /// The exit status: 1 for what went wrong while a command ran, 2 for what the operator can correct.
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
