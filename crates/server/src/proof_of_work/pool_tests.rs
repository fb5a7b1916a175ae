use super::super::queue::{OF_PREFIX, Requester};
use super::{PATIENCE, Pool, READY};
use crate::limits::AddressPrefix;
use crate::metrics::PoolMetrics;
use crate::{Error, Random, SystemRandom};
use axum::http::StatusCode;
use saltmine_protocol::v2::{Algorithm, Settings};
use std::collections::HashSet;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A client of an app.
fn client(app: &str) -> Requester<'_> {
    Requester { app, prefix: AddressPrefix::of(Ipv4Addr::LOCALHOST.into()) }
}

const APP: &str = "app_docs";

const SETTINGS: Settings = Settings {
    algorithm: Algorithm::Pbkdf2Sha256,
    cost: 10,
    memory_cost: 0,
    parallelism: 1,
    key_length: 32,
    ttl_seconds: 600,
};

/// Random numbers that a test delays, or makes fail or panic.
#[derive(Default)]
struct Gate {
    is_shut: AtomicBool,
    broken: AtomicBool,
    panics: AtomicBool,
}

impl Random for Gate {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        while self.is_shut.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("no entropy"));
        }
        assert!(!self.panics.load(Ordering::SeqCst), "a panic of the test");
        SystemRandom.fill(bytes)
    }
}

fn pool(random: &Arc<Gate>) -> (Arc<Pool>, PoolMetrics) {
    let metrics = PoolMetrics::default();
    (Arc::new(Pool::new(SETTINGS, 3..=5, random.clone(), metrics.clone())), metrics)
}

async fn until(mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("it holds at last");
}

#[tokio::test]
async fn challenges_are_made_ahead_and_none_is_given_twice() {
    let (pool, metrics) = pool(&Arc::default());
    let mut prefixes = HashSet::new();
    assert!(prefixes.insert(format!("{:?}", pool.take(client(APP), &(3..=5)).await.unwrap())));
    until(|| metrics.ready.get() == READY as i64).await;
    for _ in 0..READY {
        assert!(prefixes.insert(format!("{:?}", pool.take(client(APP), &(3..=5)).await.unwrap())));
    }
    until(|| metrics.ready.get() == READY as i64).await;
    assert_eq!(metrics.waited.get(), 1, "the first");
    let made = metrics.made.get();
    assert!(
        prefixes.insert(format!("{:?}", pool.take(client(APP), &(7..=8)).await.unwrap())),
        "by another price"
    );
    assert_eq!((metrics.waited.get(), metrics.ready.get()), (2, READY as i64));
    assert_eq!(metrics.made.get(), made + 1);
}

#[tokio::test]
async fn a_full_queue_refuses_and_those_in_it_are_served() {
    let random = Arc::new(Gate::default());
    let (pool, metrics) = pool(&random);
    random.is_shut.store(true, Ordering::SeqCst);
    let ask = |_| {
        let pool = pool.clone();
        tokio::spawn(async move { pool.take(client(APP), &(3..=5)).await })
    };
    let waiting: Vec<_> = (0..OF_PREFIX + 50).map(ask).collect();
    // The threads have taken at most a few of them out of the queue.
    until(|| metrics.waited.get() + metrics.refused.get() == waiting.len() as u64).await;
    assert!(metrics.waited.get() >= OF_PREFIX as u64 && metrics.refused.get() > 0);
    let other = {
        let pool = pool.clone();
        tokio::spawn(async move { pool.take(client("app_other"), &(3..=5)).await })
    };
    let (waited, refusals) = (metrics.waited.get(), metrics.refused.get());
    until(|| metrics.waited.get() > waited).await;
    assert_eq!(metrics.refused.get(), refusals, "a client leaves slots for others");
    random.is_shut.store(false, Ordering::SeqCst);
    other.await.unwrap().unwrap();
    let mut refused = 0;
    for answer in waiting {
        match answer.await.unwrap() {
            Ok(_) => {}
            Err(Error::ChallengesBusy { retry_after_seconds }) => {
                assert!(retry_after_seconds >= 1);
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!((1..=50).contains(&refused), "{refused}");
    assert_eq!(metrics.refused.get(), refused);
}

#[tokio::test]
async fn a_broken_random_source_fails_requests_until_it_works_again() {
    let random = Arc::new(Gate::default());
    let (pool, metrics) = pool(&random);
    random.broken.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        assert!(matches!(pool.take(client(APP), &(3..=5)).await, Err(Error::Random(_))));
    }
    random.broken.store(false, Ordering::SeqCst);
    pool.take(client(APP), &(3..=5)).await.unwrap();
    until(|| metrics.ready.get() == READY as i64).await;
}

/// The log, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// More panics than there are threads.
#[tokio::test]
async fn a_panic_fails_its_request_at_once_and_the_pool_continues() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    let random = Arc::new(Gate::default());
    let (pool, metrics) = pool(&random);
    random.panics.store(true, Ordering::SeqCst);
    let panics = async {
        for _ in 0..200 {
            let error = pool.take(client(APP), &(3..=5)).await.unwrap_err();
            assert_eq!(error.outward(), (StatusCode::SERVICE_UNAVAILABLE, "challenges_busy"));
        }
    };
    tokio::time::timeout(PATIENCE / 2, panics).await.expect("no request waits until it is given up");
    assert_eq!(metrics.refused.get(), 0, "the queue is not full");
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("could not make a challenge") && text.contains("a panic of the test"), "{text}");
    random.panics.store(false, Ordering::SeqCst);
    pool.take(client(APP), &(3..=5)).await.unwrap();
    until(|| metrics.ready.get() == READY as i64).await;
}

#[tokio::test]
async fn the_threads_end_with_the_pool() {
    let random = Arc::new(Gate::default());
    let (pool, metrics) = pool(&random);
    pool.take(client(APP), &(3..=5)).await.unwrap();
    until(|| metrics.ready.get() == READY as i64).await;
    drop(pool);
    until(|| Arc::strong_count(&random) == 1).await;
}
