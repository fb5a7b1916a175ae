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
use tokio_util::task::TaskTracker;

/// The checked settings of the operator.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The required proof of work; `None`: sessions require none.
    pub proof_of_work: Option<ProofOfWork>,
    /// Signs session tokens.
    pub token_secret: Secret,
    /// Tokens signed with this secret are valid too: the previous secret, or the next.
    pub second_token_secret: Option<Secret>,
    /// The lifetime of a session token, in seconds.
    pub session_lifetime_seconds: u32,
    /// Whether pages of the demo app may add keys of signed-in users to it.
    pub is_development: bool,
    /// The key of the management API; `None`: the API is closed.
    pub management_key: Option<Secret>,
    /// The second key and the audit log of the management API.
    pub management: ManagementSettings,
    /// The rate limit of one address for challenges and sessions; `None`: no limit.
    pub rate_limit: Option<RateLimit>,
    /// The quotas of the run API, the adaptive difficulty of challenges, and the address of shared counters.
    pub limits: LimitSettings,
    /// Proxies whose `X-Forwarded-For`, `X-Request-Id` and `traceparent` are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// A folder of files to serve at `/`.
    pub static_dir: Option<PathBuf>,
    /// The maximum number of connections.
    pub max_connections: NonZeroU32,
    /// The maximum number of connections of one address, except trusted proxies.
    pub max_connections_per_address: NonZeroU32,
    /// The time limit of a request's head, and of an idle connection.
    pub head_timeout: Duration,
    /// The time limit of a request's body.
    pub body_timeout: Duration,
    /// The time limit until a response begins, without the agent's time.
    pub request_timeout: Duration,
    /// The instructions that every agent receives before a conversation.
    pub agent_prompt: Option<String>,
    /// The maximum size of a conversation that an agent receives.
    pub context_budget: ContextBudget,
    /// The time limit of an agent's complete reply.
    pub agent_timeout: Duration,
    /// The time that a client may leave a response unread.
    pub write_timeout: Duration,
    /// The time limit of pending requests when the server stops.
    pub finish_time: Duration,
    /// The time to keep a conversation after its last message; `None`: until it is deleted.
    pub retention: Option<Duration>,
}

impl Settings {
    /// Returns the default settings, with proof of work off and the management API closed.
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

/// The settings of the management API, except its key.
#[derive(Clone, Debug)]
pub struct ManagementSettings {
    /// A second key, which permits only calls that change nothing.
    pub read_key: Option<Secret>,
    /// The maximum number of calls in the audit log; 0: no audit log.
    pub audit_entries: u32,
}

impl Default for ManagementSettings {
    /// Returns settings without a second key, and with an audit log.
    fn default() -> Self {
        Self { read_key: None, audit_entries: defaults::AUDIT_ENTRIES }
    }
}

/// A rate limit of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Requests a second, in the long run.
    pub per_second: NonZeroU32,
    /// The number of requests at once, after a time without requests.
    pub burst: NonZeroU32,
}

/// The state that the handlers share. A clone is a pointer to the same state.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

/// The parts of an [`AppState`].
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
    /// Issues challenges of version 2, if proof of work is on.
    pub(crate) issuer: Option<Arc<Issuer>>,
    pub(crate) readiness: Arc<crate::http::Readiness>,
    pub(crate) body_memory: crate::http::BodyMemory,
    pub(crate) known_api_keys: crate::http::KnownApiKeys,
    pub(crate) draining: Arc<AtomicBool>,
    /// Writes that no request waits for.
    pub(crate) pending_writes: TaskTracker,
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl AppState {
    /// Returns a builder. Its defaults are the system's clock, the system's random numbers and the built-in agent.
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

    /// Checks whether the Redis of the shared counters responds; `None` if this instance counts for itself.
    pub async fn check_shared_counters(&self) -> Option<bool> {
        self.limits.counters().check_shared().await
    }

    /// Returns the number of addresses that the rate limiter stores at the moment.
    #[must_use]
    pub fn limited_addresses(&self) -> usize {
        self.rate_limiter.as_ref().map_or(0, |limiter| limiter.len())
    }
}
