//! Counters in Redis or Valkey, shared by all instances.

use super::counters::{Counter, Taking, Usage};
use super::local::MissedAmount;
use super::scripts;
use crate::lock::lock;
use crate::{Clock, Random, RateLimit, Secret};
use prometheus_client::metrics::gauge::Gauge;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, FromRedisValue, RedisError, Script};
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// The time that a request waits for Redis before this instance counts for itself.
const PATIENCE: Duration = Duration::from_millis(500);

/// The time without requests to Redis after it failed. Then one request tries again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The lifetime of a lease. The leases of a killed instance remain for this time.
const LEASE_LIFETIME: Duration = Duration::from_secs(15);

/// The time between two renewals of an instance's leases.
const RENEWAL_PERIOD: Duration = Duration::from_secs(5);

/// The prefix of every key.
const PREFIX: &str = "saltmine:";

/// The connection to Redis, and whether Redis is available. A method returns `None` while it is not.
pub(super) struct SharedCounters {
    connection: ConnectionManager,
    scripts: Scripts,
    clock: Arc<dyn Clock>,
    /// The time of the next attempt to use Redis, in milliseconds of the clock.
    retry_at: AtomicU64,
    is_away: AtomicBool,
    /// 1 from a response of Redis on until it fails.
    availability: Gauge,
    /// The keys of this instance's leases, by id.
    leases: Mutex<HashMap<String, Vec<String>>>,
    instance: String,
    id_count: AtomicU64,
}

struct Scripts {
    take: Script,
    add_once: Script,
    count_event: Script,
    check_rate: Script,
    lease: Script,
    renew: Script,
    release: Script,
}

