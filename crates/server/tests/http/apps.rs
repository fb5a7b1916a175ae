use crate::support::{APPS, MANAGEMENT_KEY, PAGE, Server, settings, web_client, without_proof_of_work};
use axum::http::Method;
use saltmine_server::Settings;
use serde_json::{Value, json};

fn valid() -> Value {
    json!({
        "name": " Docs ", "description": "The docs' widget", "type": "web_client", "defaultAgentId": "echo",
        "config": { "type": "web_client", "webClient": { "allowedDomains": ["docs.example.com", "*.Example.org"] } },
    })
}

#[tokio::test]
async fn an_app_is_made() {
    let server = Server::new().await;
    let answer = server.manage(&valid()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let app = answer.json()["data"]["app"].clone();
    let id = app["id"].as_str().unwrap();
    let random = id.strip_prefix("app_").unwrap();
    assert!(
        random.len() >= 16 && random.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
        "{id}"
    );
    assert_eq!(answer.header("location"), Some(&*format!("{APPS}/{id}")));
    assert_eq!(
        app,
        json!({
            "id": id, "tenantId": "acme", "projectId": "docs", "name": "Docs", "description": "The docs' widget",
            "type": "web_client", "defaultAgentId": "echo", "prompt": null, "enabled": true,
            "config": {
                "type": "web_client",
                "webClient": {
                    "allowedDomains": ["docs.example.com", "*.Example.org"], "allowAnonymous": true,
                    "publicKeys": [], "audience": null, "powVersion": null,
                },
            },
            "lastUsedAt": null, "createdAt": "2026-09-21T14:13:20Z", "updatedAt": "2026-09-21T14:13:20Z",
        })
    );
    let headers =
        [("origin", "https://a.example.org"), ("x-inkeep-challenge-solution", &server.solution().await)];
    assert_eq!(server.open_session(id, &headers).await.status, 200, "it can be used at once");
}

#[tokio::test]
async fn the_least_that_makes_an_app() {
    let server = Server::new().await;
    let app = server.manage(&web_client(json!({ "allowedDomains": ["*"] }))).await.json();
    let app = &app["data"]["app"];
    assert_eq!((&app["description"], &app["defaultAgentId"]), (&Value::Null, &Value::Null));
    let api = json!({ "name": "Api", "type": "api", "config": { "type": "api" } });
    let api = server.manage(&api).await.json();
    assert_eq!(api["data"]["app"]["config"], json!({ "type": "api" }));
}

#[tokio::test]
async fn without_the_key_nothing_is_made() {
    let server = Server::new().await;
    let closed = Server::with(Settings { management_key: None, ..settings() }).await;
    let body = valid().to_string();
    let right = format!("Bearer {MANAGEMENT_KEY}");
    let json = ("content-type", "application/json");
    let wrong =
        ["Bearer wrong", "Bearer ", "Bearer", "", MANAGEMENT_KEY, "Basic YTpi", "Bearer a management key x"];
    for authorization in wrong {
        let answer = server.post(APPS, &[("authorization", authorization), json], &body).await;
        let detail = "A valid management key is required.";
        answer.assert_problem(401, "unauthorized", "management_key_invalid", detail);
    }
    assert_eq!(server.post(APPS, &[json], &body).await.status, 401);
    assert_eq!(server.post(APPS, &[json], "no json").await.status, 401, "the key comes first");
    for authorization in [&*right, "Bearer ", "Bearer"] {
        assert_eq!(closed.post(APPS, &[("authorization", authorization), json], &body).await.status, 401);
    }
    assert_eq!(server.post(APPS, &[("authorization", &right), json], &body).await.status, 201);
}

/// The management API accepts no session token.
#[tokio::test]
async fn a_visitor_is_no_manager() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let bearer = format!("Bearer {}", server.token(&app).await);
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    assert_eq!(server.post(APPS, &headers, &valid().to_string()).await.status, 401);
}

