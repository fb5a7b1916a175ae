//! Existing apps: only their owner can read, change, list and delete them.

use crate::support::{APPS, Answer, Server, web_client};
use crate::visitor::Visitor;
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn call(server: &Server, method: Method, path: &str) -> Answer {
    server.manage_at(method, path, &json!({})).await
}

async fn patch(server: &Server, id: &str, body: Value) -> Answer {
    server.manage_at(Method::PATCH, &format!("{APPS}/{id}"), &body).await
}

async fn named(server: &Server, name: &str) -> String {
    server.clock.pass(Duration::from_secs(1));
    let mut body = web_client(json!({ "allowedDomains": ["docs.example.com"] }));
    body["name"] = json!(name);
    server.make_app(body).await
}

fn names(list: &Answer) -> Vec<String> {
    list.json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|app| app["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_app_is_read() {
    let server = Server::new().await;
    let made =
        server.manage(&web_client(json!({ "allowedDomains": ["*"] }))).await.json()["data"]["app"].clone();
    let path = format!("{APPS}/{}", made["id"].as_str().unwrap());
    assert_eq!(call(&server, Method::GET, &path).await.json(), json!({ "data": made }));
    let unknown = call(&server, Method::GET, &format!("{APPS}/app_unknown000000000")).await;
    unknown.assert_problem(404, "not_found", "app_not_found", "App not found");
}

#[tokio::test]
async fn lists_have_pages_the_newest_first() {
    let server = Server::new().await;
    for name in ["a", "b", "c"] {
        named(&server, name).await;
    }
    server.clock.pass(Duration::from_secs(1));
    server.make_app(json!({ "name": "api", "type": "api", "config": { "type": "api" } })).await;

    let all = call(&server, Method::GET, APPS).await;
    assert_eq!(names(&all), ["api", "c", "b", "a"]);
    assert_eq!(all.json()["pagination"], json!({ "page": 1, "limit": 10, "total": 4, "pages": 1 }));
    let second = call(&server, Method::GET, &format!("{APPS}?page=2&limit=3")).await;
    assert_eq!(names(&second), ["a"]);
    assert_eq!(second.json()["pagination"], json!({ "page": 2, "limit": 3, "total": 4, "pages": 2 }));
    let api = call(&server, Method::GET, &format!("{APPS}?type=api")).await;
    assert_eq!((names(&api), &api.json()["pagination"]["total"]), (vec!["api".to_owned()], &json!(1)));
    assert_eq!(names(&call(&server, Method::GET, &format!("{APPS}?type=web_client&limit=1")).await), ["c"]);
    let none = call(&server, Method::GET, "/manage/tenants/acme/projects/empty/apps").await;
    assert_eq!(
        none.json(),
        json!({ "data": [], "pagination": { "page": 1, "limit": 10, "total": 0, "pages": 0 } })
    );
    for (query, field) in
        [("page=0", "page"), ("limit=1000", "limit"), ("type=mobile", "type"), ("type=", "type")]
    {
        let answer = call(&server, Method::GET, &format!("{APPS}?{query}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &field.into()), "{query}");
    }
}

/// Regression: a misspelt filter returned the whole list.
#[tokio::test]
async fn an_unknown_query_parameter_is_refused_with_a_suggestion() {
    let server = Server::new().await;
    let description = server.get("/openapi.json").await.json();
    let mut suggestions = 0;
    for (route, item) in description["paths"].as_object().unwrap() {
        if !route.starts_with("/manage/") {
            continue;
        }
        let path = format!("{route}?limti=3").replace("{tenantId}", "acme").replace("{projectId}", "docs");
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array();
            let has_limit = parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "limit"));
            let suggestion = if has_limit { "; did you mean `limit`?" } else { "" };
            let answer = call(&server, method.to_uppercase().parse().unwrap(), &path).await;
            let detail = format!("limti: is not a known query parameter{suggestion}");
            answer.assert_problem(422, "unprocessable_entity", "field_invalid", &detail);
            assert_eq!(answer.json()["field"], "limti", "{method} {path}");
            suggestions += u32::from(has_limit);
        }
    }
    assert_eq!(suggestions, 6, "every list");
    let head = call(&server, Method::HEAD, &format!("{APPS}?limti=3")).await;
    assert_eq!(head.status, 422);
    let unsigned = server.get(&format!("{APPS}?limti=3")).await;
    assert_eq!(unsigned.status, 401, "the key comes first");
    let wrong_method = call(&server, Method::PUT, &format!("{APPS}?limti=3")).await;
    assert_eq!(wrong_method.status, 405);
    // Widgets of later versions may send more: the run API ignores unknown members.
    let visitor = Visitor::of(&server, &named(&server, "Docs").await).await;
    assert_eq!(visitor.get(&server, "/run/v1/conversations?limti=3").await.status, 200);
}

