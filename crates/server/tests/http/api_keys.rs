use crate::support::{MANAGEMENT_KEY, Server, request, settings};
use crate::visitor::Visitor;
use axum::http::Method;
use saltmine_server::{PowScope, Settings};
use serde_json::{Value, json};
use std::time::Duration;

const KEYS: &str = "/manage/tenants/acme/projects/docs/api-keys";

async fn make(server: &Server, body: Value) -> (Value, String) {
    let answer = server.manage_at(Method::POST, KEYS, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let data = answer.json()["data"].clone();
    let key = data["key"].as_str().unwrap().to_owned();
    (data["apiKey"].clone(), key)
}

fn backend() -> Value {
    json!({ "name": " Backend ", "agentId": "echo" })
}

#[tokio::test]
async fn a_key_is_told_once() {
    let server = Server::new().await;
    let (api_key, key) = make(&server, backend()).await;
    let id = api_key["id"].as_str().unwrap();
    assert!(id.starts_with("key_") && id.len() >= 20, "{id}");
    assert!(key.starts_with("smk_") && key.len() == 58, "{key}");
    assert_eq!(
        api_key,
        json!({
            "id": id, "tenantId": "acme", "projectId": "docs", "name": "Backend", "agentId": "echo",
            "keyPrefix": key[..10], "lastUsedAt": null, "expiresAt": null,
            "createdAt": "2026-09-21T14:13:20Z",
        })
    );
    let list = server.manage_at(Method::GET, KEYS, &json!({})).await;
    assert_eq!(
        list.json(),
        json!({ "data": [api_key], "pagination": { "page": 1, "limit": 10, "total": 1, "pages": 1 } })
    );
    assert!(!list.text().contains(&key[10..]));
}

/// No table contains the secret, or a part of it that is not shown.
#[tokio::test]
async fn a_key_is_kept_as_its_digest() {
    let server = Server::new().await;
    let (_, key) = make(&server, backend()).await;
    server.store.close().await;
    let stored = server.database.contents().await;
    let contains = |text: &str| stored.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(contains(&key[..10]), "the part that is shown");
    assert!(!contains(&key[..11]) && !contains(&key[20..40]), "nothing else of the key");
}

#[tokio::test]
async fn a_key_opens_the_run_api_without_proof_of_work() {
    let mut settings = settings();
    settings.proof_of_work.as_mut().unwrap().scope = PowScope::Request;
    let server = Server::with(settings).await;
    let (_, key) = make(&server, backend()).await;
    let caller = Visitor::with_api_key(&key);
    let id = caller.begin(&server, "From a server").await;
    caller.say(&server, "Again", Some(&id)).await;
    assert_eq!(caller.messages(&server, &id).await.len(), 4);
    assert_eq!(caller.conversations(&server, "").await.0, [&*id]);
    let body = json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }], "stream": false });
    assert_eq!(caller.post(&server, "/run/v1/chat/completions", &body).await.status, 200);
    // No origin is checked, and no app is required.
    let odd = caller.and("origin", "https://evil.com").and("x-inkeep-app-id", "app_unknown000000000");
    assert_eq!(odd.get(&server, "/run/v1/conversations").await.status, 200);
}

#[tokio::test]
async fn its_use_is_noted() {
    let server = Server::new().await;
    let (_, key) = make(&server, backend()).await;
    server.clock.pass(Duration::from_secs(60));
    Visitor::with_api_key(&key).begin(&server, "hi").await;
    let list = server.manage_at(Method::GET, KEYS, &json!({})).await.json();
    assert_eq!(list["data"][0]["lastUsedAt"], "2026-09-21T14:14:20Z");
}

#[tokio::test]
async fn keys_do_not_see_each_others_conversations() {
    let server = Server::new().await;
    let first = Visitor::with_api_key(&make(&server, backend()).await.1);
    let second = Visitor::with_api_key(&make(&server, backend()).await.1);
    let id = first.begin(&server, "secret").await;
    assert_eq!(second.get(&server, &format!("/run/v1/conversations/{id}")).await.status, 404);
    assert!(second.conversations(&server, "").await.0.is_empty());
}

