//! A server to test, with a clock that the test controls.

use crate::database::Database;
pub use crate::solution::{Solution, bare, hex, solve, solve_v2};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base64ct::{Base64UrlUnpadded, Encoding};
use http_body_util::BodyExt;
use jiff::Timestamp;
use saltmine_server::{
    Agents, AppState, Clock, PowVersions, ProofOfWork, Random, RequestHandler, Settings, Store,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

pub const NOW: i64 = 1_790_000_000;
pub const POW_SECRET: &str = "a proof-of-work secret for the tests of the server";
pub const TOKEN_SECRET: &str = "a session token secret for the tests of the server";
pub const MANAGEMENT_KEY: &str = "a management key";
pub const PAGE: &str = "https://docs.example.com";
pub const APPS: &str = "/manage/tenants/acme/projects/docs/apps";

/// A clock that only a test advances.
#[derive(Clone)]
pub struct HandClock(Arc<AtomicI64>);

impl HandClock {
    pub fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as i64, Ordering::SeqCst);
    }

    fn milliseconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.milliseconds()).unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis((self.milliseconds() - NOW * 1000) as u64)
    }
}

/// Random numbers that are well distributed and never repeat. A test can make them fail.
#[derive(Clone, Default)]
pub struct CountingRandom {
    count: Arc<AtomicU64>,
    pub broken: Arc<AtomicBool>,
}

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("the dice are lost"));
        }
        for chunk in bytes.chunks_mut(32) {
            let count = self.count.fetch_add(1, Ordering::SeqCst);
            chunk.copy_from_slice(&Sha256::digest(count.to_le_bytes())[..chunk.len()]);
        }
        Ok(())
    }
}

pub struct Server {
    pub state: AppState,
    pub clock: HandClock,
    pub random: CountingRandom,
    pub store: Store,
    pub handler: RequestHandler,
    settings: Settings,
    agents: Arc<Agents>,
    pub database: Arc<Database>,
}

pub fn settings() -> Settings {
    Settings {
        proof_of_work: Some(ProofOfWork {
            versions: PowVersions::V1,
            max_number: 200,
            ttl_seconds: 300,
            ..ProofOfWork::new(POW_SECRET.into())
        }),
        management_key: Some(MANAGEMENT_KEY.into()),
        ..Settings::new(TOKEN_SECRET.into())
    }
}

pub fn without_proof_of_work() -> Settings {
    Settings { proof_of_work: None, ..settings() }
}

impl Server {
    pub async fn new() -> Self {
        Self::with(settings()).await
    }

    pub async fn with(settings: Settings) -> Self {
        Self::start(settings, Arc::new(Database::fresh().await)).await
    }

    pub async fn start(settings: Settings, database: Arc<Database>) -> Self {
        let clock = HandClock(Arc::new(AtomicI64::new(NOW * 1000)));
        let random = CountingRandom::default();
        let store = Store::open(&database.url).await.unwrap();
        let builder = AppState::builder(settings.clone(), store.clone());
        let state = builder.clock(clock.clone()).random(random.clone()).build().unwrap();
        let handler = RequestHandler::new(state.clone());
        let agents = Arc::new(Agents::built_in());
        Self { handler, settings, agents, state, clock, random, store, database }
    }

    /// Returns another server on the same database: another instance, or the same one after a restart.
    pub async fn another(&self) -> Self {
        self.another_with(settings()).await
    }

    /// Returns another server on the same database, with other settings.
    pub async fn another_with(&self, settings: Settings) -> Self {
        static OTHERS: AtomicU64 = AtomicU64::new(1);
        let other = Self::start(settings, self.database.clone()).await;
        // Other numbers than those of the first server.
        other.random.count.store(OTHERS.fetch_add(1, Ordering::SeqCst) << 32, Ordering::SeqCst);
        other
    }

    /// Returns the same server behind proxies of this network.
    pub fn with_trusted_proxies(mut self, network: &str) -> Self {
        self.settings.trusted_proxies = vec![network.parse().unwrap()];
        self.rebuilt()
    }