#[tokio::test]
async fn a_change_changes_what_it_names() {
    let server = Server::new().await;
    let id = named(&server, "before").await;
    let before = call(&server, Method::GET, &format!("{APPS}/{id}")).await.json()["data"].clone();
    server.clock.pass(Duration::from_secs(9));

    let mut expected = before.clone();
    expected["updatedAt"] = json!("2026-09-21T14:13:30Z");
    assert_eq!(patch(&server, &id, json!({})).await.json()["data"], expected, "nothing but the time");
    for (change, pointer, value) in [
        (json!({ "name": " after " }), "/name", json!("after")),
        (json!({ "description": "words" }), "/description", json!("words")),
        (json!({ "description": null }), "/description", Value::Null),
        (json!({ "defaultAgentId": "echo" }), "/defaultAgentId", json!("echo")),
        (json!({ "defaultAgentId": null }), "/defaultAgentId", Value::Null),
        (json!({ "prompt": " Be brief. " }), "/prompt", json!("Be brief.")),
        (json!({ "prompt": null }), "/prompt", Value::Null),
        (json!({ "enabled": false }), "/enabled", json!(false)),
        (json!({ "type": "web_client", "enabled": true }), "/enabled", json!(true)),
        (
            json!({ "config": { "type": "web_client", "webClient": { "allowAnonymous": false } } }),
            "/config/webClient/allowAnonymous",
            json!(false),
        ),
        (
            json!({ "config": { "type": "web_client", "webClient": { "allowedDomains": ["*.example.org"] } } }),
            "/config/webClient/allowedDomains",
            json!(["*.example.org"]),
        ),
        (json!({ "config": { "type": "web_client" } }), "/config/type", json!("web_client")),
    ] {
        let answer = patch(&server, &id, change.clone()).await;
        assert_eq!(answer.status, 200, "{change}: {}", answer.text());
        *expected.pointer_mut(pointer).unwrap() = value;
        assert_eq!(answer.json(), json!({ "data": expected }), "{change}");
        assert_eq!(call(&server, Method::GET, &format!("{APPS}/{id}")).await.json()["data"], expected);
    }
}

#[tokio::test]
async fn a_change_holds_at_once() {
    let server = Server::new().await;
    let id = named(&server, "Docs").await;
    let visitor = Visitor::of(&server, &id).await;
    assert_eq!(visitor.say(&server, "hi", None).await.status, 200);
    let domains =
        |list: Value| json!({ "config": { "type": "web_client", "webClient": { "allowedDomains": list } } });
    patch(&server, &id, domains(json!(["other.example"]))).await;
    assert_eq!(visitor.say(&server, "hi", None).await.status, 403);
    patch(&server, &id, domains(json!(["docs.example.com"]))).await;
    patch(&server, &id, json!({ "enabled": false })).await;
    assert_eq!(visitor.say(&server, "hi", None).await.status, 404);
    patch(&server, &id, json!({ "enabled": true })).await;
    assert_eq!(visitor.say(&server, "hi", None).await.status, 200);
}

