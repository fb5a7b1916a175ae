//! Two processes that share their counters through Redis. Skipped if there is no Redis.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    unreachable_pub,
    dead_code,
    reason = "a helper of a test fails the test, and is for the tests; not all use all; real time passes"
)]

#[path = "shared/database.rs"]
mod database;
#[path = "shared/process.rs"]
mod process;
#[path = "shared/redis.rs"]
mod redis;
#[path = "shared/solution.rs"]
mod solution;

use database::Database;
use process::{KEY, LONG, Running};
use redis::Redis;
use reqwest::Client;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// The tests run one after the other: they measure the number of requests that two processes accept in a time.
static TURN: Mutex<()> = Mutex::const_new(());

const PAGE: &str = "https://docs.example.com";

struct Pair {
    first: Running,
    second: Running,
    redis: Redis,
    client: Client,
    _folder: TempDir,
    _database: Database,
    _turn: MutexGuard<'static, ()>,
}

impl Pair {
    async fn start(more: &[(&str, &str)]) -> Option<Self> {
        let turn = TURN.lock().await;
        let redis = Redis::start()?;
        let (folder, database) = (TempDir::new().unwrap(), Database::fresh().await);
        let url = redis.url();
        let environment = [
            ("INKEEP_POW_HMAC_SECRET", LONG),
            ("INKEEP_ANON_JWT_SECRET", LONG),
            ("INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET", KEY),
            ("INKEEP_POW_DIFFICULTY", "200"),
            // The test reads the log only at the end: it must fit into the pipe.
            ("SALTMINE_LOG", "warn,saltmine_server::limits=info"),
            ("DATABASE_URL", &database.url),
            ("SALTMINE_REDIS_URL", &url),
        ];
        let environment = [&environment, more].concat();
        let start = || Running::start(folder.path(), &environment);
        let (first, second) = (start(), start());
        let _ = rustls::crypto::ring::default_provider().install_default();
        Some(Self {
            first,
            second,
            redis,
            client: Client::new(),
            _folder: folder,
            _database: database,
            _turn: turn,
        })
    }

    /// Returns the status of a visitor's request to one of the two processes.
    async fn challenge(&self, server: &Running) -> u16 {
        let url = format!("http://{}/run/auth/pow/challenge", server.address);
        self.client.get(url).send().await.map_or(0, |response| response.status().as_u16())
    }

    async fn json(&self, request: reqwest::RequestBuilder) -> Value {
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    }

    /// An app and a token for it.
    async fn visitor(&self) -> (String, String) {
        let body = json!({
            "name": "Docs", "type": "web_client",
            "config": { "type": "web_client", "webClient": { "allowedDomains": ["docs.example.com"] } },
        });
        let address = &self.first.address;
        let url = format!("http://{address}/manage/tenants/acme/projects/docs/apps");
        let request = self.client.post(url).bearer_auth(KEY).header("content-type", "application/json");
        let app = self.json(request.body(body.to_string())).await;
        let app = app["data"]["app"]["id"].as_str().unwrap().to_owned();
        let url = format!("http://{address}/run/auth/pow/challenge");
        let solution = solution::solve(&self.json(self.client.get(url)).await).header();
        let url = format!("http://{address}/run/auth/apps/{app}/anonymous-session");
        let request =
            self.client.post(url).header("origin", PAGE).header("x-inkeep-challenge-solution", solution);
        let token = self.json(request).await["token"].as_str().unwrap().to_owned();
        (app, token)
    }

    async fn list(&self, server: &Running, (app, token): &(String, String)) -> u16 {
        let url = format!("http://{}/run/v1/conversations", server.address);
        let request = self.client.get(url).header("origin", PAGE).header("x-inkeep-app-id", app);
        request.bearer_auth(token).send().await.map_or(0, |response| response.status().as_u16())
    }
}

