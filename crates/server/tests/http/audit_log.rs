//! The audit log, and the key that permits no changes.

use crate::support::{APPS, Answer, MANAGEMENT_KEY, Server, request, settings};
use axum::body::{Body, Bytes};
use axum::http::{Method, Request};
use saltmine_server::{ManagementSettings, Settings, sweep};
use serde_json::{Value, json};
use std::time::Duration;

const READ_KEY: &str = "a key that changes nothing";
const LOG: &str = "/manage/audit-log";

async fn server(audit_entries: u32) -> Server {
    let management = ManagementSettings { read_key: Some(READ_KEY.into()), audit_entries };
    Server::with(Settings { management, ..settings() }).await
}

async fn call(server: &Server, key: &str, method: Method, path: &str, body: &Value) -> Answer {
    let authorization = format!("Bearer {key}");
    let headers = [("authorization", &*authorization), ("content-type", "application/json")];
    server.send(request(method, path, &headers, &body.to_string())).await
}

#[tokio::test]
async fn the_second_key_reads_and_changes_nothing() {
    let server = server(100).await;
    let app = server.web_client().await;
    let path = format!("{APPS}/{app}");
    for path in [APPS, &path, LOG] {
        assert_eq!(call(&server, READ_KEY, Method::GET, path, &json!({})).await.status, 200, "{path}");
    }
    let revocations = format!("{path}/revocations");
    for (method, path) in
        [(Method::POST, APPS), (Method::PATCH, &path), (Method::DELETE, &path), (Method::POST, &revocations)]
    {
        let refused = call(&server, READ_KEY, method, path, &json!({ "enabled": false })).await;
        let detail = "This management key only permits calls that change nothing.";
        refused.assert_problem(403, "forbidden", "management_key_read_only", detail);
    }
    let app = call(&server, READ_KEY, Method::GET, &path, &json!({})).await.json();
    assert_eq!(app["data"]["enabled"], true);
    assert_eq!(call(&server, "another key of the kind", Method::GET, APPS, &json!({})).await.status, 401);
}

#[tokio::test]
async fn calls_are_recorded_with_key_and_status() {
    let server = server(100).await;
    let app = server.web_client().await;
    let path = format!("{APPS}/{app}");
    server.clock.pass(Duration::from_secs(1));
    call(&server, READ_KEY, Method::GET, &format!("{path}?secret=x"), &json!({})).await;
    server.clock.pass(Duration::from_secs(1));
    call(&server, MANAGEMENT_KEY, Method::DELETE, &format!("{APPS}/app_unknown"), &json!({})).await;
    server.clock.pass(Duration::from_secs(1));
    call(&server, READ_KEY, Method::DELETE, &path, &json!({})).await;
    server.clock.pass(Duration::from_secs(1));
    call(&server, "a wrong key", Method::GET, APPS, &json!({})).await;
    let log = call(&server, READ_KEY, Method::GET, LOG, &json!({})).await.json();
    let entries: Vec<_> = log["data"].as_array().unwrap().iter().collect();
    let seen = |entry: &Value| {
        let text = |member: &str| entry[member].as_str().unwrap().to_owned();
        (text("key"), text("method"), text("path"), entry["status"].as_u64())
    };
    let entry = |key: &str, method: &str, path: &str, status| {
        (key.to_owned(), method.to_owned(), path.to_owned(), status)
    };
    let unknown = format!("{APPS}/app_unknown");
    assert_eq!(
        entries.iter().map(|entry| seen(entry)).collect::<Vec<_>>(),
        [
            // The call that reads the log has no response yet.
            entry("read-only", "GET", LOG, None),
            entry("read-only", "DELETE", &path, Some(403)),
            entry("full", "DELETE", &unknown, Some(404)),
            entry("read-only", "GET", &path, Some(422)),
            entry("full", "POST", APPS, Some(201)),
        ],
        "and no call without a key"
    );
}

#[tokio::test]
async fn the_log_is_bounded() {
    let server = server(3).await;
    for number in 0..10 {
        server.clock.pass(Duration::from_secs(1));
        call(&server, READ_KEY, Method::GET, &format!("{APPS}/app_{number}"), &json!({})).await;
    }
    sweep(&server.state).await.unwrap();
    assert_eq!(server.database.count("SELECT COUNT(*) FROM audit_log").await, 3);
    server.clock.pass(Duration::from_secs(1));
    let log = call(&server, READ_KEY, Method::GET, LOG, &json!({})).await.json();
    assert_eq!(log["data"][3]["path"], json!(format!("{APPS}/app_7")), "the newest stay");
}

/// Calls with the read-only key cannot remove a change from the log.
#[tokio::test]
async fn reads_and_changes_are_bounded_by_themselves() {
    let server = server(3).await;
    let app = server.web_client().await;
    for _ in 0..10 {
        server.clock.pass(Duration::from_secs(1));
        call(&server, READ_KEY, Method::GET, &format!("{APPS}/{app}"), &json!({})).await;
        call(&server, READ_KEY, Method::DELETE, &format!("{APPS}/{app}"), &json!({})).await;
    }
    sweep(&server.state).await.unwrap();
    let of_read_key = "SELECT COUNT(*) FROM audit_log WHERE key_role = 'read-only'";
    assert_eq!(server.database.count(of_read_key).await, 3);
    assert_eq!(server.database.count("SELECT COUNT(*) FROM audit_log WHERE method = 'POST'").await, 1);
}

#[tokio::test]
async fn it_can_be_off() {
    let server = server(0).await;
    server.web_client().await;
    assert_eq!(server.database.count("SELECT COUNT(*) FROM audit_log").await, 0);
}

/// A change that cannot be recorded is not made.
#[tokio::test]
async fn a_call_that_cannot_be_recorded_is_not_made() {
    let server = server(100).await;
    let app = server.web_client().await;
    server.database.run("DROP TABLE audit_log").await;
    let path = format!("{APPS}/{app}");
    assert_eq!(call(&server, MANAGEMENT_KEY, Method::DELETE, &path, &json!({})).await.status, 500);
    assert_eq!(server.database.count("SELECT COUNT(*) FROM apps").await, 1);
}

/// Sends a body that ends with a panic, or never.
async fn call_with_body(server: &Server, body: Body) -> Answer {
    let request = Request::post(APPS)
        .header("authorization", format!("Bearer {MANAGEMENT_KEY}"))
        .header("content-type", "application/json");
    server.send(request.body(body).unwrap()).await
}

#[tokio::test]
async fn a_time_limit_and_a_panic_are_recorded_with_their_status() {
    let server = Server::with(Settings { request_timeout: Duration::from_millis(200), ..settings() }).await;
    let pending = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
    assert_eq!(call_with_body(&server, Body::from_stream(pending)).await.status, 503);
    server.clock.pass(Duration::from_secs(1));
    let panicking =
        futures_util::stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
            panic!("the body breaks")
        });
    assert_eq!(call_with_body(&server, Body::from_stream(panicking)).await.status, 500);
    server.clock.pass(Duration::from_secs(1));
    let log = call(&server, MANAGEMENT_KEY, Method::GET, LOG, &json!({})).await.json();
    let statuses: Vec<_> = (1..3).map(|index| log["data"][index]["status"].as_u64()).collect();
    assert_eq!(statuses, [Some(500), Some(503)], "{log}");
}
