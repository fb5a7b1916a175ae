use super::{DatabaseArguments, LimitArguments, ManagementArguments};
use crate::{KeyDerivation, defaults};
use clap::Parser;
use std::path::PathBuf;

/// The options of `saltmine-server serve`.
// No `Debug`: it would show the secrets.
#[derive(Parser, Clone)]
pub struct Arguments {
    /// Signs challenges, at least 32 characters; unset: proof of work is off
    #[arg(long, env = "INKEEP_POW_HMAC_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub pow_hmac_secret: Option<String>,

    /// A second secret whose challenges are accepted too, while the first is being replaced
    #[arg(long, env = "INKEEP_POW_HMAC_SECRET_SECOND", hide_env_values = true, value_name = "SECRET")]
    pub pow_hmac_secret_second: Option<String>,

    /// Requests that require a proof of work: `session`, or `request` for each session and each message
    #[arg(long, env = "SALTMINE_POW_SCOPE", default_value = defaults::POW_SCOPE.name(), value_name = "SCOPE")]
    pub pow_scope: String,

    /// The version of ALTCHA: `1`; `2` for `/run/auth/challenge`, and 1 for older clients; or `2-only`
    #[arg(long, env = "SALTMINE_POW_VERSION", default_value = defaults::POW_VERSIONS.name(), value_name = "VERSION")]
    pub pow_version: String,

    /// The key derivation of version 2: `PBKDF2/SHA-256`, `SHA-256`, `SCRYPT` or `ARGON2ID`
    #[arg(long, env = "SALTMINE_POW_ALGORITHM", default_value = KeyDerivation::default().algorithm.name(), value_name = "NAME")]
    pub pow_algorithm: String,

    /// Iterations, for scrypt N, for Argon2id passes; default: 5000 for PBKDF2, 1000 for SHA-256, 16384 for scrypt, 2 for
    /// Argon2id
    #[arg(long, env = "SALTMINE_POW_COST", value_name = "NUMBER")]
    pub pow_cost: Option<String>,

    /// The block size of scrypt (default: 8), the KiB of Argon2id (default: 16384)
    #[arg(long, env = "SALTMINE_POW_MEMORY_COST", value_name = "NUMBER")]
    pub pow_memory_cost: Option<String>,

    /// The smallest counter that solves a challenge of version 2; default: by algorithm, 400 for PBKDF2
    #[arg(long, env = "SALTMINE_POW_COUNTER_MIN", value_name = "NUMBER")]
    pub pow_counter_min: Option<String>,

    /// The largest counter that solves a challenge of version 2; default: by algorithm, 800 for PBKDF2
    #[arg(long, env = "SALTMINE_POW_COUNTER_MAX", value_name = "NUMBER")]
    pub pow_counter_max: Option<String>,

    /// Binding of the challenges of `/run/auth/challenge`: `off`, `app`, or `app-and-address`
    #[arg(long, env = "SALTMINE_POW_BINDING", default_value = defaults::POW_BINDING.name(), value_name = "BINDING")]
    pub pow_binding: String,

    /// Whether to refuse solutions of challenges that are bound to no app: `true` or `false`
    #[arg(long, env = "SALTMINE_POW_BINDING_REQUIRED", default_value_t = defaults::POW_BINDING_REQUIRED.to_string(), value_name = "BOOL")]
    pub pow_binding_required: String,

    /// The largest number that may solve a challenge of version 1
    #[arg(long, env = "INKEEP_POW_DIFFICULTY", default_value_t = defaults::POW_DIFFICULTY.to_string(), value_name = "NUMBER")]
    pub pow_difficulty: String,

    /// Lifetime of a challenge
    #[arg(long, env = "INKEEP_POW_CHALLENGE_TTL_SECONDS", default_value_t = defaults::POW_CHALLENGE_TTL_SECONDS.to_string(), value_name = "SECONDS")]
    pub pow_challenge_ttl_seconds: String,

    /// Signs session tokens, at least 32 characters; required in production
    #[arg(long, env = "INKEEP_ANON_JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub anon_jwt_secret: Option<String>,

    /// A second secret whose session tokens are accepted too, while the first is being replaced
    #[arg(long, env = "INKEEP_ANON_JWT_SECRET_SECOND", hide_env_values = true, value_name = "SECRET")]
    pub anon_jwt_secret_second: Option<String>,

