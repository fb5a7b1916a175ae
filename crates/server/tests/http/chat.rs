use crate::support::{Answer, NOW, PAGE, Server, TOKEN_SECRET, forge_jwt, web_client, without_proof_of_work};
use saltmine_server::Settings;
use serde_json::{Value, json};
use std::time::Duration;

const HI: &str = r#"{"messages":[{"role":"user","content":"Hello again, friend"}]}"#;

struct Visitor {
    server: Server,
    app: String,
    token: String,
}

impl Visitor {
    async fn new() -> Self {
        let server = Server::new().await;
        let app = server.web_client().await;
        let token = server.token(&app).await;
        Self { server, app, token }
    }

    async fn say(&self, body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        self.send(&[("authorization", &bearer), ("x-inkeep-app-id", &self.app), ("origin", PAGE)], body).await
    }

    async fn send(&self, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        self.server.post("/run/api/chat", &headers, body).await
    }
}

fn events(answer: &Answer) -> Vec<Value> {
    let text = answer.text().strip_suffix("data: [DONE]\n\n").expect("it ends with [DONE]");
    text.split_terminator("\n\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn an_answer_comes_as_events() {
    let visitor = Visitor::new().await;
    let answer = visitor.say(HI).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("x-vercel-ai-data-stream"), Some("v2"));
    assert!(answer.header("x-conversation-id").unwrap().starts_with("conv_"));

    let events = events(&answer);
    let id = events[0]["messageId"].clone();
    assert!(id.as_str().unwrap().starts_with("msg_"));
    let delta = |delta: &str| json!({ "type": "text-delta", "id": id, "delta": delta });
    assert_eq!(
        events,
        [
            json!({ "type": "start", "messageId": id }),
            json!({ "type": "text-start", "id": id }),
            delta("Hello "),
            delta("again, "),
            delta("friend"),
            json!({ "type": "text-end", "id": id }),
            json!({ "type": "finish" }),
        ]
    );
}

