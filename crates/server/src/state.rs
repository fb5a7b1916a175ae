use crate::app_cache::AppCache;
use crate::http::RateLimiter;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::proof_of_work::{Issuer, ProofOfWork};
use crate::state_builder::AppStateBuilder;
use crate::{Agents, Clock, ContextBudget, LimitSettings, Random, Secret, Store, Tokens, defaults};
use ipnet::IpNet;
use std::num::NonZeroU32;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What the operator decided, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The proof of work to ask for; `None` opens sessions without.
    pub proof_of_work: Option<ProofOfWork>,
    /// Signs session tokens.
    pub token_secret: Secret,
    /// Tokens signed with this one are good too: the secret of before, or the next.
    pub second_token_secret: Option<Secret>,
    /// How long a session token is good, in seconds.
    pub session_lifetime_seconds: u32,
    /// Whether pages of the demo app may add keys of signed-in users to it.
    pub is_development: bool,
    /// Opens the management API; `None` keeps it closed.
    pub management_key: Option<Secret>,
    /// The second key and the audit log of the management API.
    pub management: ManagementSettings,
    /// How often one address may ask for challenges and sessions; `None` sets no limit.
    pub rate_limit: Option<RateLimit>,
    /// Quotas of the run API, the adaptive difficulty of challenges, and where counters are shared.
    pub limits: LimitSettings,
    /// Proxies whose `X-Forwarded-For`, `X-Request-Id` and `traceparent` are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// A folder of files to serve at `/`.
    pub static_dir: Option<PathBuf>,
    /// How many connections there may be.
    pub max_connections: NonZeroU32,
    /// How many of them one address may have, trusted proxies apart.
    pub max_connections_per_address: NonZeroU32,
    /// How long a client may take to send a request's head, and a connection may lie idle.
    pub head_timeout: Duration,
    /// How long a client may take to send a request's body.
    pub body_timeout: Duration,
    /// How long a request may take until its answer begins, the agent's time apart.
    pub request_timeout: Duration,
    /// The instructions that every agent receives before a conversation.
    pub agent_prompt: Option<String>,
    /// How much of a conversation an agent receives.
    pub context_budget: ContextBudget,
    /// How long an agent may take to answer.
    pub agent_timeout: Duration,
    /// How long a client may leave what it is sent unread.
    pub write_timeout: Duration,
    /// How long pending requests may take to finish once the server receives the order to stop.
    pub finish_time: Duration,
    /// How long conversations are kept after their last message; `None` keeps them until they are deleted.
    pub retention: Option<Duration>,
}

impl Settings {
    /// The defaults, with proof of work off and the management API closed.
    #[must_use]
    pub fn new(token_secret: Secret) -> Self {
        Self {
            proof_of_work: None,
            token_secret,
            second_token_secret: None,
            session_lifetime_seconds: defaults::SESSION_LIFETIME_SECONDS,
            is_development: false,
            management_key: None,
            management: ManagementSettings::default(),
            rate_limit: None,
            limits: LimitSettings::default(),
            trusted_proxies: Vec::new(),
            static_dir: None,
            max_connections: NonZeroU32::new(defaults::MAX_CONNECTIONS).expect("it is not zero"),
            max_connections_per_address: NonZeroU32::new(defaults::MAX_CONNECTIONS_PER_ADDRESS)
                .expect("it is not zero"),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(20),
            request_timeout: Duration::from_secs(30),
            agent_prompt: None,
            context_budget: ContextBudget::default(),
            agent_timeout: Duration::from_secs(defaults::AGENT_TIMEOUT_SECONDS),
            write_timeout: Duration::from_secs(30),
            finish_time: Duration::from_secs(defaults::SHUTDOWN_SECONDS),
            retention: None,
        }
    }
}

/// What belongs to the management API beside its key.
#[derive(Clone, Debug)]
pub struct ManagementSettings {
    /// A second key, which permits only calls that change nothing.
    pub read_key: Option<Secret>,
    /// How many calls the audit log has at most; 0 keeps none.
    pub audit_entries: u32,
}

impl Default for ManagementSettings {
    /// No second key, and an audit log.
    fn default() -> Self {
        Self { read_key: None, audit_entries: defaults::AUDIT_ENTRIES }
    }
}

/// How often one address may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a second, in the long run.
    pub per_second: NonZeroU32,
    /// Requests at once, after a quiet while.
    pub burst: NonZeroU32,
}

/// All that the handlers share. A clone is the same state, and costs as little as one pointer.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// What an [`AppState`] is made of.
pub struct Parts {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) agents: Arc<Agents>,
    pub(crate) apps: Arc<AppCache>,
    pub(crate) rate_limiter: Option<Arc<RateLimiter>>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) request_ids: Arc<crate::http::RequestIds>,
    pub(crate) metrics: Arc<Metrics>,
    /// Issues challenges of version 2, where proof of work is on.
    pub(crate) issuer: Option<Arc<Issuer>>,
    pub(crate) readiness: Arc<crate::http::Readiness>,
    pub(crate) draining: Arc<AtomicBool>,
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl AppState {
    /// Starts to build a state: with the system's clock and random numbers and the built-in agent, unless the builder
    /// receives others.
    #[must_use]
    pub fn builder(settings: Settings, store: Store) -> AppStateBuilder {
        AppStateBuilder::new(settings, store)
    }

    pub(crate) fn from_parts(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Makes `GET /readyz` return 503 from now on, and asks clients to close their connections: the server is about to
    /// stop, and a load balancer should send requests elsewhere.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Returns whether [`start_draining`](Self::start_draining) was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// How many addresses the rate limiter remembers at the moment.
    #[must_use]
    pub fn limited_addresses(&self) -> usize {
        self.rate_limiter.as_ref().map_or(0, |limiter| limiter.len())
    }
}