impl SharedCounters {
    /// Prepares the connection, which opens at its first use.
    ///
    /// # Errors
    ///
    /// If the address is not a Redis address, or `random` fails.
    pub(super) fn start(url: &Secret, clock: Arc<dyn Clock>, random: &dyn Random) -> io::Result<Arc<Self>> {
        let client = Client::open(url.reveal()).map_err(io::Error::other)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(RETRY_AFTER))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(0);
        let connection = ConnectionManager::new_lazy_with_config(client, config).map_err(io::Error::other)?;
        let shared = Arc::new(Self {
            connection,
            scripts: Scripts {
                take: Script::new(scripts::TAKE),
                add_once: Script::new(scripts::ADD_ONCE),
                count_event: Script::new(scripts::COUNT_EVENT),
                check_rate: Script::new(scripts::CHECK_RATE),
                lease: Script::new(scripts::LEASE),
                renew: Script::new(scripts::RENEW),
                release: Script::new(scripts::RELEASE),
            },
            clock,
            retry_at: AtomicU64::new(0),
            is_away: AtomicBool::new(false),
            availability: Gauge::default(),
            leases: Mutex::default(),
            instance: random.lowercase(12)?,
            id_count: AtomicU64::new(0),
        });
        tokio::spawn(renew_forever(Arc::downgrade(&shared)));
        Ok(shared)
    }

    pub(super) async fn take(&self, counters: &[Counter], window: Duration, amount: u64) -> Option<Taking> {
        let mut arguments = vec![amount.to_string(), window.as_millis().to_string()];
        arguments.extend(counters.iter().map(|counter| counter.limit.to_string()));
        let result: Vec<u64> = self.run(&self.scripts.take, &keys(counters), &arguments).await?;
        let (refused, usages) = result.split_first()?;
        let usages = usages
            .as_chunks()
            .0
            .iter()
            .map(|[used, left]| Usage { used: *used, resets_in: Duration::from_millis(*left) });
        Some(Taking { refused: index(*refused), usages: usages.collect() })
    }

    /// Adds a missed amount, unless its batch is already counted.
    pub(super) async fn add_once(&self, missed: &MissedAmount) -> Option<()> {
        let names = [missed.key.clone(), format!("{}:{}", missed.key, missed.id)];
        let arguments = [missed.amount.to_string(), milliseconds(missed.resets_in).max(1).to_string()];
        let _: u64 = self.run(&self.scripts.add_once, &names, &arguments).await?;
        Some(())
    }

    pub(super) async fn count_event(&self, names: &[String], half_life: Duration) -> Option<Vec<f64>> {
        let arguments = [half_life.as_millis().to_string()];
        self.run(&self.scripts.count_event, names, &arguments).await
    }

    pub(super) async fn check_rate(&self, name: &str, limit: RateLimit) -> Option<Result<(), Duration>> {
        let interval = 1_000_000.0 / f64::from(limit.per_second.get());
        let arguments = [interval.to_string(), limit.burst.to_string()];
        let wait: u64 = self.run(&self.scripts.check_rate, &[name.to_owned()], &arguments).await?;
        Some(if wait == 0 { Ok(()) } else { Err(Duration::from_micros(wait)) })
    }

    /// Returns an id that no other instance and no earlier call has.
    pub(super) fn new_id(&self) -> String {
        let count = self.id_count.fetch_add(1, Ordering::Relaxed);
        format!("{}_{count}", self.instance)
    }

    /// Returns the id of a new lease, or the index of the counter that has as many as its limit.
    pub(super) async fn lease(&self, counters: &[Counter]) -> Option<Result<String, usize>> {
        let id = self.new_id();
        let mut arguments = vec![id.clone(), LEASE_LIFETIME.as_millis().to_string()];
        arguments.extend(counters.iter().map(|counter| counter.limit.to_string()));
        let names = keys(counters);
        let refused: u64 = self.run(&self.scripts.lease, &names, &arguments).await?;
        Some(match index(refused) {
            Some(index) => Err(index),
            None => {
                lock(&self.leases).insert(id.clone(), names);
                Ok(id)
            }
        })
    }

    /// Returns whether Redis responds. Asks it, unless it failed a moment ago.
    pub(super) async fn check(&self) -> bool {
        // It ends no lease.
        let answer: Option<u64> = self.run(&self.scripts.release, &[], &[String::new()]).await;
        answer.is_some()
    }

    /// Returns the gauge that is 1 while Redis responds.
    pub(super) fn availability(&self) -> Gauge {
        self.availability.clone()
    }

    /// Ends a lease, without waiting for it.
    pub(super) fn release(self: Arc<Self>, id: String, names: Vec<String>) {
        lock(&self.leases).remove(&id);
        // Outside of a runtime the lease ends by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _: Option<u64> = self.run(&self.scripts.release, &names, &[id]).await;
            });
        }
    }

    /// Runs a script, unless Redis failed less than [`RETRY_AFTER`] ago.
    async fn run<T: FromRedisValue>(
        &self,
        script: &Script,
        names: &[String],
        arguments: &[String],
    ) -> Option<T> {
        self.may_ask().then_some(())?;
        let mut invocation = script.prepare_invoke();
        for name in names {
            invocation.key(format!("{PREFIX}{name}"));
        }
        for argument in arguments {
            invocation.arg(argument);
        }
        let mut connection = self.connection.clone();
        let answer = tokio::time::timeout(PATIENCE, invocation.invoke_async(&mut connection)).await;
        self.note(answer.unwrap_or_else(|_| Err(RedisError::from(io::Error::from(io::ErrorKind::TimedOut)))))
    }

    /// Returns whether to use Redis. While Redis is unavailable, one request in each [`RETRY_AFTER`] tries.
    fn may_ask(&self) -> bool {
        if !self.is_away.load(Ordering::Relaxed) {
            return true;
        }
        let now = milliseconds(self.clock.elapsed());
        let retry_at = self.retry_at.load(Ordering::Relaxed);
        let next = now + milliseconds(RETRY_AFTER);
        now >= retry_at
            && self.retry_at.compare_exchange(retry_at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Stores whether Redis is available, and logs changes.
    fn note<T>(&self, answer: Result<T, RedisError>) -> Option<T> {
        match answer {
            Ok(value) => {
                self.availability.set(1);
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!("connected to Redis: counters are shared again");
                }
                Some(value)
            }
            Err(error) => {
                let next = milliseconds(self.clock.elapsed() + RETRY_AFTER);
                self.retry_at.store(next, Ordering::Relaxed);
                self.availability.set(0);
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "Redis is unavailable: this instance counts for itself until it reconnects");
                }
                None
            }
        }
    }

    async fn renew(&self) {
        // Also without a lease, so that the metric is right while nobody sends a request.
        if !self.check().await {
            return;
        }
        let leases = lock(&self.leases).clone();
        for (id, names) in leases {
            if self.renew_lease(id, &names).await.is_none() {
                return;
            }
        }
    }

    /// Extends a lease, unless it has been released. Returns `None` if Redis is unavailable.
    async fn renew_lease(&self, id: String, names: &[String]) -> Option<()> {
        let arguments = [id, LEASE_LIFETIME.as_millis().to_string()];
        let _: u64 = self.run(&self.scripts.renew, names, &arguments).await?;
        let [id, _] = arguments;
        // The renewal adds a lease that Redis does not have. A response that ended meanwhile may have released the lease
        // before that; one that ends later releases it after that.
        if !lock(&self.leases).contains_key(&id) {
            let _: u64 = self.run(&self.scripts.release, names, &[id]).await?;
        }
        Some(())
    }
}

/// Renews the leases of an instance until the instance is dropped.
async fn renew_forever(shared: Weak<SharedCounters>) {
    if let Some(shared) = shared.upgrade() {
        // Connects before the first request.
        shared.check().await;
    }
    loop {
        tokio::time::sleep(RENEWAL_PERIOD).await;
        match shared.upgrade() {
            Some(shared) => shared.renew().await,
            None => return,
        }
    }
}

fn keys(counters: &[Counter]) -> Vec<String> {
    counters.iter().map(|counter| counter.key.clone()).collect()
}

/// Returns the index from a script's result: Lua counts from 1, and 0 means none.
fn index(number: u64) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
