//! With a proof of work for every request, a message requires a solution, like a session.

use crate::support::{Server, settings};
use crate::visitor::Visitor;
use saltmine_server::{PowScope, Settings};
use serde_json::json;

const SOLUTION: &str = "x-inkeep-challenge-solution";

fn per_request() -> Settings {
    let mut settings = settings();
    settings.proof_of_work.as_mut().unwrap().scope = PowScope::Request;
    settings
}

#[tokio::test]
async fn a_message_requires_a_solution() {
    let server = Server::with(per_request()).await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    for path in ["/run/api/chat", "/run/v1/chat/completions"] {
        let body = json!({ "messages": [{ "role": "user", "content": "hi" }], "stream": false });
        let required = "Proof-of-work challenge solution is required.";
        let unpaid = visitor.post(&server, path, &body).await;
        unpaid.assert_problem(400, "bad_request", "pow_required", required);
        let paying = visitor.and(SOLUTION, &server.solution().await);
        assert_eq!(paying.post(&server, path, &body).await.status, 200);
        let replayed = "Proof-of-work challenge solution has already been used.";
        paying.post(&server, path, &body).await.assert_problem(400, "bad_request", "pow_replayed", replayed);
        let wrong = visitor.and(SOLUTION, "e30=");
        assert_eq!(wrong.post(&server, path, &body).await.json()["reason"], "pow_invalid");
    }
    assert_eq!(visitor.conversations(&server, "").await.0.len(), 2, "reading costs nothing");
}

/// A solution is accepted once.
#[tokio::test]
async fn a_solution_opens_a_session_or_sends_a_message() {
    let server = Server::with(per_request()).await;
    let app = server.web_client().await;
    let solution = server.solution().await;
    let session = server.open_session(&app, &[(SOLUTION, &solution)]).await.json();
    let visitor = Visitor::with_token(&app, session["token"].as_str().unwrap()).and(SOLUTION, &solution);
    assert_eq!(visitor.say(&server, "hi", None).await.json()["reason"], "pow_replayed");
}

#[tokio::test]
async fn a_message_that_is_refused_otherwise_keeps_its_solution() {
    let server = Server::with(per_request()).await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await.and(SOLUTION, &server.solution().await);
    let empty = visitor.post(&server, "/run/api/chat", &json!({ "messages": [] })).await;
    assert_eq!(empty.status, 422);
    assert_eq!(visitor.say(&server, "hi", Some("not an id")).await.status, 422);
    assert_eq!(visitor.say(&server, "hi", None).await.status, 200);
}

#[tokio::test]
async fn by_default_a_session_is_all_that_costs() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    assert_eq!(visitor.say(&server, "hi", None).await.status, 200);
    assert_eq!(server.open_session(&app, &[]).await.json()["reason"], "pow_required");
}

/// A script without solutions must not use the quota of the app's visitors.
#[tokio::test]
async fn a_message_without_a_solution_uses_no_quota() {
    let mut settings = per_request();
    settings.limits.tokens.app = Some(5);
    let server = Server::with(settings).await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    for _ in 0..10 {
        assert_eq!(visitor.say(&server, "hi", None).await.status, 400);
        assert_eq!(visitor.and(SOLUTION, "e30=").say(&server, "hi", None).await.status, 400);
    }
    let paying = visitor.and(SOLUTION, &server.solution().await);
    assert_eq!(paying.say(&server, "hi", None).await.status, 200);
}
