//! Counters of this instance, or of all instances where they share a Redis or Valkey.

use super::local::LocalCounters;
use super::shared::SharedCounters;
use crate::{Clock, RateLimit};
use prometheus_client::metrics::gauge::Gauge;
use std::sync::Arc;
use std::time::Duration;

/// A counter and its limit.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    pub(crate) key: String,
    pub(crate) limit: u64,
}

/// The same counters without limits, for an amount that has already been used.
pub(super) fn unlimited(counters: &[Counter]) -> Vec<Counter> {
    counters.iter().map(|counter| Counter { limit: u64::MAX, ..counter.clone() }).collect()
}

/// The state of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) used: u64,
    pub(crate) resets_in: Duration,
}

/// The result of adding an amount to counters.
#[derive(Clone, Debug)]
pub(crate) struct Taking {
    /// The index of the first counter that would exceed its limit; no counter counts the amount then.
    pub(crate) refused: Option<usize>,
    /// The state of each counter.
    pub(crate) usages: Vec<Usage>,
}

/// All counters. While Redis is not available, each instance uses its own counters, which it also updates while Redis
/// is available.
pub(crate) struct Counters {
    local: LocalCounters,
    shared: Option<Arc<SharedCounters>>,
    clock: Arc<dyn Clock>,
}

impl Counters {
    pub(super) fn new(shared: Option<Arc<SharedCounters>>, clock: Arc<dyn Clock>) -> Self {
        Self { local: LocalCounters::default(), shared, clock }
    }

    /// Adds `amount` to every counter, or to none if one would exceed its limit.
    pub(super) async fn take(&self, counters: &[Counter], window: Duration, amount: u64) -> Taking {
        let Some(shared) = &self.shared else {
            return self.local.take(counters, window, amount, self.clock.elapsed(), false);
        };
        self.share_missed(shared, counters).await;
        if let Some(taking) = shared.take(counters, window, amount).await {
            if taking.refused.is_none() {
                self.local.take(&unlimited(counters), window, amount, self.clock.elapsed(), false);
            }
            return taking;
        }
        self.local.take(counters, window, amount, self.clock.elapsed(), true)
    }

    /// Adds to the shared counters the amounts that were counted while Redis was not available. Counters that Redis has
    /// lost do not come back.
    async fn share_missed(&self, shared: &SharedCounters, counters: &[Counter]) {
        for missed in self.local.missed(counters, self.clock.elapsed(), || shared.new_id()) {
            if shared.add_once(&missed).await.is_some() {
                self.local.note_shared(&missed);
            }
        }
    }

    /// Adds `amount` to every counter, whatever its limit is.
    pub(super) async fn add(&self, counters: &[Counter], window: Duration, amount: u64) {
        let counters = unlimited(counters);
        let is_missed = match &self.shared {
            Some(shared) => shared.take(&counters, window, amount).await.is_none(),
            None => false,
        };
        self.local.take(&counters, window, amount, self.clock.elapsed(), is_missed);
    }

    /// Counts an event at `now` on every rate, and returns the counts, which halve within each half-life.
    pub(super) async fn count_event(&self, keys: &[String], half_life: Duration, now: Duration) -> Vec<f64> {
        let local = self.local.count_event(keys, half_life, now);
        match &self.shared {
            Some(shared) => shared.count_event(keys, half_life).await.unwrap_or(local),
            None => local,
        }
    }

    /// Returns whether Redis responds; `None` if no counter is shared.
    pub(crate) async fn check_shared(&self) -> Option<bool> {
        Some(self.shared.as_ref()?.check().await)
    }

    /// Returns the gauge that is 1 while Redis responds; `None` if no counter is shared.
    pub(crate) fn shared_availability(&self) -> Option<Gauge> {
        Some(self.shared.as_ref()?.availability())
    }

    /// Counts a request against a rate limit that all instances share. Returns `None` if no counters are shared at the
    /// moment, else whether the request is within the limit, or the time to wait.
    pub(crate) async fn check_rate(&self, key: &str, limit: RateLimit) -> Option<Result<(), Duration>> {
        self.shared.as_ref()?.check_rate(key, limit).await
    }

    /// Returns a lease of every counter, which ends when it is dropped, or the index of the first counter that is at its
    /// limit.
    pub(super) async fn lease(self: &Arc<Self>, counters: Vec<Counter>) -> Result<Lease, usize> {
        let granted = match &self.shared {
            Some(shared) => shared.lease(&counters).await,
            None => None,
        };
        let shared_id = match granted {
            Some(Ok(id)) => {
                self.local.lease(&unlimited(&counters))?;
                Some(id)
            }
            Some(Err(index)) => return Err(index),
            None => {
                self.local.lease(&counters)?;
                None
            }
        };
        Ok(Lease { owner: self.clone(), counters, shared_id })
    }

    /// Removes the counters whose state is that of new ones.
    pub(super) fn forget_expired(&self) {
        self.local.forget_expired(self.clock.elapsed());
    }
}

/// A lease of counters of simultaneous uses, which ends when it is dropped.
pub(crate) struct Lease {
    owner: Arc<Counters>,
    counters: Vec<Counter>,
    shared_id: Option<String>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.owner.local.release(self.counters.iter().map(|counter| &*counter.key));
        if let (Some(id), Some(shared)) = (self.shared_id.take(), &self.owner.shared) {
            let keys = self.counters.iter().map(|counter| counter.key.clone()).collect();
            shared.clone().release(id, keys);
        }
    }
}