#[tokio::test]
async fn a_wrong_or_deleted_key_opens_nothing() {
    let server = Server::new().await;
    let (api_key, key) = make(&server, backend()).await;
    let refused = async |key: &str| {
        let answer = Visitor::with_api_key(key).say(&server, "hi", None).await;
        answer.assert_problem(401, "unauthorized", "api_key_invalid", "Invalid API key");
    };
    refused("smk_").await;
    refused(&key[..51]).await;
    refused(&format!("{key}0")).await;
    refused(&key.to_uppercase().replace("SMK_", "smk_")).await;
    let id = api_key["id"].as_str().unwrap();
    let answer = Visitor::with_api_key(id).say(&server, "hi", None).await;
    assert_eq!(answer.json()["reason"], "app_id_missing", "its id is no key");

    let path = |owner: &str| format!("/manage/tenants/{owner}/projects/docs/api-keys/{id}");
    let gone = server.manage_at(Method::DELETE, &path("rival"), &json!({})).await;
    gone.assert_problem(404, "not_found", "api_key_not_found", "API key not found");
    assert_eq!(Visitor::with_api_key(&key).say(&server, "hi", None).await.status, 200);
    assert_eq!(server.manage_at(Method::DELETE, &path("acme"), &json!({})).await.status, 204);
    refused(&key).await;
    assert_eq!(server.manage_at(Method::DELETE, &path("acme"), &json!({})).await.status, 404);
}

/// A key is only for the run API: it gives no access to the management API, and opens no session.
#[tokio::test]
async fn a_key_is_no_management_key() {
    let server = Server::new().await;
    let (_, key) = make(&server, backend()).await;
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    for method in [Method::GET, Method::POST] {
        assert_eq!(server.send(request(method, KEYS, &headers, &backend().to_string())).await.status, 401);
    }
    let closed = Server::with(Settings { management_key: None, ..settings() }).await;
    let bearer = format!("Bearer {MANAGEMENT_KEY}");
    let answer = closed.send(request(Method::GET, KEYS, &[("authorization", &bearer)], "")).await;
    answer.assert_problem(
        401,
        "unauthorized",
        "management_key_invalid",
        "A valid management key is required.",
    );
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let server = Server::new().await;
    for (body, field) in [
        (json!({ "agentId": "echo" }), "name"),
        (json!({ "name": "x" }), "agentId"),
        (json!({ "name": "", "agentId": "echo" }), "name"),
        (json!({ "name": "x".repeat(256), "agentId": "echo" }), "name"),
        (json!({ "name": "a\u{0}b", "agentId": "echo" }), "name"),
        (json!({ "name": "x", "agentId": "  " }), "agentId"),
        (json!({ "name": "x", "agentId": 7 }), "agentId"),
    ] {
        let answer = server.manage_at(Method::POST, KEYS, &body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &field.into()), "{body}");
    }
    let (_, key) = make(&server, json!({ "name": "x", "agentId": "nobody" })).await;
    let answer = Visitor::with_api_key(&key).say(&server, "hi", None).await;
    answer.assert_problem(404, "not_found", "agent_not_found", "Agent not found");
}

#[tokio::test]
async fn a_key_expires() {
    let server = Server::new().await;
    let expires_at = "2026-09-21T15:00:00Z";
    let at = expires_at.parse::<jiff::Timestamp>().unwrap().as_second();
    let (made, key) = make(&server, json!({ "name": "k", "agentId": "echo", "expiresAt": expires_at })).await;
    assert_eq!(made["expiresAt"], expires_at);
    let backend = Visitor::with_api_key(&key);
    let left = u64::try_from(at - crate::support::NOW).unwrap();
    server.clock.pass(std::time::Duration::from_secs(left - 1));
    assert_eq!(backend.say(&server, "hi", None).await.status, 200);
    server.clock.pass(std::time::Duration::from_secs(1));
    let refused = backend.say(&server, "hi", None).await;
    refused.assert_problem(401, "unauthorized", "api_key_expired", "This API key has expired.");
    let past = json!({ "name": "k", "agentId": "echo", "expiresAt": expires_at });
    let answer = server.manage_at(Method::POST, KEYS, &past).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &json!("expiresAt")));
}
