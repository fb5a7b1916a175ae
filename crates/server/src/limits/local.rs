//! Counters in the memory of this process. The time is an argument.

use super::counters::{Counter, Taking, Usage};
use crate::lock::lock;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// The number of half-lives after which an event is negligible.
const FORGOTTEN_AFTER_HALF_LIVES: u32 = 20;

/// The counters of this process.
#[derive(Default)]
pub(super) struct LocalCounters {
    windows: Mutex<HashMap<String, Window>>,
    rates: Mutex<HashMap<String, Rate>>,
    leases: Mutex<HashMap<String, u64>>,
}

/// A count that starts at the first use and expires after a fixed time.
struct Window {
    used: u64,
    /// The part of `used` that no batch for Redis has.
    missed: u64,
    /// The part of `used` that is sent to Redis until Redis responds.
    batch: Option<Batch>,
    ends_at: Duration,
}

/// An amount that Redis may have counted or not. It counts each id once.
#[derive(Clone)]
struct Batch {
    id: String,
    amount: u64,
}

/// A batch of a counter, with the rest of its window.
pub(super) struct MissedAmount {
    pub(super) key: String,
    pub(super) id: String,
    pub(super) amount: u64,
    pub(super) resets_in: Duration,
}

/// A count that halves within each half-life.
struct Rate {
    count: f64,
    at: Duration,
    forget_at: Duration,
}

impl LocalCounters {
    /// Adds `amount` to every counter, or to none if one would exceed its limit. If Redis is shared and has not counted the
    /// amount, `is_missed` keeps it for [`missed`](Self::missed).
    pub(super) fn take(
        &self,
        counters: &[Counter],
        window: Duration,
        amount: u64,
        now: Duration,
        is_missed: bool,
    ) -> Taking {
        let mut windows = lock(&self.windows);
        let usages = counters.iter().map(|counter| match windows.get(&counter.key) {
            Some(entry) if now < entry.ends_at => {
                Usage { used: entry.used, resets_in: entry.ends_at.saturating_sub(now) }
            }
            _ => Usage { used: 0, resets_in: window },
        });
        let mut usages: Vec<Usage> = usages.collect();
        let refused = counters
            .iter()
            .zip(&usages)
            .position(|(counter, usage)| usage.used.saturating_add(amount) > counter.limit);
        if refused.is_none() {
            for (counter, usage) in counters.iter().zip(&mut usages) {
                usage.used = usage.used.saturating_add(amount);
                let ends_at = now + usage.resets_in;
                let new = Window { used: 0, missed: 0, batch: None, ends_at };
                let entry = match windows.get_mut(&counter.key) {
                    Some(entry) if entry.ends_at == ends_at => entry,
                    _ => windows.entry(counter.key.clone()).insert_entry(new).into_mut(),
                };
                entry.used = usage.used;
                if is_missed {
                    entry.missed = entry.missed.saturating_add(amount);
                }
            }
        }
        Taking { refused, usages }
    }

    /// Returns the amounts of the counters that Redis may not have counted. `new_id` returns an id for a new batch.
    pub(super) fn missed(
        &self,
        counters: &[Counter],
        now: Duration,
        new_id: impl Fn() -> String,
    ) -> Vec<MissedAmount> {
        let mut windows = lock(&self.windows);
        let missed = counters.iter().filter_map(|counter| {
            let entry = windows.get_mut(&counter.key).filter(|entry| now < entry.ends_at)?;
            if entry.batch.is_none() && entry.missed > 0 {
                let amount = std::mem::take(&mut entry.missed);
                entry.batch = Some(Batch { id: new_id(), amount });
            }
            let Batch { id, amount } = entry.batch.clone()?;
            Some(MissedAmount { key: counter.key.clone(), id, amount, resets_in: entry.ends_at - now })
        });
        missed.collect()
    }

    /// Notes that Redis has counted a batch.
    pub(super) fn note_shared(&self, missed: &MissedAmount) {
        if let Some(entry) = lock(&self.windows).get_mut(&missed.key) {
            entry.batch.take_if(|batch| batch.id == missed.id);
        }
    }

    /// Counts an event on every rate, and returns the counts with it.
    pub(super) fn count_event(&self, keys: &[String], half_life: Duration, now: Duration) -> Vec<f64> {
        let mut rates = lock(&self.rates);
        let counts = keys.iter().map(|key| {
            let rate = rates.entry(key.clone()).or_insert(Rate { count: 0.0, at: now, forget_at: now });
            let half_lives = now.saturating_sub(rate.at).as_secs_f64() / half_life.as_secs_f64();
            rate.count = rate.count * 0.5_f64.powf(half_lives) + 1.0;
            rate.at = now;
            rate.forget_at = now + half_life * FORGOTTEN_AFTER_HALF_LIVES;
            rate.count
        });
        counts.collect()
    }