/// Returns the body with one more member.
fn with(mut body: Value, parent: &str, member: &str) -> Value {
    body.pointer_mut(parent).unwrap()[member] = json!(false);
    body
}

/// Regression: a misspelt member created an app that was open to every visitor.
#[tokio::test]
async fn a_misspelt_member_is_refused_with_a_suggestion() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let path = format!("{APPS}/{app}");
    for (method, path, body, detail) in [
        (
            Method::POST,
            APPS,
            with(valid(), "/config/webClient", "allowAnonymus"),
            "config.webClient.allowAnonymus: is not a known member; did you mean `allowAnonymous`?",
        ),
        (
            Method::PATCH,
            &path,
            json!({ "enable": false }),
            "enable: is not a known member; did you mean `enabled`?",
        ),
        (Method::PATCH, &path, json!({ "colour": "red" }), "colour: is not a known member"),
        (
            Method::POST,
            "/manage/tenants/acme/projects/docs/api-keys",
            json!({ "name": "k", "agentID": "echo" }),
            "agentID: is not a known member; did you mean `agentId`?",
        ),
    ] {
        let answer = server.manage_at(method, path, &body).await;
        answer.assert_problem(422, "unprocessable_entity", "field_invalid", detail);
    }
}

/// `null` is not a value of these members, and is different from an absent member.
#[tokio::test]
async fn null_is_refused_where_it_has_no_meaning() {
    let server = Server::new().await;
    let path = format!("{APPS}/{}", server.web_client().await);
    let problem = "must not be null: send a value, or omit the member";
    for (parent, member) in [
        ("", "enabled"),
        ("/config", "webClient"),
        ("/config/webClient", "allowedDomains"),
        ("/config/webClient", "allowAnonymous"),
        ("/config/webClient", "publicKeys"),
    ] {
        let mut body = valid();
        body.pointer_mut(parent).unwrap()[member] = Value::Null;
        let field = format!("{parent}/{member}")[1..].replace('/', ".");
        for (method, path) in [(Method::POST, APPS), (Method::PATCH, &path)] {
            let answer = server.manage_at(method, path, &body).await;
            let detail = format!("{field}: {problem}");
            answer.assert_problem(422, "unprocessable_entity", "field_invalid", &detail);
        }
    }
    for member in ["type", "config"] {
        let answer = server.manage_at(Method::PATCH, &path, &json!({ member: null })).await;
        let detail = format!("{member}: {problem}");
        answer.assert_problem(422, "unprocessable_entity", "field_invalid", &detail);
    }
    // Left out, these revoke every visitor, and make a key that never expires.
    let revocations = format!("{path}/revocations");
    let keys = APPS.replace("/apps", "/api-keys");
    for (path, member, mut body) in [
        (&revocations, "visitor", json!({})),
        (&revocations, "notBefore", json!({ "visitor": "anon_1" })),
        (&keys, "expiresAt", json!({ "name": "Backend", "agentId": "echo" })),
    ] {
        body[member] = Value::Null;
        let answer = server.manage_at(Method::POST, path, &body).await;
        let detail = format!("{member}: {problem}");
        answer.assert_problem(422, "unprocessable_entity", "field_invalid", &detail);
    }
}

