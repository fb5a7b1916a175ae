//! The defaults that the library and the command line share.

use crate::{PowBinding, PowScope, PowVersions};

pub(crate) const POW_VERSIONS: PowVersions = PowVersions::V2;
pub(crate) const POW_SCOPE: PowScope = PowScope::Session;
pub(crate) const POW_BINDING: PowBinding = PowBinding::App;
pub(crate) const POW_BINDING_REQUIRED: bool = false;
/// The `maxnumber` of version 1.
pub(crate) const POW_DIFFICULTY: u64 = 50_000;
/// The largest `maxnumber` that the client accepts, by the default of its option `maxNumber`.
pub(crate) const CLIENTS_MAX_NUMBER: u64 = 10_000_000;
pub(crate) const POW_CHALLENGE_TTL_SECONDS: u64 = 600;
pub(crate) const SESSION_LIFETIME_SECONDS: u32 = 30 * 24 * 60 * 60;
pub(crate) const MAX_CONNECTIONS: u32 = 900;
pub(crate) const MAX_CONNECTIONS_PER_ADDRESS: u32 = 200;
pub(crate) const AUDIT_ENTRIES: u32 = 10_000;
pub(crate) const AGENT_CONTEXT_BYTES: usize = 512 * 1024;
pub(crate) const AGENT_CONTEXT_TOKENS: usize = 128_000;
pub(crate) const AGENT_TIMEOUT_SECONDS: u64 = 120;
pub(crate) const SHUTDOWN_SECONDS: u64 = 30;
pub(crate) const HOST: &str = "127.0.0.1";
pub(crate) const PORT: u16 = 8787;
/// Connections to PostgreSQL.
pub(crate) const DATABASE_CONNECTIONS: u32 = 16;
/// The levels of a server's log.
pub(crate) const LOG_LEVELS: &str = "info,sqlx=warn";
/// The levels of the log of a command that ends by itself.
pub(crate) const COMMAND_LOG_LEVELS: &str = "warn";
