//! Gauges that are read when the metrics are requested, and constant metrics.

use crate::AppState;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// The gauges.
pub(crate) struct RuntimeMetrics {
    database_connections: Family<PoolLabels, Gauge>,
    waiting_spends: Gauge,
    difficulty: Gauge,
    v2_cost: Gauge,
    v2_max_counter: Gauge,
    draining: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabels {
    state: &'static str,
}

impl RuntimeMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            database_connections: Family::default(),
            waiting_spends: Gauge::default(),
            difficulty: Gauge::default(),
            v2_cost: Gauge::default(),
            v2_max_counter: Gauge::default(),
            draining: Gauge::default(),
        };
        let Self { database_connections, waiting_spends, difficulty, v2_cost, v2_max_counter, draining } =
            &metrics;
        registry.register(
            "database_connections",
            "Connections to the database: in use, idle, and the maximum",
            database_connections.clone(),
        );
        registry.register("waiting_spends", "Solutions that wait for the database", waiting_spends.clone());
        registry.register(
            "pow_max_number",
            "The configured maximum number of a challenge of version 1; 0 without proof of work",
            difficulty.clone(),
        );
        registry.register(
            "pow_v2_cost",
            "The configured cost of a challenge of version 2; 0 without proof of work",
            v2_cost.clone(),
        );
        registry.register(
            "pow_v2_max_counter",
            "The configured maximum counter of a challenge of version 2; 0 without proof of work",
            v2_max_counter.clone(),
        );
        registry.register("draining", "1 while the server is about to stop", draining.clone());
        let version = ("version", env!("CARGO_PKG_VERSION"));
        registry.register("build", "The version of the server", Info::new([version]));
        metrics
    }

    /// Reads the gauges.
    pub(crate) fn update(&self, state: &AppState) {
        let connections = state.store.connections();
        let in_use = connections.open.saturating_sub(connections.idle);
        for (state, count) in [("in_use", in_use), ("idle", connections.idle), ("max", connections.max)] {
            self.database_connections.get_or_create(&PoolLabels { state }).set(count.into());
        }
        self.waiting_spends.set(i64::try_from(state.store.waiting_spends()).unwrap_or(i64::MAX));
        let pow = state.settings.proof_of_work.as_ref();
        self.difficulty.set(i64::try_from(pow.map_or(0, |pow| pow.max_number)).unwrap_or(i64::MAX));
        self.v2_cost.set(pow.map_or(0, |pow| pow.key_derivation.cost.into()));
        self.v2_max_counter.set(pow.map_or(0, |pow| (*pow.key_derivation.counters.end()).into()));
        self.draining.set(state.is_draining().into());
    }
}
