//! The reference server for the saltmine client: it issues proof-of-work challenges, exchanges their solutions for
//! anonymous session tokens, and answers the run API that a chat widget calls next.
//!
//! A [`Front`] answers the requests to an [`AppState`]; [`serve`] puts it on a socket. What must be remembered is in
//! the [`Store`]; time and randomness come in through [`Clock`] and [`Random`].
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use saltmine_server::{AppState, Settings, Store, SystemClock, SystemRandom, serve};
//!
//! let settings = Settings::new("a token secret of at least 32 characters".into());
//! let store = Store::open("sqlite://saltmine.db").await?;
//! let state = AppState::new(settings, store, SystemClock::default(), SystemRandom)?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8787").await?;
//! serve(listener, state, std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```

mod agent;
mod allowed_domain;
mod api_keys;
mod app_cache;
mod apps;
mod clock;
pub mod config;
mod conversations;
pub mod development;
mod error;
mod http;
mod maintenance;
mod metrics;
mod random;
mod secret;
mod serve;
mod state;
mod store;
mod token;

pub use agent::{
    Agent, AgentError, Agents, ChatCompletions, ChatCompletionsSettings, Echo, Message, Reply, Role,
};
pub use allowed_domain::{AllowedDomain, InvalidDomain};
pub use api_keys::ApiKey;
pub use apps::{App, AppConfig, AppType, Owner, WebClient};
pub use clock::{Clock, SystemClock};
pub use error::Error;
pub use http::Front;
pub use maintenance::sweep;
pub use random::{Random, SystemRandom};
pub use secret::Secret;
pub use serve::serve;
pub use state::{AppState, PowScope, ProofOfWork, RateLimit, Settings};
pub use store::{Store, StoreError};
pub use token::{Claims, Tokens};