#[tokio::test]
async fn an_api_app_has_no_settings_of_a_web_client() {
    let server = Server::new().await;
    let api = |config: Value| json!({ "name": "Server", "type": "api", "config": config });
    let app = server.make_app(api(json!({ "type": "api" }))).await;
    let body = api(json!({ "type": "api", "webClient": { "allowedDomains": ["docs.example.com"] } }));
    let detail = "config.webClient: must be left out: only a `web_client` app has it";
    let path = format!("{APPS}/{app}");
    for (method, path) in [(Method::POST, APPS), (Method::PATCH, &path)] {
        let answer = server.manage_at(method, path, &body).await;
        answer.assert_problem(422, "unprocessable_entity", "field_invalid", detail);
    }
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let server = Server::new().await;
    let change = |pointer: &str, value: Value| {
        let mut body = valid();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let without = |parent: &str, member: &str| {
        let mut body = valid();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(member);
        body
    };
    const DOMAINS: &str = "/config/webClient/allowedDomains";
    let cases = [
        (change("", with(valid(), "", "enable")), "enable"),
        (change("", with(valid(), "/config", "web_client")), "config.web_client"),
        (change("", with(valid(), "/config/webClient", "allowAnonymus")), "config.webClient.allowAnonymus"),
        (change("", with(valid(), "", "prompt")), "prompt"),
        (without("", "name"), "name"),
        (without("", "type"), "type"),
        (without("", "config"), "config"),
        (without("/config", "type"), "config.type"),
        (without("/config", "webClient"), "config.webClient"),
        (without("/config/webClient", "allowedDomains"), "config.webClient.allowedDomains"),
        (change("/name", json!("")), "name"),
        (change("/name", json!("  ")), "name"),
        (change("/name", json!(7)), "name"),
        (change("/name", json!(null)), "name"),
        (change("/name", json!("x".repeat(256))), "name"),
        (change("/description", json!("x".repeat(2001))), "description"),
        (change("/defaultAgentId", json!("")), "defaultAgentId"),
        (change("/type", json!("mobile")), "type"),
        (change("/type", json!("api")), "config.type"),
        (change("/config/type", json!("api")), "config.type"),
        (change("/config", json!([])), "config"),
        (change("/config/webClient", json!("x")), "config.webClient"),
        (change("/config/webClient", json!(null)), "config.webClient"),
        (change(DOMAINS, json!([])), "config.webClient.allowedDomains"),
        (change(DOMAINS, json!("*")), "config.webClient.allowedDomains"),
        (change(DOMAINS, json!(["*", 7])), "config.webClient.allowedDomains[1]"),
        (change(DOMAINS, json!(["*", "https://x.example"])), "config.webClient.allowedDomains[1]"),
        (change(DOMAINS, json!([""])), "config.webClient.allowedDomains[0]"),
        (change(DOMAINS, json!(vec!["a"; 101])), "config.webClient.allowedDomains"),
    ];
    for (body, field) in cases {
        let answer = server.manage(&body).await;
        let problem = answer.json();
        assert_eq!(problem["field"], field, "{body}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(&format!("{field}: ")) && !detail.contains("line"), "{detail}");
        answer.assert_problem(422, "unprocessable_entity", "field_invalid", detail);
    }
}

#[tokio::test]
async fn owners_have_plain_names() {
    let server = Server::new().await;
    let key = format!("Bearer {MANAGEMENT_KEY}");
    let headers = [("authorization", &*key), ("content-type", "application/json")];
    for (path, field) in [
        ("/manage/tenants/a%20b/projects/docs/apps", "tenantId"),
        ("/manage/tenants/acme/projects/%2F/apps", "projectId"),
        ("/manage/tenants/acme/projects/d%C3%B6cs/apps", "projectId"),
    ] {
        let answer = server.post(path, &headers, &valid().to_string()).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &field.into()));
    }
}

#[tokio::test]
async fn agents_may_be_missing_until_they_are_asked() {
    let server = Server::with(without_proof_of_work()).await;
    let mut body = valid();
    body["defaultAgentId"] = json!("poet");
    let app = server.make_app(body).await;
    let session = server.open_session(&app, &[]).await.json();
    let bearer = format!("Bearer {}", session["token"].as_str().unwrap());
    let headers = [
        ("authorization", &*bearer),
        ("x-inkeep-app-id", &app),
        ("origin", PAGE),
        ("content-type", "application/json"),
    ];
    let answer =
        server.post("/run/api/chat", &headers, r#"{"messages":[{"role":"user","content":"hi"}]}"#).await;
    answer.assert_problem(404, "not_found", "agent_not_found", "Agent not found");
}
