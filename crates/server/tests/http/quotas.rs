//! Quotas of the run API: by visitor, by address and by app.

use crate::support::{Answer, MANAGEMENT_KEY, PAGE, Server, request, settings};
use crate::visitor::Visitor;
use axum::extract::ConnectInfo;
use axum::http::Method;
use futures_util::{StreamExt, stream};
use saltmine_server::{Agent, Agents, LimitSettings, Message, QuotaLimits, Reply, Settings};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

const LIST: &str = "/run/v1/conversations";

const OFF: QuotaLimits = QuotaLimits { visitor: None, address: None, app: None };

async fn limited(limits: LimitSettings) -> Server {
    Server::with(Settings { limits, ..settings() }).await
}

fn per_visitor(limit: u64) -> QuotaLimits {
    QuotaLimits { visitor: Some(limit), ..OFF }
}

async fn from(server: &Server, address: &str, token: &str, app: &str) -> Answer {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", &*authorization), ("x-inkeep-app-id", app), ("origin", PAGE)];
    let mut request = request(Method::GET, LIST, &headers, "");
    let address = SocketAddr::new(address.parse().unwrap(), 1234);
    request.extensions_mut().insert(ConnectInfo(address));
    server.send(request).await
}

#[tokio::test]
async fn a_visitor_has_so_many_requests_a_minute() {
    let server = limited(LimitSettings { requests: per_visitor(2), ..LimitSettings::default() }).await;
    let app = server.web_client().await;
    let (visitor, other) = (Visitor::of(&server, &app).await, Visitor::of(&server, &app).await);
    let first = visitor.get(&server, LIST).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("ratelimit"), Some(r#""requests-visitor";r=1;t=60"#));
    assert_eq!(first.header("ratelimit-policy"), Some(r#""requests-visitor";q=2;w=60"#));
    server.clock.pass(Duration::from_millis(20_500));
    assert_eq!(visitor.get(&server, LIST).await.status, 200);
    let refused = visitor.get(&server, LIST).await;
    let detail = "The quota requests of this visitor, 2, is used up. Please try again in 40 s.";
    refused.assert_problem(429, "too_many_requests", "quota_exceeded", detail);
    assert_eq!(refused.header("retry-after"), Some("40"));
    assert_eq!(refused.header("ratelimit"), Some(r#""requests-visitor";r=0;t=40"#));
    assert_eq!(refused.header("access-control-allow-origin"), Some(PAGE), "the page can read it");
    assert_eq!(other.get(&server, LIST).await.status, 200, "another visitor has a quota of their own");
    server.clock.pass(Duration::from_secs(40));
    assert_eq!(visitor.get(&server, LIST).await.status, 200);
    let metrics = server.get("/metrics").await;
    let count = r#"saltmine_quota_refusals_total{quota="requests",subject="visitor"} 1"#;
    assert!(metrics.text().contains(count), "{}", metrics.text());
}

/// A new session gives no further quota, and requests with invalid tokens count too.
#[tokio::test]
async fn an_address_has_so_many_requests_a_minute() {
    let requests = QuotaLimits { address: Some(3), ..OFF };
    let server = limited(LimitSettings { requests, ..LimitSettings::default() }).await;
    let app = server.web_client().await;
    let (one, two) = (server.token(&app).await, server.token(&app).await);
    assert_eq!(from(&server, "192.0.2.1", &one, &app).await.status, 200);
    assert_eq!(from(&server, "192.0.2.1", &two, &app).await.status, 200);
    assert_eq!(from(&server, "192.0.2.1", "x", &app).await.status, 401);
    let refused = from(&server, "192.0.2.1", &one, &app).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("ratelimit").unwrap().starts_with(r#""requests-address";r=0"#));
    assert_eq!(from(&server, "192.0.2.2", &one, &app).await.status, 200, "another address");
}

#[tokio::test]
async fn an_app_has_so_many_requests_a_minute() {
    let requests = QuotaLimits { app: Some(2), ..OFF };
    let server = limited(LimitSettings { requests, ..LimitSettings::default() }).await;
    let (app, other) = (server.web_client().await, server.web_client().await);
    for status in [200, 200, 429] {
        let visitor = Visitor::of(&server, &app).await;
        assert_eq!(visitor.get(&server, LIST).await.status, status);
    }
    assert_eq!(Visitor::of(&server, &other).await.get(&server, LIST).await.status, 200);
}

/// The agent's tokens: those that it reads and those that it writes.
#[tokio::test]
async fn a_visitor_has_so_many_tokens_a_day() {
    let server = limited(LimitSettings { tokens: per_visitor(100), ..LimitSettings::default() }).await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    // 4 tokens for a message, 30 for its text, and 30 for the response.
    let text = "word ".repeat(24);
    assert_eq!(visitor.say(&server, &text, None).await.status, 200);
    settled().await;
    let refused = visitor.say(&server, &text, None).await;
    assert_eq!(refused.status, 200, "{}: 64 and 34 are fewer than 100", refused.text());
    settled().await;
    let refused = visitor.say(&server, "word", None).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("86400")));
    assert_eq!(refused.header("ratelimit-policy"), Some(r#""tokens-visitor";q=100;w=86400"#));
    server.clock.pass(Duration::from_secs(86_400));
    assert_eq!(visitor.say(&server, "word", None).await.status, 200);
}

/// The use of a response is added to the quotas when it has ended.
async fn settled() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_visitor_has_so_many_stored_bytes_a_day() {
    let stored_bytes = per_visitor(2500);
    let server = limited(LimitSettings { stored_bytes, ..LimitSettings::default() }).await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    assert_eq!(visitor.say(&server, &"x".repeat(1000), None).await.status, 200);
    settled().await;
    let refused = visitor.say(&server, "x", None).await;
    assert_eq!(refused.status, 429, "1000 and as many of the echo, and what surrounds each message");
    assert_eq!(refused.json()["reason"], "quota_exceeded");
    assert_eq!(visitor.get(&server, LIST).await.status, 200, "reading stores nothing");
}

/// Otherwise one visitor could use up the stored bytes of everybody at the address.
#[tokio::test]
async fn a_message_for_which_there_are_no_tokens_uses_no_stored_bytes() {
    let stored_bytes = QuotaLimits { address: Some(10_000), ..OFF };
    let limits = LimitSettings { tokens: per_visitor(100), stored_bytes, ..LimitSettings::default() };
    let server = limited(limits).await;
    let app = server.web_client().await;
    let (visitor, other) = (Visitor::of(&server, &app).await, Visitor::of(&server, &app).await);
    assert_eq!(visitor.say(&server, &"word ".repeat(24), None).await.status, 200);
    settled().await;
    // More than is left, and more than there ever is.
    for words in [60, 400] {
        for _ in 0..20 {
            let refused = visitor.say(&server, &"word ".repeat(words), None).await;
            assert_eq!(refused.status, 429, "{}", refused.text());
            assert_eq!(refused.header("ratelimit-policy"), Some(r#""tokens-visitor";q=100;w=86400"#));
        }
    }
    let answer = other.say(&server, "Hi", None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn events_and_feedback_are_stored_bytes_too() {
    let stored_bytes = per_visitor(6500);
    let server = limited(LimitSettings { stored_bytes, ..LimitSettings::default() }).await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let conversation = visitor.begin(&server, "Hi").await;
    settled().await;
    let text = "x".repeat(1500);
    let event = json!({ "type": "t", "properties": { "a": text }, "metadata": { "a": text } });
    assert_eq!(visitor.post(&server, "/run/v1/events", &event).await.status, 201);
    let refused = visitor.post(&server, "/run/v1/events", &event).await;
    assert_eq!(refused.json()["reason"], "quota_exceeded");
    let feedback = json!({ "conversationId": conversation, "type": "positive", "details": text });
    assert_eq!(visitor.post(&server, "/run/v1/feedback", &feedback).await.status, 429);
    let short = json!({ "conversationId": conversation, "type": "positive", "details": "Good" });
    assert_eq!(visitor.post(&server, "/run/v1/feedback", &short).await.status, 201);
    let empty = visitor.post(&server, "/run/v1/events", &json!({ "type": "t" })).await;
    assert_eq!(empty.status, 429, "an event without data takes a row all the same");
}

/// Anyone can make texts that look like API keys. Each is a query of the database.
#[tokio::test]
async fn unknown_api_keys_are_limited_by_address_and_known_ones_are_not() {
    let requests = QuotaLimits { address: Some(5), ..OFF };
    let server = limited(LimitSettings { requests, ..LimitSettings::default() }).await;
    let path = "/manage/tenants/acme/projects/docs/api-keys";
    let mut keys = Vec::new();
    for number in 0..8 {
        let new = json!({ "name": format!("k{number}"), "agentId": "echo" });
        let made = server.manage_at(Method::POST, path, &new).await.json();
        keys.push(made["data"]["key"].as_str().unwrap().to_owned());
        if number > 0 {
            let id = made["data"]["apiKey"]["id"].as_str().unwrap();
            let deleted = server.manage_at(Method::DELETE, &format!("{path}/{id}"), &json!(null)).await;
            assert_eq!(deleted.status, 204, "{}", deleted.text());
        }
    }
    let known = Visitor::with_api_key(&keys[0]);
    assert_eq!(known.get(&server, LIST).await.status, 200);
    let mut statuses = Vec::new();
    for key in &keys[1..] {
        statuses.push(Visitor::with_api_key(key).get(&server, LIST).await.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(known.get(&server, LIST).await.status, 200);

    let id = listed_key_id(&server, path).await;
    assert_eq!(server.manage_at(Method::DELETE, &format!("{path}/{id}"), &json!(null)).await.status, 204);
    assert_eq!(known.get(&server, LIST).await.status, 401, "it was known");
    assert_eq!(known.get(&server, LIST).await.status, 429, "and is not known any more");
}

/// The id of the first API key of a list.
async fn listed_key_id(server: &Server, path: &str) -> String {
    let list = server.manage_at(Method::GET, path, &json!(null)).await.json();
    list["data"][0]["id"].as_str().unwrap().to_owned()
}

/// An agent that replies at a signal of the test.
#[derive(Clone, Default)]
struct Waiting {
    begun: Arc<Notify>,
    end: Arc<Notify>,
}

impl Agent for Waiting {
    fn reply(&self, _: Vec<Message>) -> Reply {
        self.begun.notify_one();
        let end = self.end.clone();
        stream::once(async move {
            end.notified().await;
            Ok("word".to_owned())
        })
        .boxed()
    }
}

#[tokio::test]
async fn a_visitor_has_so_many_responses_at_the_same_time() {
    let agent = Waiting::default();
    let limits = LimitSettings { streams: per_visitor(2), ..LimitSettings::default() };
    let server = limited(limits).await;
    let agents = Agents::built_in().with(Agents::ECHO, agent.clone());
    let server = Arc::new(server.with_agents(agents));
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let say = || {
        let (server, visitor) = (server.clone(), visitor.clone());
        tokio::spawn(async move { visitor.say(&server, "hi", None).await.status.as_u16() })
    };
    let one = say();
    agent.begun.notified().await;
    let two = say();
    agent.begun.notified().await;
    let refused = visitor.say(&server, "hi", None).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("5")));
    assert_eq!(refused.header("ratelimit-policy"), Some(r#""streams-visitor";q=2"#));
    two.abort();
    let _ = two.await;
    // A client that closes its connection frees its slot.
    let three = say();
    agent.begun.notified().await;
    agent.end.notify_one();
    assert_eq!(one.await.unwrap(), 200);
    agent.end.notify_one();
    assert_eq!(three.await.unwrap(), 200);
}

/// The operator's own servers have no quotas.
#[tokio::test]
async fn an_api_key_has_no_quotas() {
    let limits = LimitSettings {
        requests: QuotaLimits { visitor: Some(1), address: Some(1), app: Some(1) },
        tokens: per_visitor(1),
        ..LimitSettings::default()
    };
    let server = limited(limits).await;
    let path = "/manage/tenants/acme/projects/docs/api-keys";
    let body = json!({ "name": "k", "agentId": "echo" }).to_string();
    let authorization = format!("Bearer {MANAGEMENT_KEY}");
    let headers = [("authorization", &*authorization), ("content-type", "application/json")];
    let key = server.post(path, &headers, &body).await.json()["data"]["key"].as_str().unwrap().to_owned();
    let backend = Visitor::with_api_key(&key);
    for _ in 0..3 {
        assert_eq!(backend.say(&server, "hello hello", None).await.status, 200);
    }
}
