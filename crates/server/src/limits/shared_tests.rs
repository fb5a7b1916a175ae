#[allow(clippy::unwrap_used, unreachable_pub, dead_code, reason = "a helper of a test fails the test")]
#[path = "../../tests/shared/redis.rs"]
mod redis_server;

use super::{PREFIX, SharedCounters, keys};
use crate::limits::counters::Counter;
use crate::{Secret, SystemClock, SystemRandom};
use redis_server::Redis;
use std::sync::Arc;
use std::time::Duration;

const KEY: &str = "streams:app:a";

/// Starts the counters, and waits for their connection: Redis may take longer than the first request waits.
async fn start(redis: &Redis) -> Arc<SharedCounters> {
    let (url, clock) = (Secret::from(redis.url()), Arc::new(SystemClock::default()));
    let shared = SharedCounters::start(&url, clock, &SystemRandom).unwrap();
    let connect = async {
        let mut connection = shared.connection.clone();
        while redis::cmd("PING").query_async::<()>(&mut connection).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), connect).await.expect("Redis responds");
    shared
}

fn counters() -> [Counter; 1] {
    [Counter { key: KEY.to_owned(), limit: 1 }]
}

/// Returns the number of leases in Redis.
async fn count(shared: &SharedCounters) -> u64 {
    let mut connection = shared.connection.clone();
    redis::cmd("ZCARD").arg(format!("{PREFIX}{KEY}")).query_async(&mut connection).await.unwrap()
}

/// A response that ends while the leases are renewed: the renewal has the lease in its list already.
#[tokio::test]
async fn a_lease_that_is_released_before_its_renewal_stays_released() {
    let Some(redis) = Redis::start() else { return };
    let shared = start(&redis).await;
    let id = shared.lease(&counters()).await.unwrap().unwrap();
    assert_eq!(shared.lease(&counters()).await, Some(Err(0)));
    let names = keys(&counters());
    shared.clone().release(id.clone(), names.clone());
    while count(&shared).await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    shared.renew_lease(id, &names).await.unwrap();
    assert_eq!(count(&shared).await, 0);
    assert!(shared.lease(&counters()).await.unwrap().is_ok());
}

/// Redis without persistence forgets the leases when it restarts.
#[tokio::test]
async fn a_lease_that_redis_has_lost_is_added_again() {
    let Some(mut redis) = Redis::start() else { return };
    let shared = start(&redis).await;
    let id = shared.lease(&counters()).await.unwrap().unwrap();
    redis.restart();
    let names = keys(&counters());
    let renew = async {
        while shared.renew_lease(id.clone(), &names).await.is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), renew).await.expect("Redis is back");
    assert_eq!(count(&shared).await, 1);
}