    /// Adds one lease to every counter, or returns the index of the first that is at its limit.
    pub(super) fn lease(&self, counters: &[Counter]) -> Result<(), usize> {
        let mut leases = lock(&self.leases);
        let held = |counter: &Counter| leases.get(&counter.key).copied().unwrap_or(0);
        if let Some(index) = counters.iter().position(|counter| held(counter) >= counter.limit) {
            return Err(index);
        }
        for counter in counters {
            *leases.entry(counter.key.clone()).or_default() += 1;
        }
        Ok(())
    }

    /// Ends one lease of every key.
    pub(super) fn release<'a>(&self, keys: impl IntoIterator<Item = &'a str>) {
        let mut leases = lock(&self.leases);
        for key in keys {
            if let Some(count) = leases.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    leases.remove(key);
                }
            }
        }
    }

    /// Removes the counters whose state is that of new ones.
    pub(super) fn forget_expired(&self, now: Duration) {
        let mut windows = lock(&self.windows);
        windows.retain(|_, entry| now < entry.ends_at);
        windows.shrink_to_fit();
        let mut rates = lock(&self.rates);
        rates.retain(|_, rate| now < rate.forget_at);
        rates.shrink_to_fit();
    }

    /// Returns the number of counters.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.windows).len() + lock(&self.rates).len() + lock(&self.leases).len()
    }
}

#[cfg(test)]
mod tests {
    use super::LocalCounters;
    use crate::limits::counters::Counter;
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_secs(60);

    fn counter(key: &str, limit: u64) -> Counter {
        Counter { key: key.to_owned(), limit }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_window_begins_with_the_first_use() {
        let local = LocalCounters::default();
        let counters = [counter("a", 3)];
        for used in 1..=3 {
            let taking = local.take(&counters, MINUTE, 1, at(50 + used), false);
            assert_eq!((taking.refused, taking.usages[0].used), (None, used));
        }
        let refused = local.take(&counters, MINUTE, 1, at(100), false);
        assert_eq!((refused.refused, refused.usages[0].resets_in), (Some(0), at(11)));
        assert_eq!(local.take(&counters, MINUTE, 1, at(111), false).refused, None);
    }

    #[test]
    fn what_one_counter_refuses_no_counter_counts() {
        let local = LocalCounters::default();
        let counters = [counter("a", 10), counter("b", 1)];
        assert_eq!(local.take(&counters, MINUTE, 1, at(0), false).refused, None);
        assert_eq!(local.take(&counters, MINUTE, 1, at(0), false).refused, Some(1));
        assert_eq!(local.take(&counters[..1], MINUTE, 9, at(0), false).refused, None);
        assert_eq!(local.take(&counters[..1], MINUTE, 1, at(0), false).refused, Some(0));
    }

    #[test]
    fn a_rate_halves_within_its_half_life() {
        let local = LocalCounters::default();
        let keys = ["a".to_owned()];
        for _ in 0..7 {
            local.count_event(&keys, MINUTE, at(0));
        }
        assert_eq!(local.count_event(&keys, MINUTE, at(0)), [8.0]);
        assert_eq!(local.count_event(&keys, MINUTE, at(60)), [5.0]);
        assert_eq!(local.count_event(&keys, MINUTE, at(180)), [2.25]);
    }

    #[test]
    fn a_lease_ends() {
        let local = LocalCounters::default();
        let counters = [counter("a", 1), counter("b", 5)];
        assert_eq!(local.lease(&counters), Ok(()));
        assert_eq!(local.lease(&counters), Err(0));
        local.release(["a", "b"]);
        assert_eq!(local.lease(&counters), Ok(()));
    }

    #[test]
    fn expired_counters_are_forgotten() {
        let local = LocalCounters::default();
        local.take(&[counter("a", 1)], MINUTE, 1, at(0), false);
        local.count_event(&["b".to_owned()], MINUTE, at(0));
        local.forget_expired(at(59));
        assert_eq!(local.len(), 2);
        local.forget_expired(at(60));
        assert_eq!(local.len(), 1);
        local.forget_expired(at(20 * 60));
        assert_eq!(local.len(), 0);
    }
}
