//! The agent that requests chat completions from a service, with a small service for the tests.

use crate::support::Server;
use crate::visitor::Visitor;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::post};
use futures_util::StreamExt;
use saltmine_server::{Agents, ChatCompletions, ChatCompletionsSettings};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A service with a certain behaviour, which records its requests.
#[derive(Clone)]
struct Service {
    manner: &'static str,
    asked: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

async fn answer(State(service): State<Service>, headers: HeaderMap, body: String) -> Response {
    service.asked.lock().unwrap().push((headers, serde_json::from_str(&body).unwrap()));
    let event = |json: Value| format!("data: {json}\n\n");
    let chunk = |content: &str| {
        event(json!({ "choices": [{ "index": 0, "delta": { "content": content }, "finish_reason": null }] }))
    };
    let role = event(json!({ "choices": [{ "delta": { "role": "assistant", "content": "" } }] }));
    let stop = event(json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] }));
    let usage = event(json!({ "choices": [], "usage": { "total_tokens": 3 } }));
    let (good, slow) = (format!("{role}{}", chunk("Grüß ")), chunk("Gott 😀"));
    let pieces: Vec<String> = match service.manner {
        "streams" => vec![good, ": a comment\n\n".into(), slow, stop, usage, "data: [DONE]\n\n".into()],
        "stops" => vec![good, slow, stop],
        // Every byte in its own chunk, so that events and characters are divided.
        "crumbles" => vec![good, slow, "data: [DONE]\r\n\r\n".into()],
        "breaks off" => vec![good],
        "fails inside" => vec![good, event(json!({ "error": { "message": "overloaded" } }))],
        "talks nonsense" => vec!["data: <html>\n\n".into()],
        "never ends" => vec![good; 200_000],
        "hangs" => vec![good, String::new()],
        // Some services send the whole message with each part of it.
        "sends both" => {
            let both = |content: &str| {
                let (delta, message) = (json!({ "content": content }), json!({ "content": "all" }));
                event(json!({ "choices": [{ "delta": delta, "message": message }] }))
            };
            vec![both("Grüß "), both("Gott 😀"), stop]
        }
        "does not stream" => {
            let message = json!({ "role": "assistant", "content": "All at once" });
            return axum::Json(json!({ "choices": [{ "message": message, "finish_reason": "stop" }] }))
                .into_response();
        }
        _ => return (StatusCode::UNAUTHORIZED, "{\"error\":\"wrong key\"}").into_response(),
    };
    let crumbles = service.manner == "crumbles";
    let pieces = pieces.into_iter().flat_map(move |piece| {
        let size = if crumbles { 1 } else { piece.len().max(1) };
        piece.as_bytes().chunks(size).map(<[u8]>::to_vec).collect::<Vec<_>>()
    });
    let pieces = futures_util::stream::iter(pieces).map(Ok::<_, std::io::Error>);
    let body = match service.manner {
        "hangs" => Body::from_stream(pieces.chain(futures_util::stream::pending())),
        _ => Body::from_stream(pieces),
    };
    ([("content-type", "text/event-stream; charset=utf-8")], body).into_response()
}

/// Returns a server whose agent uses a service with this behaviour, a visitor, and the requests to the service.
async fn asking(manner: &'static str) -> (Server, Visitor, Arc<Mutex<Vec<(HeaderMap, Value)>>>) {
    let asked = Arc::default();
    let service = Service { manner, asked: Arc::clone(&asked) };
    let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let settings = ChatCompletionsSettings {
        url: format!("http://{address}/v1/chat/completions").parse().unwrap(),
        key: Some("the service's key".into()),
        model: "a-model".to_owned(),
        time_limit: Duration::from_secs(2),
    };
    let agent = ChatCompletions::new(settings).unwrap();
    let agents =
        Agents::built_in().with(Agents::CHAT_COMPLETIONS, agent).with_default(Agents::CHAT_COMPLETIONS);
    let server = Server::new().await.with_agents(agents);
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    (server, visitor, asked)
}

