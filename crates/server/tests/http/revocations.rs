//! Sessions that the operator revokes.

use crate::support::{APPS, Answer, PAGE, Server};
use crate::visitor::Visitor;
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const LIST: &str = "/run/v1/conversations";

async fn revoke(server: &Server, app: &str, body: Value) -> Answer {
    server.manage_at(Method::POST, &format!("{APPS}/{app}/revocations"), &body).await
}

fn sub(token: &str) -> String {
    crate::support::jwt_part(token, 1)["sub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_sessions_of_one_visitor_are_revoked() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let token = server.token(&app).await;
    let (visitor, other) = (Visitor::with_token(&app, &token), Visitor::of(&server, &app).await);
    server.clock.pass(Duration::from_millis(500));
    let answer = revoke(&server, &app, json!({ "visitor": sub(&token) })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["data"]["visitor"], sub(&token));
    let refused = visitor.get(&server, LIST).await;
    refused.assert_problem(401, "unauthorized", "token_invalid", "Invalid end-user JWT");
    assert_eq!(other.get(&server, LIST).await.status, 200, "another visitor's are valid");

    // A revoked session is not renewed: the visitor gets a new identity.
    server.clock.pass(Duration::from_secs(1));
    let solution = server.solution().await;
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", &*authorization), ("x-inkeep-challenge-solution", &solution)];
    let renewed = server.open_session(&app, &headers).await.json();
    let renewed = renewed["token"].as_str().unwrap();
    assert_ne!(sub(renewed), sub(&token));
    assert_eq!(Visitor::with_token(&app, renewed).get(&server, LIST).await.status, 200);
}

/// Every instance refuses the sessions at once.
#[tokio::test]
async fn all_sessions_of_an_app_are_revoked() {
    let server = Server::new().await;
    let another = server.another().await;
    let (app, other) = (server.web_client().await, server.web_client().await);
    let (before, elsewhere) = (Visitor::of(&server, &app).await, Visitor::of(&server, &other).await);
    let answer = revoke(&server, &app, json!({})).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["data"]["visitor"]), (201, &Value::Null));
    assert_eq!(before.get(&server, LIST).await.status, 401);
    assert_eq!(before.get(&another, LIST).await.status, 401);
    assert_eq!(before.say(&another, "hi", None).await.status, 401);
    assert_eq!(elsewhere.get(&server, LIST).await.status, 200);
    server.clock.pass(Duration::from_secs(1));
    assert_eq!(Visitor::of(&server, &app).await.get(&server, LIST).await.status, 200, "new ones are valid");
}

/// The `iat` of a token is a whole second: tokens on both sides of a revocation began in the same one.
#[tokio::test]
async fn a_session_that_opens_in_the_second_of_a_revocation_is_valid() {
    let server = Server::new().await;
    let app = server.web_client().await;
    server.clock.pass(Duration::from_millis(200));
    let before = Visitor::of(&server, &app).await;
    server.clock.pass(Duration::from_millis(100));
    assert_eq!(revoke(&server, &app, json!({})).await.status, 201);
    server.clock.pass(Duration::from_millis(100));
    let token = server.token(&app).await;
    let after = Visitor::with_token(&app, &token);
    assert_eq!(before.get(&server, LIST).await.status, 401);
    assert_eq!(after.get(&server, LIST).await.status, 200);

    // Renewed within the same second, the session keeps its identity.
    let renewed = renew(&server, &app, &token).await;
    assert_eq!(sub(&renewed), sub(&token));
    let renewed = Visitor::with_token(&app, &renewed);
    assert_eq!(renewed.get(&server, LIST).await.status, 200);

    // Another revocation in this second, of the app or of the visitor, ends the session.
    for (number, all) in [true, false].into_iter().enumerate() {
        let token = server.token(&app).await;
        let visitor = Visitor::with_token(&app, &token);
        assert_eq!(visitor.get(&server, LIST).await.status, 200, "{number}");
        let body = if all { json!({}) } else { json!({ "visitor": sub(&token) }) };
        assert_eq!(revoke(&server, &app, body).await.status, 201);
        assert_eq!(visitor.get(&server, LIST).await.status, 401, "{number}");
    }
    assert_eq!(renewed.get(&server, LIST).await.status, 401);
    assert_eq!(Visitor::of(&server, &app).await.get(&server, LIST).await.status, 200);
}

async fn renew(server: &Server, app: &str, token: &str) -> String {
    let (solution, authorization) = (server.solution().await, format!("Bearer {token}"));
    let headers = [("authorization", &*authorization), ("x-inkeep-challenge-solution", &solution)];
    server.open_session(app, &headers).await.json()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn sessions_that_began_after_the_time_stay_valid() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let before = Visitor::of(&server, &app).await;
    server.clock.pass(Duration::from_secs(10));
    let after = Visitor::of(&server, &app).await;
    server.clock.pass(Duration::from_secs(10));
    let time = jiff::Timestamp::from_second(crate::support::NOW + 5).unwrap().to_string();
    assert_eq!(revoke(&server, &app, json!({ "notBefore": time })).await.status, 201);
    assert_eq!(before.get(&server, LIST).await.status, 401);
    assert_eq!(after.get(&server, LIST).await.status, 200);
    // A revocation with an earlier time does not cancel a later one.
    let time = jiff::Timestamp::from_second(crate::support::NOW - 5).unwrap().to_string();
    assert_eq!(revoke(&server, &app, json!({ "notBefore": time })).await.status, 201);
    assert_eq!(before.get(&server, LIST).await.status, 401);
}

#[tokio::test]
async fn revocations_are_listed() {
    let server = Server::new().await;
    let app = server.web_client().await;
    for visitor in ["anon_1", " user 2 "] {
        server.clock.pass(Duration::from_secs(1));
        assert_eq!(revoke(&server, &app, json!({ "visitor": visitor })).await.status, 201);
    }
    let list = server.manage_at(Method::GET, &format!("{APPS}/{app}/revocations"), &json!({})).await.json();
    assert_eq!((&list["data"][0]["visitor"], &list["pagination"]["total"]), (&json!(" user 2 "), &json!(2)));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let server = Server::new().await;
    let app = server.web_client().await;
    for (body, field) in [
        (json!({ "visitor": "" }), "visitor"),
        (json!({ "visitor": "a\u{7}" }), "visitor"),
        (json!({ "visitor": "x".repeat(256) }), "visitor"),
        (json!({ "vistor": "x" }), "vistor"),
        (json!({ "notBefore": "yesterday" }), "notBefore"),
        (json!({ "notBefore": "2126-01-01T00:00:00Z" }), "notBefore"),
    ] {
        let answer = revoke(&server, &app, body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &json!(field)));
    }
    assert_eq!(revoke(&server, "app_unknown000000000", json!({})).await.status, 404);
    let path = format!("/manage/tenants/acme/projects/other/apps/{app}/revocations");
    assert_eq!(server.manage_at(Method::POST, &path, &json!({})).await.status, 404, "another project's");
    let visitor = Visitor::of(&server, &app).await;
    assert_eq!(visitor.get(&server, LIST).await.status, 200, "{PAGE}: nothing is revoked");
}