/// Sends as many requests as possible from 8 connections for the given time. Returns the number of accepted requests, and
/// the time.
async fn load(pair: &Pair, servers: &[&Running], time: Duration) -> (u32, f64) {
    let begin = Instant::now();
    let workers = (0..8).map(|number| {
        let server = servers[number % servers.len()];
        async move {
            let mut accepted = 0;
            while begin.elapsed() < time {
                accepted += u32::from(pair.challenge(server).await == 200);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            accepted
        }
    });
    let accepted = futures_util::future::join_all(workers).await.into_iter().sum();
    (accepted, begin.elapsed().as_secs_f64())
}

/// Checks that a burst and 20 a second were accepted.
#[track_caller]
fn assert_within_a_tenth((accepted, seconds): (u32, f64), burst: f64) {
    let expected = burst + seconds * 20.0;
    let ratio = f64::from(accepted) / expected;
    assert!((0.9..=1.1).contains(&ratio), "{accepted} of {expected}");
}

/// Together the two accept as many requests as one, before and after one of them is killed, with Redis or without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limit_holds_over_instances() {
    let Some(mut pair) = Pair::start(&[("SALTMINE_RATE_LIMIT", "20/40")]).await else { return };
    let time = Duration::from_secs(5);
    assert_within_a_tenth(load(&pair, &[&pair.first, &pair.second], time).await, 40.0);
    pair.second.signal("-KILL");
    assert_within_a_tenth(load(&pair, &[&pair.first, &pair.second], time).await, 0.0);
    // The remaining instance has updated its own counters too, and continues with them.
    pair.redis.stop();
    assert_within_a_tenth(load(&pair, &[&pair.first], time).await, 0.0);
    // Redis is available again, and empty: one more burst.
    pair.redis.restart();
    assert_within_a_tenth(load(&pair, &[&pair.first], time).await, 40.0);
    let (_, log) = pair.first.stop();
    for words in ["Redis is unavailable", "connected to Redis"] {
        assert_eq!(log.matches(words).count(), 1, "{words}: {log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_holds_over_instances_and_while_redis_is_away() {
    let quotas = [("SALTMINE_QUOTA_REQUESTS", "visitor=50"), ("SALTMINE_RATE_LIMIT", "off")];
    let Some(mut pair) = Pair::start(&quotas).await else { return };
    let visitor = pair.visitor().await;
    let mut accepted = 0;
    for _ in 0..20 {
        accepted += u32::from(pair.list(&pair.first, &visitor).await == 200);
        accepted += u32::from(pair.list(&pair.second, &visitor).await == 200);
    }
    assert_eq!(accepted, 40, "each is counted once");
    pair.second.signal("-KILL");
    for _ in 0..20 {
        accepted += u32::from(pair.list(&pair.first, &visitor).await == 200);
    }
    assert_eq!(accepted, 50, "what the killed one accepted counts");
    // The instance has also counted locally: 30 of the 50 are its own.
    pair.redis.stop();
    let mut alone = 0;
    for _ in 0..40 {
        alone += u32::from(pair.list(&pair.first, &visitor).await == 200);
    }
    assert_eq!(alone, 20);
    assert_eq!(pair.list(&pair.first, &visitor).await, 429, "it fails closed");
    pair.redis.restart();
    // The server asks Redis again once a second, and refuses by its own counters until it is connected.
    let begin = Instant::now();
    while pair.list(&pair.first, &visitor).await != 200 {
        assert!(begin.elapsed() < Duration::from_secs(20), "it is not connected again");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut again = 1;
    for _ in 0..40 {
        again += u32::from(pair.list(&pair.first, &visitor).await == 200);
    }
    assert_eq!(again, 30, "20 were counted while Redis was away. Redis lost the 50 before");
}

/// A higher difficulty on one instance is also that of the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_is_shared() {
    let adaptive = [("SALTMINE_POW_ADAPTIVE", "prefix=10/8"), ("SALTMINE_RATE_LIMIT", "off")];
    let Some(pair) = Pair::start(&adaptive).await else { return };
    for _ in 0..300 {
        assert_eq!(pair.challenge(&pair.first).await, 200);
    }
    let url = format!("http://{}/run/auth/pow/challenge", pair.second.address);
    assert_eq!(pair.json(pair.client.get(url)).await["maxnumber"], 1600);
}

/// A server starts without Redis, and works.
#[tokio::test]
async fn a_server_starts_while_redis_is_away() {
    let Some(mut redis) = Redis::start() else { return };
    redis.stop();
    let folder = TempDir::new().unwrap();
    let url = redis.url();
    let environment = [
        ("INKEEP_POW_HMAC_SECRET", LONG),
        ("INKEEP_ANON_JWT_SECRET", LONG),
        ("SALTMINE_REDIS_URL", &*url),
        ("SALTMINE_RATE_LIMIT", "1/2"),
    ];
    let server = Running::start(folder.path(), &environment);
    let statuses = [1, 2, 3].map(|_| server.get("/run/auth/pow/challenge")[9..12].to_owned());
    assert_eq!(statuses, ["200", "200", "429"]);
    let (_, log) = server.stop();
    let line = log.lines().find(|line| line.contains("counters: Redis does not respond"));
    assert!(line.is_some_and(|line| line.contains("WARN")), "{log}");
}

/// Waits until the metric has a value, also while nobody sends a request that is counted.
async fn until_available_is(server: &Running, value: u8) {
    let line = format!("saltmine_shared_counters_available {value}");
    let begin = Instant::now();
    while !server.get("/metrics").lines().any(|found| found == line) {
        assert!(begin.elapsed() < Duration::from_secs(15), "{line}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_metric_says_whether_the_counters_are_shared() {
    let folder = TempDir::new().unwrap();
    let own = Running::start(folder.path(), &[("INKEEP_ANON_JWT_SECRET", LONG)]);
    assert!(!own.get("/metrics").contains("shared_counters"), "only with SALTMINE_REDIS_URL");
    let Some(mut redis) = Redis::start() else { return };
    let url = redis.url();
    let environment = [("INKEEP_ANON_JWT_SECRET", LONG), ("SALTMINE_REDIS_URL", &*url)];
    let server = Running::start(folder.path(), &environment);
    until_available_is(&server, 1).await;
    redis.stop();
    until_available_is(&server, 0).await;
    redis.restart();
    until_available_is(&server, 1).await;
    let (_, log) = server.stop();
    assert!(!log.contains("counters: Redis does not respond"), "it responded at the start: {log}");
}

/// A Redis that accepts connections and never responds, as in a broken network: this instance counts for itself, and
/// no request waits for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_never_responds_delays_no_request_for_long() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    // The accepted connections stay open.
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    let folder = TempDir::new().unwrap();
    let environment = [
        ("INKEEP_POW_HMAC_SECRET", LONG),
        ("INKEEP_ANON_JWT_SECRET", LONG),
        ("SALTMINE_LOG", "warn,saltmine_server::limits=info"),
        ("SALTMINE_REDIS_URL", &*url),
        ("SALTMINE_RATE_LIMIT", "1/8"),
    ];
    let server = Running::start(folder.path(), &environment);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::new();
    let url = format!("http://{}/run/auth/pow/challenge", server.address);
    let ask = async || {
        let begin = Instant::now();
        let response = client.get(&url).send().await.unwrap();
        (response.status().as_u16(), begin.elapsed())
    };
    // At once, and then for longer than the pause after a failure of Redis.
    let mut answers = futures_util::future::join_all((0..8).map(|_| ask())).await;
    for _ in 0..20 {
        answers.push(ask().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let longest = answers.iter().map(|(_, time)| *time).max().unwrap();
    assert!(longest < Duration::from_millis(1500), "{longest:?}");
    let accepted = answers.iter().filter(|(status, _)| *status == 200).count();
    assert!((8..=13).contains(&accepted), "the limit of this instance: {accepted}");
    assert!(answers.iter().all(|(status, _)| matches!(status, 200 | 429)), "{answers:?}");
    let (_, log) = server.stop();
    assert_eq!(log.matches("Redis is unavailable").count(), 1, "{log}");
}