#[tokio::test]
async fn what_the_service_answers_is_streamed_through() {
    let (server, visitor, asked) = asking("streams").await;
    let body = json!({
        "messages": [{ "role": "user", "content": "Hello" }, { "role": "user", "content": "Grüß Gott" }],
    });
    let answer = visitor.post(&server, "/run/api/chat", &body).await;
    let deltas: Vec<_> = answer
        .text()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
        .filter_map(|event| event["delta"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(deltas, ["Grüß ", "Gott 😀"]);
    let (headers, question) = asked.lock().unwrap()[0].clone();
    assert_eq!(headers["authorization"], "Bearer the service's key");
    let expected = json!({ "model": "a-model", "messages": body["messages"], "stream": true });
    assert_eq!(question, expected);
    let id = answer.header("x-conversation-id").unwrap();
    let data = visitor.get(&server, &format!("/run/v1/conversations/{id}")).await.json()["data"].clone();
    assert_eq!(data["agentId"], "chat-completions");
    assert_eq!(data["messages"][2]["content"], "Grüß Gott 😀");
}

#[tokio::test]
async fn services_have_their_manners() {
    for (manner, expected) in [
        ("streams", "Grüß Gott 😀"),
        ("stops", "Grüß Gott 😀"),
        ("sends both", "Grüß Gott 😀"),
        ("crumbles", "Grüß Gott 😀"),
        ("does not stream", "All at once"),
    ] {
        let (server, visitor, _) = asking(manner).await;
        let answer = visitor.say(&server, "hi", None).await;
        assert_eq!(answer.json()["choices"][0]["message"]["content"], expected, "{manner}");
    }
}

#[tokio::test]
async fn a_service_that_fails_is_a_bad_gateway() {
    for manner in ["breaks off", "fails inside", "talks nonsense", "never ends", "refuses"] {
        let (server, visitor, _) = asking(manner).await;
        let answer = visitor.say(&server, "hi", None).await;
        let detail = "Something went wrong on the server. Please try again later.";
        answer.assert_problem(502, "bad_gateway", "agent_failed", detail);
        assert!(visitor.conversations(&server, "").await.0.is_empty(), "{manner}");
    }
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up() {
    let (server, visitor, _) = asking("hangs").await;
    let answer = visitor.say(&server, "hi", None);
    let answer = tokio::time::timeout(Duration::from_secs(10), answer).await.expect("it has a time limit");
    assert_eq!(answer.status, 502);
    let body = json!({ "messages": [{ "role": "user", "content": "hi" }] });
    let answer = visitor.post(&server, "/run/v1/chat/completions", &body).await;
    assert!(answer.text().contains("Grüß ") && answer.text().contains("agent_failed"), "{}", answer.text());
}

/// Apps can still name the built-in agent.
#[tokio::test]
async fn an_app_may_name_another_agent() {
    let (server, _, asked) = asking("streams").await;
    let mut body = crate::support::web_client(json!({ "allowedDomains": ["docs.example.com"] }));
    body["defaultAgentId"] = json!("echo");
    let app = server.make_app(body).await;
    let answer = Visitor::of(&server, &app).await.say(&server, "hi", None).await;
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "hi");
    assert!(asked.lock().unwrap().is_empty());
}

/// The trace of a trusted proxy continues at the service: the same trace, with this server's span as the parent.
#[tokio::test]
async fn the_trace_of_a_proxy_is_continued() {
    let (server, visitor, asked) = asking("streams").await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let visitor = visitor.and("traceparent", &parent).and("tracestate", "vendor=x");
    visitor.say(&server, "from a client", None).await;
    assert!(!asked.lock().unwrap()[0].0.contains_key("traceparent"), "a client is not trusted");

    let server = server.with_trusted_proxies("::/0");
    visitor.say(&server, "from a proxy", None).await;
    let headers = asked.lock().unwrap()[1].0.clone();
    let parts: Vec<_> = headers["traceparent"].to_str().unwrap().split('-').collect();
    assert_eq!((parts[0], parts[1], parts[3]), ("00", trace, "01"));
    assert!(parts[2].len() == 16 && parts[2] != "00f067aa0ba902b7" && parts[2] != "0000000000000000");
    assert_eq!(headers["tracestate"], "vendor=x");
}