    /// Returns the same server with other agents.
    pub fn with_agents(mut self, agents: Agents) -> Self {
        self.agents = Arc::new(agents);
        self.rebuilt()
    }

    fn rebuilt(mut self) -> Self {
        let builder =
            AppState::builder(self.settings.clone(), self.store.clone()).agents(self.agents.clone());
        self.state = builder.clock(self.clock.clone()).random(self.random.clone()).build().unwrap();
        self.handler = RequestHandler::new(self.state.clone());
        self
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.handler.handle(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send(request(Method::POST, path, headers, body)).await
    }

    pub async fn manage(&self, body: &Value) -> Answer {
        self.manage_at(Method::POST, APPS, body).await
    }

    /// Calls the management API with the management key.
    pub async fn manage_at(&self, method: Method, path: &str, body: &Value) -> Answer {
        let key = format!("Bearer {MANAGEMENT_KEY}");
        let headers = [("authorization", &*key), ("content-type", "application/json")];
        self.send(request(method, path, &headers, &body.to_string())).await
    }

    /// Returns the id of a new app.
    pub async fn make_app(&self, body: Value) -> String {
        let answer = self.manage(&body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()["data"]["app"]["id"].as_str().unwrap().to_owned()
    }

    /// Returns the id of a new web client for [`PAGE`].
    pub async fn web_client(&self) -> String {
        self.make_app(web_client(json!({ "allowedDomains": ["docs.example.com"] }))).await
    }

    /// Solves a new challenge, and returns the value of the solution header.
    pub async fn solution(&self) -> String {
        let answer = self.get("/run/auth/pow/challenge").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        solve(&answer.json()).header()
    }

    /// Requests a session as a browser on [`PAGE`] does, with further or other headers.
    pub async fn open_session(&self, app: &str, headers: &[(&str, &str)]) -> Answer {
        let mut all = headers.to_vec();
        if !headers.iter().any(|(name, _)| *name == "origin") {
            all.push(("origin", PAGE));
        }
        self.post(&format!("/run/auth/apps/{app}/anonymous-session"), &all, "").await
    }

    /// Solves a challenge, and returns a session token for the app.
    pub async fn token(&self, app: &str) -> String {
        let solution = self.solution().await;
        let answer = self.open_session(app, &[("x-inkeep-challenge-solution", &solution)]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()["token"].as_str().unwrap().to_owned()
    }
}

pub fn web_client(web_client: Value) -> Value {
    json!({
        "name": "Docs", "type": "web_client",
        "config": { "type": "web_client", "webClient": web_client },
    })
}

pub fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::from(body.to_owned())).unwrap()
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks that this is the expected error, in the protocol's form.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str, reason: &str, detail: &str) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let request_id = self.header("x-request-id").unwrap();
        let mut body = self.json();
        body.as_object_mut().unwrap().remove("field");
        assert_eq!(
            body,
            json!({
                "title": StatusCode::from_u16(status).unwrap().canonical_reason(),
                "status": status, "detail": detail, "code": code, "requestId": request_id, "reason": reason,
                "error": { "code": code, "message": detail },
            })
        );
        assert_eq!(self.status, status);
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.headers.contains_key(header::WWW_AUTHENTICATE), status == 401);
    }
}

/// Returns a part of a JWT: 0 is the header, 1 the claims.
pub fn jwt_part(token: &str, part: usize) -> Value {
    let text = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(text).unwrap()).unwrap()
}

/// Returns a JWT that is signed with HMAC-SHA-256 and `secret`, regardless of its header.
pub fn forge_jwt(header: &Value, claims: &Value, secret: &str) -> String {
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = jwt_signature(&message, secret);
    format!("{message}.{signature}")
}

/// Returns the HMAC-SHA-256 of a JWT's first two parts, in the form of its third part.
pub fn jwt_signature(message: &str, secret: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(message);
    Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes())
}