    /// Lifetime of a session, 60 to 2592000
    #[arg(
        long,
        env = "INKEEP_ANON_SESSION_LIFETIME_SECONDS",
        default_value_t = defaults::SESSION_LIFETIME_SECONDS.to_string(),
        value_name = "SECONDS"
    )]
    pub anon_session_lifetime_seconds: String,

    /// The management key, at least 16 characters; unset: the management API is closed
    #[arg(
        long,
        env = "INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    pub manage_api_bypass_secret: Option<String>,

    /// The second management key and the audit log.
    #[command(flatten)]
    pub management: ManagementArguments,

    /// The database.
    #[command(flatten)]
    pub database: DatabaseArguments,

    /// `production`, or `development`: generates missing secrets and creates a demo app
    #[arg(long, env = "SALTMINE_ENV", default_value = "production", value_name = "ENV")]
    pub environment: String,

    /// The address to listen on
    #[arg(long, env = "HOST", default_value = defaults::HOST)]
    pub host: String,

    /// The port to listen on; 0: any free port
    #[arg(long, env = "PORT", default_value_t = defaults::PORT.to_string())]
    pub port: String,

    /// Requests a second and burst, for one address, on challenge and session; or `off`
    #[arg(long, env = "SALTMINE_RATE_LIMIT", default_value = "20/60", value_name = "LIMIT")]
    pub rate_limit: String,

    /// Quotas, the adaptive difficulty and shared counters.
    #[command(flatten)]
    pub limits: LimitArguments,

    /// Trusted proxies, whose `X-Forwarded-For` is used: addresses and networks, as in `10.0.0.0/8,192.0.2.7`
    #[arg(long, env = "SALTMINE_TRUSTED_PROXIES", default_value = "", value_name = "NETWORKS")]
    pub trusted_proxies: String,

    /// Maximum number of simultaneous connections; further ones wait
    #[arg(long, env = "SALTMINE_MAX_CONNECTIONS", default_value_t = defaults::MAX_CONNECTIONS.to_string(), value_name = "NUMBER")]
    pub max_connections: String,

    /// Maximum number of connections of one address, except trusted proxies; further ones are closed
    #[arg(long, env = "SALTMINE_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = defaults::MAX_CONNECTIONS_PER_ADDRESS.to_string(), value_name = "NUMBER")]
    pub max_connections_per_address: String,

    /// The URL of a service with OpenAI's chat completions interface, such as
    /// `https://api.openai.com/v1/chat/completions`; unset: the built-in agent repeats each message
    #[arg(long, env = "SALTMINE_AGENT_URL", hide_env_values = true, value_name = "URL")]
    pub agent_url: Option<String>,

    /// The API key of that service
    #[arg(long, env = "SALTMINE_AGENT_KEY", hide_env_values = true, value_name = "SECRET")]
    pub agent_key: Option<String>,

    /// The model to request
    #[arg(long, env = "SALTMINE_AGENT_MODEL", value_name = "NAME")]
    pub agent_model: Option<String>,

    /// Instructions that every agent receives before a conversation
    #[arg(long, env = "SALTMINE_AGENT_PROMPT", hide_env_values = true, value_name = "TEXT")]
    pub agent_prompt: Option<String>,

    /// Maximum number of bytes of a conversation that an agent receives
    #[arg(long, env = "SALTMINE_AGENT_CONTEXT_BYTES", default_value_t = defaults::AGENT_CONTEXT_BYTES.to_string(), value_name = "BYTES")]
    pub agent_context_bytes: String,

    /// Maximum number of tokens of a conversation that an agent receives, estimated
    #[arg(long, env = "SALTMINE_AGENT_CONTEXT_TOKENS", default_value_t = defaults::AGENT_CONTEXT_TOKENS.to_string(), value_name = "TOKENS")]
    pub agent_context_tokens: String,

    /// Time limit of an agent's complete reply
    #[arg(long, env = "SALTMINE_AGENT_TIMEOUT_SECONDS", default_value_t = defaults::AGENT_TIMEOUT_SECONDS.to_string(), value_name = "SECONDS")]
    pub agent_timeout_seconds: String,

    /// The address of the admin listener, such as `127.0.0.1:9090`: only this listener then has the management API, the
    /// metrics and the health checks
    #[arg(long, env = "SALTMINE_ADMIN_ADDRESS", value_name = "ADDRESS")]
    pub admin_address: Option<String>,

    /// Days to keep a conversation after its last message; 0: until it is deleted
    #[arg(long, env = "SALTMINE_RETENTION_DAYS", default_value = "0", value_name = "DAYS")]
    pub retention_days: String,

    /// After SIGTERM, time to report that the server is not ready before its socket is closed
    #[arg(long, env = "SALTMINE_DRAIN_SECONDS", default_value = "5", value_name = "SECONDS")]
    pub drain_seconds: String,

    /// Time limit of pending requests when the server stops
    #[arg(long, env = "SALTMINE_SHUTDOWN_SECONDS", default_value_t = defaults::SHUTDOWN_SECONDS.to_string(), value_name = "SECONDS")]
    pub shutdown_seconds: String,

    /// A folder of files to serve at `/`
    #[arg(long, env = "SALTMINE_STATIC_DIR", value_name = "FOLDER")]
    pub static_dir: Option<PathBuf>,

    /// The folder of generated secrets (development only)
    #[arg(long, env = "SALTMINE_STATE_DIR", default_value = ".saltmine", value_name = "FOLDER")]
    pub state_dir: PathBuf,
}
