use crate::app_cache::AppCache;
use crate::http::{BodyMemory, KnownApiKeys, RateLimiter, Readiness, RequestIds};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::proof_of_work::Issuer;
use crate::state::Parts;
use crate::{Agents, AppState, Clock, Random, Settings, Store, SystemClock, SystemRandom, Tokens};
use std::io;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// Builds an [`AppState`].
pub struct AppStateBuilder {
    settings: Settings,
    store: Store,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    agents: Arc<Agents>,
}

impl AppStateBuilder {
    pub(crate) fn new(settings: Settings, store: Store) -> Self {
        let agents = Arc::new(Agents::built_in());
        Self {
            settings,
            store,
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom),
            agents,
        }
    }

    /// Sets the source of time.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the source of random numbers.
    #[must_use]
    pub fn random(mut self, random: impl Random) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Sets the agents.
    #[must_use]
    pub fn agents(mut self, agents: impl Into<Arc<Agents>>) -> Self {
        self.agents = agents.into();
        self
    }

    /// Builds the state.
    ///
    /// # Errors
    ///
    /// If the source of random numbers fails, or the address of Redis is invalid.
    pub fn build(self) -> io::Result<AppState> {
        let Self { settings, store, clock, random, agents } = self;
        let tokens = Tokens::new(
            &settings.token_secret,
            settings.second_token_secret.as_ref(),
            settings.session_lifetime_seconds,
        );
        let limits = Limits::new(settings.limits.clone(), clock.clone(), &*random)?;
        let metrics = Metrics::new(&limits);
        let issuer = settings.proof_of_work.as_ref();
        let issuer = issuer.map(|it| Arc::new(Issuer::new(it, random.clone(), metrics.pool.clone())));
        let rate_limiter = settings.rate_limit.map(|limit| Arc::new(RateLimiter::new(limit, clock.clone())));
        Ok(AppState::from_parts(Parts {
            tokens: Arc::new(tokens),
            agents,
            apps: Arc::new(AppCache::new(store.clone(), clock.clone())),
            rate_limiter,
            request_ids: Arc::new(RequestIds::new(&*random)?),
            metrics: Arc::new(metrics),
            issuer,
            limits: Arc::new(limits),
            readiness: Arc::new(Readiness::default()),
            body_memory: BodyMemory::default(),
            known_api_keys: KnownApiKeys::default(),
            draining: Arc::default(),
            pending_writes: TaskTracker::new(),
            settings,
            random,
            store,
            clock,
        }))
    }
}
