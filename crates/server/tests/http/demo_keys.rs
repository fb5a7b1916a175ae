//! The route by which the demo page adds its key: in development only.

use crate::signed_in::vectors;
use crate::support::{Server, settings};
use crate::visitor::Visitor;
use axum::http::Method;
use saltmine_server::Settings;
use saltmine_server::development::{DEMO_APP_ID, seed_demo_app};
use serde_json::{Value, json};

const PATH: &str = "/development/demo-keys";
const JSON: (&str, &str) = ("content-type", "application/json");
const HERE: (&str, &str) = ("origin", "http://127.0.0.1:8787");
const KEYS: &str = "/manage/tenants/default/projects/default/apps/app_demo000000000000/auth/keys";

async fn development() -> Server {
    let server = Server::with(Settings { is_development: true, ..settings() }).await;
    seed_demo_app(&server.state).await.unwrap();
    server
}

fn key() -> String {
    let key = &vectors()["keys"][3];
    json!({ "publicKey": key["publicKey"], "algorithm": key["algorithm"] }).to_string()
}

async fn kids(server: &Server) -> Vec<String> {
    let keys = server.manage_at(Method::GET, KEYS, &json!({})).await.json();
    keys["data"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn production_has_no_such_route() {
    let server = Server::new().await;
    seed_demo_app(&server.state).await.unwrap();
    let answer = server.post(PATH, &[JSON, HERE], &key()).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["reason"]), (404, &"route_not_found".into()));
    assert!(kids(&server).await.is_empty());
}

#[tokio::test]
async fn the_demo_page_adds_its_key() {
    let server = development().await;
    let answer = server.post(PATH, &[JSON, HERE], &key()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(kids(&server).await, [answer.json()["data"]["kid"].as_str().unwrap()]);
    assert!(!server.get("/openapi.json").await.text().contains("demo-keys"));
    // Anonymous visitors are still accepted.
    let solution = server.solution().await;
    let headers = [("x-inkeep-challenge-solution", &*solution), HERE];
    assert_eq!(server.open_session(DEMO_APP_ID, &headers).await.status, 200);
    let unsigned = Visitor::with_token(DEMO_APP_ID, "x").get(&server, "/run/v1/conversations").await;
    assert_eq!(unsigned.json()["reason"], "origin_not_allowed");
}

#[tokio::test]
async fn the_oldest_demo_key_makes_room_and_others_stay() {
    let server = development().await;
    let own = &vectors()["keys"][0];
    assert_eq!(server.manage_at(Method::POST, KEYS, own).await.status, 201);
    let mut added = Vec::new();
    for _ in 0..12 {
        let answer = server.post(PATH, &[JSON, HERE], &key()).await.json();
        added.push(answer["data"]["kid"].as_str().unwrap().to_owned());
    }
    let mut expected = vec![own["kid"].as_str().unwrap().to_owned()];
    expected.extend_from_slice(&added[2..]);
    assert_eq!(kids(&server).await, expected);
}

#[tokio::test]
async fn what_no_demo_page_sends_is_refused() {
    let server = development().await;
    let evil = ("origin", "https://evil.com");
    for (headers, body, status) in [
        (vec![JSON, evil], key(), 403),
        (vec![JSON], key(), 403),
        (vec![HERE], key(), 415),
        (vec![JSON, HERE], "{}".to_owned(), 422),
        (vec![JSON, HERE], json!({ "publicKey": "x", "algorithm": "ES256" }).to_string(), 400),
        (vec![JSON, HERE], json!({ "publicKey": "x".repeat(70_000), "algorithm": "ES256" }).to_string(), 413),
    ] {
        assert_eq!(server.post(PATH, &headers, &body).await.status, status, "{headers:?}");
    }
    let preflight = [evil, ("access-control-request-method", "POST")];
    let answer = server.send(crate::support::request(Method::OPTIONS, PATH, &preflight, "")).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(kids(&server).await, Vec::<String>::new());
    let _: Value = answer.json();
}
