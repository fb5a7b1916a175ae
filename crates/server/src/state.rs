use crate::http::RateLimiter;
use crate::{Agents, Clock, Random, Secret, Store, Tokens};
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What the operator decided, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The proof of work to ask for; `None` opens sessions without.
    pub proof_of_work: Option<ProofOfWork>,
    /// Signs session tokens.
    pub token_secret: Secret,
    /// How long a session token is good, in seconds.
    pub session_lifetime_seconds: u32,
    /// Opens the management API; `None` keeps it closed.
    pub management_key: Option<Secret>,
    /// How often one address may ask for challenges and sessions; `None` sets no limit.
    pub rate_limit: Option<RateLimit>,
    /// A folder of files to serve at `/`.
    pub static_dir: Option<PathBuf>,
    /// How long a client may take to send a request's head, and a connection may lie idle.
    pub head_timeout: Duration,
    /// How long a request may take until its answer begins.
    pub request_timeout: Duration,
}

impl Settings {
    /// The defaults, with proof of work off and the management API closed.
    #[must_use]
    pub fn new(token_secret: Secret) -> Self {
        Self {
            proof_of_work: None,
            token_secret,
            session_lifetime_seconds: 30 * 24 * 60 * 60,
            management_key: None,
            rate_limit: None,
            static_dir: None,
            head_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
        }
    }
}

/// The proof of work to ask for.
#[derive(Clone, Debug)]
pub struct ProofOfWork {
    /// Signs challenges.
    pub secret: Secret,
    /// The largest number that may solve a challenge: twice the hashes that a visitor computes on average.
    pub max_number: u64,
    /// How long a challenge lives, in seconds.
    pub ttl_seconds: u64,
}

/// How often one address may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a second, in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once, after a quiet while.
    pub burst: NonZeroU32,
}

/// All that the handlers share. A clone is the same state.
#[derive(Clone)]
pub struct AppState {
    pub(crate) settings: Arc<Settings>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) agents: Arc<Agents>,
    pub(crate) rate_limiter: Option<Arc<RateLimiter>>,
    pub(crate) request_ids: Arc<crate::http::RequestIds>,
}

impl AppState {
    /// Puts the parts together, with the built-in agents.
    ///
    /// # Errors
    ///
    /// If `random` fails.
    pub fn new(settings: Settings, store: Store, clock: impl Clock, random: impl Random) -> io::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(clock);
        Ok(Self {
            tokens: Arc::new(Tokens::new(&settings.token_secret, settings.session_lifetime_seconds)),
            agents: Arc::new(Agents::built_in()),
            rate_limiter: settings.rate_limit.map(|limit| Arc::new(RateLimiter::new(limit, clock.clone()))),
            request_ids: Arc::new(crate::http::RequestIds::new(&random)?),
            settings: Arc::new(settings),
            random: Arc::new(random),
            store,
            clock,
        })
    }

    /// The same state with other agents.
    #[must_use]
    pub fn with_agents(mut self, agents: Agents) -> Self {
        self.agents = Arc::new(agents);
        self
    }

    /// How many addresses the rate limiter remembers at the moment.
    #[must_use]
    pub fn limited_addresses(&self) -> usize {
        self.rate_limiter.as_ref().map_or(0, |limiter| limiter.len())
    }
}
