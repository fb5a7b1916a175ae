//! The subcommands and their options.

use super::{Arguments, AuditArguments};
use crate::defaults;
use clap::{Args, Parser, Subcommand};

/// The reference server for the saltmine client: anonymous chat sessions behind a proof of work.
///
/// Without a command it runs the server. Every option can be given by its environment variable, and secrets should be:
/// other users of the machine can see arguments. A variable whose value is not shown here can also be given by the file
/// that `<NAME>_FILE` names.
// No `Debug`: it would show the secrets.
#[derive(Parser)]
#[command(name = "saltmine-server", version, args_conflicts_with_subcommands = true, about, long_about)]
pub(super) struct CommandLine {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) arguments: Arguments,
}

/// The commands of the binary.
// No `Debug`: it would show the secrets.
#[derive(Subcommand)]
pub enum Command {
    /// Runs the server; the default
    Serve(Box<Arguments>),
    /// Creates the tables of the database, or brings them up to date
    Migrate(DatabaseArguments),
    /// Checks the configuration, prints a summary and exits
    CheckConfig(Box<Arguments>),
    /// Exits with 0 if the running server of this configuration responds, else with 1
    Health(HealthArguments),
    /// Creates or lists apps
    #[command(subcommand)]
    App(AppCommand),
    /// Creates API keys
    #[command(subcommand)]
    Key(KeyCommand),
}

/// Commands for apps.
#[derive(Subcommand)]
pub enum AppCommand {
    /// Creates a web client and prints its id
    Create(NewAppArguments),
    /// Prints the apps of a project, one on each line: id, type, name, domains
    List(ListAppsArguments),
}

/// Commands for API keys.
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Creates an API key and prints its secret, which is not stored
    Create(NewKeyArguments),
}

/// The options of the database.
// No `Debug`: it would show the database's password.
#[derive(Args, Clone)]
pub struct DatabaseArguments {
    /// The database: `sqlite://path`, created if it does not exist, or `postgres://user:password@host/name`
    #[arg(
        id = "database_url",
        long = "database-url",
        env = "DATABASE_URL",
        default_value = "sqlite://saltmine.db",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub url: String,

    /// Maximum number of connections to PostgreSQL
    #[arg(
        id = "database_connections",
        long = "database-connections",
        env = "SALTMINE_DATABASE_CONNECTIONS",
        default_value_t = defaults::DATABASE_CONNECTIONS.to_string(),
        value_name = "NUMBER"
    )]
    pub connections: String,

    /// The options of the log.
    #[command(flatten)]
    pub log: LogArguments,
}

/// The options of the log.
#[derive(Args, Clone, Debug)]
pub struct LogArguments {
    /// Log levels on stderr: error, warn, info, debug or trace, also by module, as in `info,sqlx=debug`
    #[arg(
        id = "log",
        long = "log",
        env = "SALTMINE_LOG",
        default_value = defaults::LOG_LEVELS,
        value_name = "LEVELS"
    )]
    pub levels: String,

    /// The format of the log: `text`, or `json` for one JSON object on each line
    #[arg(
        id = "log_format",
        long = "log-format",
        env = "SALTMINE_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub format: String,
}

/// The options of `saltmine-server health`.
#[derive(Args, Clone, Debug)]
pub struct HealthArguments {
    /// Checks whether the server is ready for requests, not only whether it responds
    #[arg(long)]
    pub ready: bool,

    /// The address that the server listens on
    #[arg(long, env = "HOST", default_value = defaults::HOST)]
    pub host: String,

    /// The port that the server listens on
    #[arg(long, env = "PORT", default_value_t = defaults::PORT.to_string())]
    pub port: String,

    /// The address of the admin listener, if there is one
    #[arg(long, env = "SALTMINE_ADMIN_ADDRESS", value_name = "ADDRESS")]
    pub admin_address: Option<String>,
}

/// The owner of an app or an API key.
#[derive(Args, Clone, Debug)]
pub struct OwnerArguments {
    /// The tenant
    #[arg(long, default_value = "default", value_name = "ID")]
    pub tenant: String,

    /// The project of the tenant
    #[arg(long, default_value = "default", value_name = "ID")]
    pub project: String,
}

/// The options of `saltmine-server app create`.
// No `Debug`: it would show the database's password.
#[derive(Args, Clone)]
pub struct NewAppArguments {
    /// The name that operators see
    #[arg(long)]
    pub name: String,

    /// A domain of the pages that may use the app, such as `docs.example.com`; may be repeated
    #[arg(long = "domain", value_name = "DOMAIN", required = true)]
    pub domains: Vec<String>,

    /// The agent that replies; unset: the server's default agent
    #[arg(long, value_name = "ID")]
    pub agent: Option<String>,

    /// The instructions that the agent receives before a conversation
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,

    /// The owner.
    #[command(flatten)]
    pub owner: OwnerArguments,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArguments,

    /// The audit log.
    #[command(flatten)]
    pub audit: AuditArguments,
}

/// The options of `saltmine-server app list`.
// No `Debug`: it would show the database's password.
#[derive(Args, Clone)]
pub struct ListAppsArguments {
    /// The owner.
    #[command(flatten)]
    pub owner: OwnerArguments,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArguments,

    /// The audit log.
    #[command(flatten)]
    pub audit: AuditArguments,
}

/// The options of `saltmine-server key create`.
// No `Debug`: it would show the database's password.
#[derive(Args, Clone)]
pub struct NewKeyArguments {
    /// The name that operators see
    #[arg(long)]
    pub name: String,

    /// The agent that replies
    #[arg(long, value_name = "ID")]
    pub agent: String,

    /// The time from which on the key is no longer accepted, such as `2030-01-31T00:00:00Z`; without it the key never
    /// expires
    #[arg(long, value_name = "TIME")]
    pub expires_at: Option<String>,

    /// The owner.
    #[command(flatten)]
    pub owner: OwnerArguments,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArguments,

    /// The audit log.
    #[command(flatten)]
    pub audit: AuditArguments,
}
