//! The metrics, in the format of Prometheus.

use crate::limits::Limits;
use crate::runtime_metrics::RuntimeMetrics;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use saltmine_protocol::Refusal;
use std::time::Duration;

/// The counters of a server. All are zero when the process starts.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latencies: Family<RouteLabels, Histogram>,
    pub(crate) challenges_issued: Counter,
    pub(crate) challenges_spent: Counter,
    refusals: Family<ReasonLabels, Counter>,
    sessions: Family<SessionLabels, Counter>,
    replies: Family<ReplyLabels, Counter>,
    first_pieces: Family<AgentLabels, Histogram>,
    pub(crate) connections: Gauge,
    pub(crate) runtime: RuntimeMetrics,
    pub(crate) pool: PoolMetrics,
}

/// The metrics of the challenges of version 2 that are made in advance.
#[derive(Clone, Debug, Default)]
pub(crate) struct PoolMetrics {
    /// Challenges that are ready.
    pub(crate) ready: Gauge,
    /// Challenges that were made, each with one key derivation.
    pub(crate) made: Counter,
    /// Requests without a ready challenge.
    pub(crate) waited: Counter,
    /// Requests that were refused because too many were waiting.
    pub(crate) refused: Counter,
}

impl PoolMetrics {
    fn register(&self, registry: &mut Registry) {
        let Self { ready, made, waited, refused } = self.clone();
        registry.register("challenge_pool_ready", "Challenges of version 2 that are ready", ready);
        registry.register("challenge_pool_made", "Challenges of version 2 that were made", made);
        registry.register("challenge_pool_waited", "Requests without a ready challenge", waited);
        registry.register("challenge_pool_refused", "Requests refused because too many waited", refused);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SessionLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReplyLabels {
    agent: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AgentLabels {
    agent: String,
}

/// The kind of a new session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionKind {
    /// For a new user.
    New,
    /// For the user of an earlier session.
    Refreshed,
}

impl SessionKind {
    fn label(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Refreshed => "refreshed",
        }
    }
}

/// The result of an agent's reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplyOutcome {
    /// The reply is stored.
    Answered,
    /// The agent failed, or the reply could not be stored.
    Failed,
    /// The client closed the connection before the end.
    Cancelled,
}

impl Metrics {
    pub(crate) fn new(limits: &Limits) -> Self {
        let mut registry = Registry::with_prefix("saltmine");
        let requests = Family::<RequestLabels, Counter>::default();
        // From half a millisecond to sixteen seconds.
        let histogram: fn() -> Histogram = || Histogram::new(exponential_buckets(0.0005, 2.0, 16));
        let latencies = Family::<RouteLabels, Histogram>::new_with_constructor(histogram);
        let challenges_issued = Counter::default();
        let challenges_spent = Counter::default();
        let refusals = Family::<ReasonLabels, Counter>::default();
        let sessions = Family::<SessionLabels, Counter>::default();
        let replies = Family::<ReplyLabels, Counter>::default();
        let connections = Gauge::default();
        registry.register("http_requests", "HTTP requests", requests.clone());
        registry.register("http_request_duration_seconds", "Time until a response began", latencies.clone());
        registry.register("challenges_issued", "Challenges issued", challenges_issued.clone());
        registry.register("challenges_spent", "Solutions accepted", challenges_spent.clone());
        registry.register("challenges_refused", "Solutions refused", refusals.clone());
        registry.register("sessions", "Sessions opened", sessions.clone());
        registry.register("agent_replies", "Replies of agents", replies.clone());
        let first_pieces = Family::<AgentLabels, Histogram>::new_with_constructor(histogram);
        let help = "Time from the question until an agent's first piece of text";
        registry.register("agent_first_token_seconds", help, first_pieces.clone());
        let runtime = RuntimeMetrics::register(&mut registry);
        registry.register("connections", "Connections open", connections.clone());
        registry.register("quota_refusals", "Requests that a quota refused", limits.refusals.0.clone());
        let help = "Multiples of the configured work that challenges required";
        registry.register("challenge_work_factor", help, limits.prices.0.clone());
        if let Some(gauge) = limits.counters().shared_availability() {
            let help = "1 while Redis responds, 0 while this instance counts for itself";
            registry.register("shared_counters_available", help, gauge);
        }
        let pool = PoolMetrics::default();
        pool.register(&mut registry);
        // Created at the start, so that a monitoring system sees them start at zero.
        for refusal in [Refusal::Required, Refusal::Invalid, Refusal::Expired, Refusal::Replayed] {
            drop(refusals.get_or_create(&ReasonLabels { reason: refusal.reason() }));
        }
        for kind in [SessionKind::New, SessionKind::Refreshed] {
            drop(sessions.get_or_create(&SessionLabels { kind: kind.label() }));
        }
        Self {
            registry,
            requests,
            latencies,
            challenges_issued,
            challenges_spent,
            refusals,
            sessions,
            replies,
            first_pieces,
            connections,
            pool,
            runtime,
        }
    }

    pub(crate) fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        self.latencies.get_or_create(&RouteLabels { route: route.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&RequestLabels { method, route, status }).inc();
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&ReasonLabels { reason }).inc();
    }

    pub(crate) fn session(&self, kind: SessionKind) {
        self.sessions.get_or_create(&SessionLabels { kind: kind.label() }).inc();
    }

    pub(crate) fn reply(&self, agent: &str, outcome: ReplyOutcome) {
        let outcome = match outcome {
            ReplyOutcome::Answered => "answered",
            ReplyOutcome::Failed => "failed",
            ReplyOutcome::Cancelled => "cancelled",
        };
        self.replies.get_or_create(&ReplyLabels { agent: agent.to_owned(), outcome }).inc();
    }

    pub(crate) fn first_piece(&self, agent: &str, took: Duration) {
        let labels = AgentLabels { agent: agent.to_owned() };
        self.first_pieces.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Returns all metrics in the text format of OpenMetrics.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("a string takes all that is written to it");
        text
    }
}
