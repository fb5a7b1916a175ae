//! Texts that are special in a database, a header or a page, in every field that accepts a text.

use crate::support::{APPS, MANAGEMENT_KEY, PAGE, Server, request, web_client};
use crate::visitor::Visitor;
use axum::http::{HeaderValue, Method};
use serde_json::{Value, json};

const TEXTS: &[&str] = &[
    "'; DROP TABLE apps; --",
    "\"; DELETE FROM conversations; --",
    "' OR '1'='1",
    "x' UNION SELECT key_hash FROM api_keys --",
    "$1 %s ?1 :id @id {0}",
    "%_\\%",
    "a\r\nSet-Cookie: admin=1\r\n\r\n<script>",
    "a\nX-Injected: 1",
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "{{7*7}}${7*7}",
    "\u{202e}txt.exe \u{1f4a9} \u{fffd}",
    "data: [DONE]\n\ndata: {\"type\":\"text-end\"}",
];

/// Encodes a text as one segment of a path.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn fields_of_the_management_api_hold_texts_and_nothing_more() {
    let server = Server::new().await;
    for text in TEXTS {
        let mut body = web_client(json!({ "allowedDomains": ["docs.example.com"] }));
        for member in ["name", "description", "defaultAgentId"] {
            body[member] = json!(text);
        }
        let made = server.manage(&body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let app = made.json()["data"]["app"].clone();
        let path = format!("{APPS}/{}", app["id"].as_str().unwrap());
        let read = server.manage_at(Method::GET, &path, &json!({})).await.json()["data"].clone();
        for member in ["name", "description", "defaultAgentId"] {
            assert_eq!(read[member], *text);
        }
        let changed = server.manage_at(Method::PATCH, &path, &json!({ "name": text })).await;
        assert_eq!(changed.json()["data"]["name"], *text);
        let key = json!({ "name": text, "agentId": text });
        let key = server.manage_at(Method::POST, &APPS.replace("/apps", "/api-keys"), &key).await;
        assert_eq!(key.json()["data"]["apiKey"]["agentId"], *text);
        // A field with a fixed set of names or a restricted form refuses the text.
        for (pointer, field) in [
            ("/type", "type"),
            ("/config/type", "config.type"),
            ("/config/webClient/allowedDomains/0", "config.webClient.allowedDomains[0]"),
        ] {
            let mut wrong = body.clone();
            *wrong.pointer_mut(pointer).unwrap() = json!(text);
            let answer = server.manage(&wrong).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &json!(field)), "{text}");
        }
    }
    let total = server.manage_at(Method::GET, APPS, &json!({})).await.json()["pagination"]["total"].clone();
    assert_eq!(total, TEXTS.len(), "each made one, and none took one away");
}

#[tokio::test]
async fn parts_of_a_path_and_a_query_are_looked_up_and_nothing_more() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let kept = visitor.begin(&server, "hi").await;
    for text in TEXTS.iter().chain(&["a\0b", "\0"]) {
        let text = escaped(text);
        for (method, path, status) in [
            (Method::GET, format!("/manage/tenants/{text}/projects/docs/apps"), 422),
            (Method::GET, format!("/manage/tenants/acme/projects/{text}/apps"), 422),
            (Method::GET, format!("{APPS}/{text}"), 404),
            (Method::PATCH, format!("{APPS}/{text}"), 404),
            (Method::DELETE, format!("{APPS}/{text}"), 404),
            (Method::GET, format!("{APPS}?type={text}"), 422),
            (Method::GET, format!("{APPS}?page={text}"), 422),
            (Method::GET, format!("{APPS}?limit={text}"), 422),
            (Method::DELETE, format!("{}/{text}", APPS.replace("/apps", "/api-keys")), 404),
        ] {
            let answer = server.manage_at(method, &path, &json!({})).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
        }
        let session = format!("/run/auth/apps/{text}/anonymous-session");
        assert_eq!(server.post(&session, &[("origin", PAGE)], "").await.status, 404);
        let path = format!("/run/v1/conversations/{text}");
        assert_eq!(visitor.get(&server, &path).await.status, 404, "{path}");
        let path = format!("/run/v1/conversations?page={text}");
        assert_eq!(visitor.get(&server, &path).await.status, 422, "{path}");
    }
    assert_eq!(visitor.conversations(&server, "").await.0, [kept]);
}

#[tokio::test]
async fn what_is_said_is_kept_and_nothing_more() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    for text in TEXTS {
        let id = visitor.begin(&server, text).await;
        let said = ("user".to_owned(), (*text).to_owned());
        assert_eq!(visitor.messages(&server, &id).await[0], said);
        for (member, field) in [("conversationId", "conversationId"), ("role", "messages[0].role")] {
            let mut body = json!({ "messages": [{ "role": "user", "content": "hi" }] });
            if member == "role" {
                body["messages"][0]["role"] = json!(text);
            } else {
                body[member] = json!(text);
            }
            let answer = visitor.post(&server, "/run/api/chat", &body).await;
            assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &json!(field)), "{text}");
        }
        // The response repeats the model in events: it cannot end an event.
        let body = json!({ "model": text, "messages": [{ "role": "user", "content": text }] });
        let answer = visitor.post(&server, "/run/v1/chat/completions", &body).await;
        let events: Vec<_> = answer.text().split_terminator("\n\n").collect();
        let (last, chunks) = events.split_last().unwrap();
        assert_eq!(*last, "data: [DONE]");
        for chunk in chunks {
            let json: Value = serde_json::from_str(chunk.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(json["model"], *text);
        }
    }
}

/// Header values cannot contain line breaks. Their other special characters have no effect, and no response repeats them.
#[tokio::test]
async fn headers_are_read_and_not_echoed() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let token = format!("Bearer {}", server.token(&app).await);
    let right = [
        ("origin", PAGE),
        ("x-inkeep-app-id", &*app),
        ("authorization", &*token),
        ("content-type", "application/json"),
    ];
    let body = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    for text in TEXTS {
        let one_line = text.replace(['\r', '\n'], "\t");
        for header in
            ["origin", "x-inkeep-app-id", "authorization", "content-type", "x-request-id", "x-forwarded-for"]
        {
            let mut request = request(Method::POST, "/run/api/chat", &right, body);
            let value = HeaderValue::from_bytes(one_line.as_bytes()).unwrap();
            request.headers_mut().insert(header, value);
            let answer = server.send(request).await;
            let expected = match header {
                "origin" => 403,
                "x-inkeep-app-id" => 404,
                "authorization" => 401,
                "content-type" => 415,
                _ => 200,
            };
            assert_eq!(answer.status, expected, "{header}: {text}");
            for (name, value) in &answer.headers {
                // CORS names the origin of the request, whose page may then read the error.
                let is_origin = header == "origin" && name == "access-control-allow-origin";
                assert!(is_origin || value.as_bytes() != one_line.as_bytes(), "{name}");
            }
            assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("x-injected"));
        }
        let key = HeaderValue::from_bytes(format!("Bearer {MANAGEMENT_KEY}{one_line}").as_bytes()).unwrap();
        let mut manage = request(Method::GET, APPS, &[], "");
        manage.headers_mut().insert("authorization", key);
        assert_eq!(server.send(manage).await.status, 401);
    }
}
