//! Errors: all have the same form, wherever they occur.

use crate::support::{PAGE, Server, request, settings, without_proof_of_work};
use axum::body::Body;
use axum::http::{Method, Request};
use futures_util::StreamExt;
use saltmine_server::{Agent, AgentError, Agents, Message, Reply, Settings};
use std::time::Duration;

const FAILED: &str = "Something went wrong on the server. Please try again later.";

/// Fails in the way that its text names.
struct Broken(&'static str);

impl Agent for Broken {
    fn reply(&self, _: Vec<Message>) -> Reply {
        match self.0 {
            "panics" => panic!("the wheel came off at 10.0.0.1"),
            "hangs" => futures_util::stream::pending().boxed(),
            _ => futures_util::stream::iter([
                Ok("Half an ".to_owned()),
                Err(AgentError("no connection to 10.0.0.1".to_owned())),
            ])
            .boxed(),
        }
    }
}

async fn chat_with(agent: Broken, settings: Settings, body: &str) -> crate::support::Answer {
    let server = Server::with(settings).await;
    let server = server.with_agents(Agents::built_in().with(Agents::ECHO, agent));
    let app = server.web_client().await;
    let answer = server.open_session(&app, &[]).await.json();
    let bearer = format!("Bearer {}", answer["token"].as_str().unwrap());
    let headers = [
        ("authorization", &*bearer),
        ("x-inkeep-app-id", &app),
        ("origin", PAGE),
        ("content-type", "application/json"),
    ];
    server.post("/run/api/chat", &headers, body).await
}

const IN_ONE_PIECE: &str = r#"{"messages":[{"role":"user","content":"hi"}],"stream":false}"#;
const IN_A_STREAM: &str = r#"{"messages":[{"role":"user","content":"hi"}]}"#;

#[tokio::test]
async fn unknown_routes_are_not_found() {
    let server = Server::new().await;
    for path in
        ["/", "/nope", "/run", "/run/", "/run/nope", "/manage", "/manage/nope", "/run/auth/pow/challenge/"]
    {
        let answer = server.get(path).await;
        answer.assert_problem(404, "not_found", "route_not_found", "This path does not exist.");
    }
}

#[tokio::test]
async fn wrong_methods_are_told() {
    let server = Server::new().await;
    for (method, path, allow) in [
        (Method::POST, "/run/auth/pow/challenge", "GET,HEAD"),
        (Method::GET, "/run/auth/apps/a/anonymous-session", "POST"),
        (Method::DELETE, "/run/api/chat", "POST"),
        (Method::PUT, crate::support::APPS, "POST,GET,HEAD"),
        (Method::POST, "/openapi.json", "GET,HEAD"),
    ] {
        let key = format!("Bearer {}", crate::support::MANAGEMENT_KEY);
        let answer = server.send(request(method, path, &[("authorization", &key)], "")).await;
        let detail = "This route does not support the method.";
        answer.assert_problem(405, "bad_request", "method_not_allowed", detail);
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
}

#[tokio::test]
async fn a_path_that_is_no_text_is_refused_in_the_same_form() {
    let server = Server::new().await;
    let answer = server.post("/run/auth/apps/%FF/anonymous-session", &[("origin", PAGE)], "").await;
    answer.assert_problem(400, "bad_request", "refused", "The request could not be handled.");
}

#[tokio::test]
async fn request_ids_are_ours_and_differ() {
    let server = Server::new().await;
    let request = || Request::get("/nope").header("x-request-id", "theirs").body(Body::empty()).unwrap();
    let (first, second) = (server.send(request()).await, server.send(request()).await);
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    assert_ne!(first.header("x-request-id"), Some("theirs"));
}

#[tokio::test]
async fn a_failing_database_is_not_told() {
    let server = Server::new().await;
    let app = server.web_client().await;
    server.store.close().await;
    let answer = server.open_session(&app, &[]).await;
    answer.assert_problem(503, "service_unavailable", "not_ready", FAILED);
}

#[tokio::test]
async fn a_database_that_is_wrong_is_not_told_either() {
    let server = Server::new().await;
    let app = server.web_client().await;
    server.database.run("ALTER TABLE apps RENAME TO gone").await;
    // Another instance, which has not read the app yet.
    let answer = server.another().await.open_session(&app, &[]).await;
    answer.assert_problem(500, "internal_server_error", "internal", FAILED);
}

#[tokio::test]
async fn a_panic_is_an_answer_too() {
    let answer = chat_with(Broken("panics"), without_proof_of_work(), IN_A_STREAM).await;
    answer.assert_problem(500, "internal_server_error", "internal", FAILED);
    assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE), "which the page can read");
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let settings = Settings { agent_timeout: Duration::from_millis(300), ..without_proof_of_work() };
    let answer = chat_with(Broken("hangs"), settings, IN_ONE_PIECE).await;
    answer.assert_problem(503, "service_unavailable", "timed_out", FAILED);
    assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
}

#[tokio::test]
async fn a_failing_agent_is_not_told() {
    let answer = chat_with(Broken("fails"), without_proof_of_work(), IN_ONE_PIECE).await;
    answer.assert_problem(502, "bad_gateway", "agent_failed", FAILED);

    let answer = chat_with(Broken("fails"), without_proof_of_work(), IN_A_STREAM).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains(
        r#"{"type":"error","errorText":"The response failed before its end. Send the message again."}"#
    ));
    let last = answer.text().trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.contains("\"error\""), "nothing comes after the error: {}", answer.text());
    assert!(!answer.text().contains("10.0.0.1"));
}

#[tokio::test]
async fn a_body_must_be_json_and_not_too_large() {
    let server = Server::with(Settings { proof_of_work: None, ..settings() }).await;
    let app = server.web_client().await;
    let answer = server.open_session(&app, &[]).await.json();
    let bearer = format!("Bearer {}", answer["token"].as_str().unwrap());
    let headers = [("authorization", &*bearer), ("x-inkeep-app-id", &app), ("origin", PAGE)];
    let chat = async |content_type: &str, body: &str| {
        let headers = [&headers[..], &[("content-type", content_type)]].concat();
        server.post("/run/api/chat", &headers, body).await
    };

    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let detail = "The body must be JSON, with the header Content-Type: application/json.";
        chat(content_type, IN_ONE_PIECE).await.assert_problem(415, "bad_request", "body_not_json", detail);
    }
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(chat(content_type, IN_ONE_PIECE).await.status, 200);
    }
    for body in ["", "{", &IN_ONE_PIECE.repeat(2), "{\"messages\":[],}", "\u{feff}{}"] {
        let answer = chat("application/json", body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["reason"]),
            (400, &"body_malformed".into()),
            "{body}"
        );
    }
    for body in ["[]", "null", "7", "\"x\"", r#"[[{"role":"user","content":"hi"}],null,false]"#] {
        let answer = chat("application/json", body).await;
        let told = (answer.status.as_u16(), answer.json()["detail"].clone());
        assert_eq!(told, (422, "body: must be an object".into()), "{body}");
    }
    let long = format!(r#"{{"messages":[{{"role":"user","content":"{}"}}]}}"#, "x".repeat(5 * 1024 * 1024));
    let answer = chat("application/json", &long).await;
    answer.assert_problem(413, "bad_request", "body_too_large", "The body is too large.");
}