/// An app is read at most once a second, and not at every request; a change by another instance has an effect after that.
#[tokio::test]
async fn a_change_by_another_instance_holds_within_a_second() {
    let server = Server::new().await;
    let other = server.another().await;
    let id = named(&server, "Docs").await;
    let visitor = Visitor::of(&server, &id).await;
    for how in ["disabled", "deleted"] {
        assert_eq!(visitor.say(&server, "hi", None).await.status, 200);
        match how {
            "disabled" => patch(&other, &id, json!({ "enabled": false })).await,
            _ => call(&other, Method::DELETE, &format!("{APPS}/{id}")).await,
        };
        server.clock.pass(Duration::from_secs(1));
        assert_eq!(visitor.say(&server, "hi", None).await.status, 404, "{how}");
        patch(&other, &id, json!({ "enabled": true })).await;
        server.clock.pass(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_wrong_change_changes_nothing() {
    let server = Server::new().await;
    let id = named(&server, "Docs").await;
    let path = format!("{APPS}/{id}");
    let before = call(&server, Method::GET, &path).await.json();
    let domains = "config.webClient.allowedDomains";
    let config = |web_client: Value| json!({ "config": { "type": "web_client", "webClient": web_client } });
    for (body, field) in [
        (json!({ "name": null }), "name"),
        (json!({ "name": "" }), "name"),
        (json!({ "name": 7 }), "name"),
        (json!({ "name": "ok", "description": "x".repeat(2001) }), "description"),
        (json!({ "prompt": "x".repeat(20_001) }), "prompt"),
        (json!({ "type": "mobile" }), "type"),
        (json!({ "enabled": "yes" }), "enabled"),
        (json!({ "config": { "type": "mobile" } }), "config.type"),
        (config(json!({ "allowedDomains": [] })), domains),
        (config(json!({ "allowedDomains": ["https://x"] })), "config.webClient.allowedDomains[0]"),
        (json!([]), "body"),
    ] {
        let answer = patch(&server, &id, body.clone()).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &field.into()), "{body}");
    }
    for body in [json!({ "type": "api" }), json!({ "config": { "type": "api" } })] {
        let detail = "The type of an app cannot be changed. Create another app.";
        patch(&server, &id, body).await.assert_problem(409, "conflict", "app_type_fixed", detail);
    }
    assert_eq!(call(&server, Method::GET, &path).await.json(), before);
    assert_eq!(patch(&server, "app_unknown000000000", json!({ "name": "x" })).await.status, 404);
}

#[tokio::test]
async fn a_deleted_app_is_gone() {
    let server = Server::new().await;
    let id = named(&server, "Docs").await;
    let path = format!("{APPS}/{id}");
    let token = server.token(&id).await;
    let answer = call(&server, Method::DELETE, &path).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (204, ""));
    for method in [Method::GET, Method::DELETE, Method::PATCH] {
        let answer = call(&server, method, &path).await;
        answer.assert_problem(404, "not_found", "app_not_found", "App not found");
    }
    assert_eq!(Visitor::with_token(&id, &token).say(&server, "hi", None).await.status, 404);
    let solution = server.solution().await;
    assert_eq!(server.open_session(&id, &[("x-inkeep-challenge-solution", &solution)]).await.status, 404);
}

#[tokio::test]
async fn owners_do_not_see_each_others_apps() {
    let server = Server::new().await;
    let id = named(&server, "Docs").await;
    for (tenant, project) in [("rival", "docs"), ("acme", "other"), ("docs", "acme"), ("ACME", "docs")] {
        let apps = format!("/manage/tenants/{tenant}/projects/{project}/apps");
        assert!(names(&call(&server, Method::GET, &apps).await).is_empty());
        let path = format!("{apps}/{id}");
        assert_eq!(call(&server, Method::GET, &path).await.status, 404);
        assert_eq!(server.manage_at(Method::PATCH, &path, &json!({ "name": "mine" })).await.status, 404);
        assert_eq!(call(&server, Method::DELETE, &path).await.status, 404);
    }
    assert_eq!(call(&server, Method::GET, &format!("{APPS}/{id}")).await.json()["data"]["name"], "Docs");
}

#[tokio::test]
async fn its_use_is_noted_to_the_minute() {
    let server = Server::new().await;
    let id = named(&server, "Docs").await;
    let used = async || {
        call(&server, Method::GET, &format!("{APPS}/{id}")).await.json()["data"]["lastUsedAt"].clone()
    };
    assert_eq!(used().await, Value::Null);
    server.token(&id).await;
    let first = used().await;
    assert_eq!(first, "2026-09-21T14:13:21Z");
    server.clock.pass(Duration::from_secs(59));
    server.token(&id).await;
    assert_eq!(used().await, first);
    server.clock.pass(Duration::from_secs(1));
    server.token(&id).await;
    assert_eq!(used().await, "2026-09-21T14:14:21Z");
}
