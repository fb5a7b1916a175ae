#![doc = include_str!("../README.md")]

mod agent;
mod allowed_domain;
mod api_keys;
mod app_cache;
mod apps;
mod audit;
mod clock;
pub mod config;
mod connection_limits;
mod context;
mod conversations;
mod cut_json;
mod defaults;
pub mod development;
mod error;
mod http;
mod limits;
mod lock;
mod maintenance;
mod metrics;
#[cfg(feature = "otlp")]
pub mod otlp;
mod private_file;
mod proof_of_work;
mod random;
mod revocations;
mod runtime_metrics;
mod secret;
mod serve;
mod state;
mod state_builder;
mod store;
mod suggestion;
mod token;
mod trace_context;
mod user_keys;
mod user_tokens;
mod widget_events;

pub use agent::{
    Agent, AgentError, Agents, ChatCompletions, ChatCompletionsSettings, Echo, Message, Reply, Role,
};
pub use allowed_domain::{AllowedDomain, InvalidDomain};
pub use api_keys::ApiKey;
pub use apps::{App, AppConfig, AppType, Owner, WebClient};
pub use clock::{Clock, SystemClock};
pub use context::ContextBudget;
pub use error::Error;
pub use http::RequestHandler;
pub use limits::{AdaptivePrice, LimitSettings, PriceCurve, QuotaLimits};
pub use maintenance::sweep;
pub use proof_of_work::{KeyDerivation, PowBinding, PowScope, PowVersion, PowVersions, ProofOfWork};
pub use random::{Random, SystemRandom};
/// The key derivation of a challenge of version 2.
pub use saltmine_protocol::v2::Algorithm as KeyAlgorithm;
pub use secret::Secret;
pub use serve::{Listeners, serve};
pub use state::{AppState, ManagementSettings, RateLimit, Settings};
pub use state_builder::AppStateBuilder;
pub use store::{Store, StoreError};
pub use token::{Claims, Tokens};
pub use user_keys::{InvalidKey, UserKey, UserKeyAlgorithm};
pub use user_tokens::UserTokenError;