#[tokio::test]
async fn an_answer_comes_in_one_piece_if_asked_for() {
    let visitor = Visitor::new().await;
    let body = r#"{"messages":[{"role":"assistant","content":"Yes?"},{"role":"user","content":"a\nb 😀"}],"stream":false}"#;
    let answer = visitor.say(body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let json = answer.json();
    let (id, conversation) = (json["id"].as_str().unwrap(), json["conversationId"].as_str().unwrap());
    assert!(id.starts_with("msg_") && conversation.starts_with("conv_"));
    assert_eq!(answer.header("x-conversation-id"), Some(conversation));
    assert_eq!(
        json["choices"],
        json!([{
            "index": 0, "message": { "role": "assistant", "content": "a\nb 😀" }, "finish_reason": "stop",
        }])
    );
    assert_eq!(json.as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn a_delta_with_line_breaks_stays_one_line() {
    let visitor = Visitor::new().await;
    let answer = visitor.say(r#"{"messages":[{"role":"user","content":"a\n\nb\r\ndata: [DONE]"}]}"#).await;
    let text: String = events(&answer).iter().filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(text, "a\n\nb\r\ndata: [DONE]");
}

#[tokio::test]
async fn a_conversation_keeps_its_id() {
    let visitor = Visitor::new().await;
    for stream in [true, false] {
        let body = json!({
            "messages": [{ "role": "user", "content": "hi" }], "conversationId": "conv_1-a", "stream": stream,
        });
        let answer = visitor.say(&body.to_string()).await;
        assert_eq!(answer.header("x-conversation-id"), Some("conv_1-a"));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_message_is_named() {
    let visitor = Visitor::new().await;
    for (body, field) in [
        (r#"{}"#, "messages"),
        (r#"[]"#, "body"),
        (r#"{"messages":[]}"#, "messages"),
        (r#"{"messages":"hi"}"#, "messages"),
        (r#"{"messages":[{"role":"assistant","content":"hi"}]}"#, "messages"),
        (r#"{"messages":[{"role":"user"}]}"#, "messages[0].content"),
        (r#"{"messages":[{"role":"robot","content":"hi"}]}"#, "messages[0].role"),
        (r#"{"messages":[{"role":"user","content":7}]}"#, "messages[0].content"),
        (r#"{"messages":[{"role":"user","content":"hi"}],"conversationId":"a b"}"#, "conversationId"),
        (r#"{"messages":[{"role":"user","content":"hi"}],"stream":"no"}"#, "stream"),
    ] {
        let answer = visitor.say(body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &field.into()), "{body}");
    }
}

/// The texts that deployed clients read.
#[tokio::test]
async fn refusals_have_the_protocols_words() {
    let visitor = Visitor::new().await;
    let (server, app) = (&visitor.server, &*visitor.app);
    let other_app = server.web_client().await;
    let bearer = format!("Bearer {}", visitor.token);
    let of = |token: &str| format!("Bearer {token}");
    let claims = |exp: i64| {
        json!({
            "iss": "inkeep", "sub": "anon_x", "tid": "acme", "pid": "docs", "app": app, "type": "anonymous",
            "iat": NOW, "exp": exp,
        })
    };
    let hs256 = json!({ "typ": "JWT", "alg": "HS256" });
    let expired = of(&forge_jwt(&hs256, &claims(NOW), TOKEN_SECRET));
    let forged = of(&forge_jwt(&hs256, &claims(NOW + 99), "another secret, as long as the right one"));
    let unsigned = of(&forge_jwt(&json!({ "typ": "JWT", "alg": "none" }), &claims(NOW + 99), TOKEN_SECRET));

    let origin = ("origin", PAGE);
    let this = ("x-inkeep-app-id", app);
    let missing = "Bearer token required for web_client app";
    let invalid = "Invalid end-user JWT";
    let mismatch = "JWT app claim does not match request app ID";
    let header = "X-Inkeep-App-Id header is required";
    for (headers, status, code, reason, detail) in [
        (vec![origin, this], 401, "unauthorized", "token_missing", missing),
        (vec![origin, this, ("authorization", "Basic YTpi")], 401, "unauthorized", "token_missing", missing),
        (vec![origin, this, ("authorization", "Bearer ")], 401, "unauthorized", "token_missing", missing),
        (vec![origin, this, ("authorization", "Bearer x")], 401, "unauthorized", "token_invalid", invalid),
        (vec![origin, this, ("authorization", &expired)], 401, "unauthorized", "token_invalid", invalid),
        (vec![origin, this, ("authorization", &forged)], 401, "unauthorized", "token_invalid", invalid),
        (vec![origin, this, ("authorization", &unsigned)], 401, "unauthorized", "token_invalid", invalid),
        (
            vec![origin, ("x-inkeep-app-id", &other_app), ("authorization", &bearer)],
            401,
            "unauthorized",
            "token_app_mismatch",
            mismatch,
        ),
        (vec![origin, ("authorization", &bearer)], 401, "unauthorized", "app_id_missing", header),
        (
            vec![origin, ("x-inkeep-app-id", "app_unknown000000000"), ("authorization", &bearer)],
            404,
            "not_found",
            "app_not_found",
            "App not found",
        ),
        (
            vec![this, ("authorization", &bearer)],
            403,
            "forbidden",
            "origin_not_allowed",
            "Origin not allowed for this app",
        ),
        (
            vec![("origin", "https://evil.com"), this, ("authorization", &bearer)],
            403,
            "forbidden",
            "origin_not_allowed",
            "Origin not allowed for this app",
        ),
    ] {
        visitor.send(&headers, HI).await.assert_problem(status, code, reason, detail);
        visitor.send(&headers, "no json").await.assert_problem(status, code, reason, detail);
    }
}

#[tokio::test]
async fn a_session_ends() {
    let server = Server::with(Settings { session_lifetime_seconds: 60, ..without_proof_of_work() }).await;
    let app = server.web_client().await;
    let session = server.open_session(&app, &[]).await.json();
    let visitor = Visitor { server, app, token: session["token"].as_str().unwrap().to_owned() };
    visitor.server.clock.pass(Duration::from_secs(59));
    assert_eq!(visitor.say(HI).await.status, 200);
    visitor.server.clock.pass(Duration::from_secs(1));
    assert_eq!(visitor.say(HI).await.json()["detail"], "Invalid end-user JWT");
}

/// The server issues no token for an app of another type, and refuses a forged one.
#[tokio::test]
async fn only_web_clients_are_called_this_way() {
    let visitor = Visitor::new().await;
    let api = json!({ "name": "Api", "type": "api", "config": { "type": "api" } });
    let closed = web_client(json!({ "allowedDomains": ["docs.example.com"], "allowAnonymous": false }));
    for (app, status) in [(api, 400), (closed, 401)] {
        let app = visitor.server.make_app(app).await;
        let claims = json!({
            "iss": "inkeep", "sub": "anon_x", "tid": "acme", "pid": "docs", "app": app, "type": "anonymous",
            "iat": NOW, "exp": NOW + 99,
        });
        let token = forge_jwt(&json!({ "typ": "JWT", "alg": "HS256" }), &claims, TOKEN_SECRET);
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", &*bearer), ("x-inkeep-app-id", &app), ("origin", PAGE)];
        assert_eq!(visitor.send(&headers, HI).await.status, status);
    }
}
