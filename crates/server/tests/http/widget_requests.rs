//! Requests as deployed widgets send them.

use crate::support::{NOW, PAGE, Server, request, settings, solve, web_client, without_proof_of_work};
use crate::visitor::Visitor;
use axum::http::Method;
use base64ct::{Base64, Encoding};
use saltmine_server::{RateLimit, Settings};
use serde_json::{Value, json};
use std::num::NonZeroU32;

fn path(app: &str) -> String {
    format!("/run/auth/challenge?appId={app}&endpointClass=chat")
}

async fn challenge(server: &Server, app: &str, headers: &[(&str, &str)]) -> crate::support::Answer {
    server.send(request(Method::GET, &path(app), headers, "")).await
}

#[tokio::test]
async fn an_app_gets_a_challenge_of_its_own_route() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let answer = challenge(&server, &app, &[("origin", PAGE)]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let salt = answer.json()["salt"].as_str().unwrap().to_owned();
    assert!(salt.ends_with(&format!("?app={app}&expires={}&", NOW + 300)), "{salt}");
    let solution = solve(&answer.json()).header();
    assert_eq!(server.open_session(&app, &[("x-inkeep-challenge-solution", &solution)]).await.status, 200);
}

/// The first check that fails decides.
#[tokio::test]
async fn the_checks_come_in_their_order() {
    let one = NonZeroU32::new(1).unwrap();
    let limited = Settings { rate_limit: Some(RateLimit { per_second: one, burst: one }), ..settings() };
    let server = Server::with(limited).await;
    let web = server.web_client().await;
    let api = server.make_app(json!({ "name": "Api", "type": "api", "config": { "type": "api" } })).await;
    let disabled = json!({
        "name": "Off", "type": "web_client", "enabled": false,
        "config": { "type": "web_client", "webClient": { "allowedDomains": ["*"] } },
    });
    let disabled = server.make_app(disabled).await;
    let evil = [("origin", "https://evil.com")];
    let here = [("origin", PAGE)];
    for (app, headers, status, reason) in [
        ("app_unknown000000000", &evil[..], 404, "app_not_found"),
        ("", &evil[..], 404, "app_not_found"),
        (&*disabled, &here[..], 404, "app_not_found"),
        (&*api, &evil[..], 400, "app_type_not_supported"),
        (&*web, &evil[..], 403, "origin_not_allowed"),
        (&*web, &[][..], 403, "origin_not_allowed"),
    ] {
        let answer = challenge(&server, app, headers).await;
        assert_eq!(answer.status, status, "{app}");
        assert_eq!(answer.json()["reason"], reason, "{app}");
    }
    assert_eq!(challenge(&server, &web, &here).await.status, 200, "a refusal counts for nothing");
    let answer = challenge(&server, &web, &here).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(challenge(&server, &web, &evil).await.status, 403, "the origin is checked before the limit");

    let off = server.another_with(without_proof_of_work()).await;
    let answer = challenge(&off, "app_unknown000000000", &evil).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["reason"]), (404, &"pow_disabled".into()));
}

/// A browser sends no `Origin` with a GET to the page's own server.
#[tokio::test]
async fn a_page_of_the_server_itself_is_let_in_by_its_host() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let site = |site, host| [("sec-fetch-site", site), ("host", host)];
    for (headers, status) in [
        (site("same-origin", "docs.example.com"), 200),
        (site("same-origin", "docs.example.com:8443"), 200),
        (site("same-origin", "evil.com"), 403),
        (site("same-site", "docs.example.com"), 403),
        (site("cross-site", "docs.example.com"), 403),
        (site("none", "docs.example.com"), 403),
    ] {
        assert_eq!(challenge(&server, &app, &headers).await.status, status, "{headers:?}");
    }
    let forged =
        [("sec-fetch-site", "same-origin"), ("host", "docs.example.com"), ("origin", "https://evil.com")];
    assert_eq!(challenge(&server, &app, &forged).await.status, 403);
}

fn envelope(payload: &str) -> String {
    Base64::encode_string(json!({ "payload": payload }).to_string().as_bytes())
}

#[tokio::test]
async fn a_solution_in_an_envelope_is_the_same_solution() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let plain = server.solution().await;
    let open = async |solution: &str| {
        let answer = server.open_session(&app, &[("x-inkeep-challenge-solution", solution)]).await;
        (answer.status.as_u16(), answer.json()["reason"].clone())
    };
    assert_eq!(open(&envelope(&envelope(&plain))).await, (400, "pow_invalid".into()), "it is opened once");
    assert_eq!(open(&envelope("")).await, (400, "pow_required".into()));
    assert_eq!(open(&envelope("e30=")).await, (400, "pow_invalid".into()));
    assert_eq!(open(&envelope(&"x".repeat(4096))).await, (400, "pow_invalid".into()));
    assert_eq!(open(&envelope(&plain)).await.0, 200);
    assert_eq!(open(&envelope(&plain)).await, (400, "pow_replayed".into()));
    assert_eq!(open(&plain).await, (400, "pow_replayed".into()));
}

/// A solution that is not required is ignored, valid or not.
#[tokio::test]
async fn a_solution_that_is_not_asked_for_is_ignored() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let solution = server.solution().await;
    for header in [envelope(&solution), envelope(&solution), "no solution".to_owned()] {
        let visitor = visitor.and("x-inkeep-challenge-solution", &header);
        assert_eq!(visitor.say(&server, "hi", None).await.status, 200);
        assert_eq!(visitor.get(&server, "/run/v1/conversations").await.status, 200);
    }
    let session = server.open_session(&app, &[("x-inkeep-challenge-solution", &solution)]).await;
    assert_eq!(session.status, 200, "it was not spent");
}

async fn said(message: Value) -> crate::support::Answer {
    let server = Server::with(without_proof_of_work()).await;
    let app = server.make_app(web_client(json!({ "allowedDomains": ["docs.example.com"] }))).await;
    let session = server.open_session(&app, &[]).await.json();
    let visitor = Visitor::with_token(&app, session["token"].as_str().unwrap());
    visitor.post(&server, "/run/api/chat", &json!({ "messages": [message], "stream": false })).await
}

#[tokio::test]
async fn the_text_of_a_message_is_in_its_content_or_its_parts() {
    let parts = json!([
        { "type": "text", "text": "Hello " },
        { "type": "file", "url": "data:text/plain,x", "mediaType": "text/plain" },
        { "type": "data-x", "text": 7 },
        { "type": "text", "text": "there", "state": "done" },
    ]);
    for (message, text) in [
        (json!({ "role": "user", "parts": parts, "id": "V1StGXR8Z5jdHi6B" }), "Hello there"),
        (json!({ "role": "user", "parts": parts, "content": "" }), "Hello there"),
        (json!({ "role": "user", "parts": parts, "content": null }), "Hello there"),
        (json!({ "role": "user", "parts": parts, "content": "Content" }), "Content"),
        (json!({ "role": "user", "content": parts }), "Hello there"),
        (json!({ "role": "user", "parts": null, "content": "Content" }), "Content"),
        (json!({ "role": "user", "parts": [] }), ""),
        (json!({ "role": "user", "parts": [{ "type": "text", "text": "a\0b" }] }), "a\u{fffd}b"),
        (json!({ "role": "user", "content": "Content", "metadata": { "a": 1 }, "id": 7 }), "Content"),
    ] {
        let answer = said(message.clone()).await;
        assert_eq!(answer.status, 200, "{message}: {}", answer.text());
        assert_eq!(answer.json()["choices"][0]["message"]["content"], text, "{message}");
    }
    for (message, field) in [
        (json!({ "role": "user" }), "messages[0].content"),
        (json!({ "role": "user", "content": 7 }), "messages[0].content"),
        (json!({ "role": "user", "parts": "text" }), "messages[0].parts"),
        (json!({ "parts": [] }), "messages[0].role"),
        (json!({ "role": "tool", "content": "x" }), "messages[0].role"),
    ] {
        let answer = said(message.clone()).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &field.into()), "{message}");
    }
}

/// Widgets send screenshots of some megabytes as base64.
#[tokio::test]
async fn a_message_with_a_large_file_is_answered() {
    let file = json!({ "type": "file", "mediaType": "image/png", "url": "x".repeat(4_300_000) });
    let text = json!({ "type": "text", "text": "What is this?" });
    let answer = said(json!({ "role": "user", "parts": [file, text] })).await;
    assert_eq!((answer.status.as_u16(), answer.text().contains("What is this?")), (200, true));

    let answer =
        said(json!({ "role": "user", "parts": [{ "type": "file", "url": "x".repeat(6_000_000) }, text] }))
            .await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn a_conversation_that_begins_with_a_file_has_a_title() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let body = json!({ "messages": [{ "role": "user", "parts": [{ "type": "file", "url": "data:," }] }], "stream": false });
    assert_eq!(visitor.post(&server, "/run/api/chat", &body).await.status, 200);
    let list = visitor.get(&server, "/run/v1/conversations").await.json();
    assert_eq!(list["data"][0]["title"], "Untitled", "{list}");
}

/// The rate limit comes after the checks of the app. Requests with unknown ids must still be limited.
#[tokio::test]
async fn invented_apps_are_looked_up_so_many_times_a_minute() {
    let mut settings = settings();
    settings.limits.requests.address = Some(5);
    let server = Server::with(settings).await;
    let app = server.web_client().await;
    let mut statuses = Vec::new();
    for number in 0..7 {
        statuses.push(challenge(&server, &format!("app_{number}"), &[]).await.status.as_u16());
    }
    assert_eq!(statuses, [404, 404, 404, 404, 404, 429, 429]);
    server.clock.pass(std::time::Duration::from_secs(61));
    for _ in 0..20 {
        assert_eq!(challenge(&server, &app, &[("origin", PAGE)]).await.status, 200, "a known app");
    }
}

/// A widget disables its input when a message is refused, so the server ignores or replaces invalid optional members.
#[tokio::test]
async fn messages_are_not_refused_for_what_does_not_count() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    for earlier in [
        json!({ "role": "data", "content": "x" }),
        json!({ "role": "tool", "parts": [] }),
        json!({ "role": "developer", "content": "x" }),
        json!({ "role": "assistant" }),
    ] {
        let body = json!({ "messages": [earlier, { "role": "user", "content": "Hi" }], "stream": false });
        let answer = visitor.post(&server, "/run/api/chat", &body).await;
        assert_eq!(answer.status, 200, "{earlier}: {}", answer.text());
        let id = answer.json()["conversationId"].as_str().unwrap().to_owned();
        let expected = [("user", "Hi"), ("assistant", "Hi")].map(|(role, text)| (role.into(), text.into()));
        assert_eq!(visitor.messages(&server, &id).await, expected, "{earlier}");
    }
    // Half of an emoji: JavaScript writes a cut text in this form.
    let half =
        r#"{"messages":[{"role":"user","content":"Hi \ud83d"}],"stream":false,"conversationId":"half"}"#;
    assert_eq!(visitor.post_text(&server, "/run/api/chat", half).await.status, 200);
    assert_eq!(visitor.messages(&server, "half").await[0].1, "Hi \u{fffd}");
    let event = r#"{"type":"t","metadata":{"text":"\ud83d"}}"#;
    assert_eq!(visitor.post_text(&server, "/run/v1/events", event).await.status, 201);
}

/// The body of `@inkeep/agents-ui` 0.17.8, unchanged except for its values.
#[tokio::test]
async fn members_that_the_server_does_not_know_are_ignored() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let body = json!({
        "conversationId": "conv_2v4t5p5i2k6h2h26", "id": "qcLw1HzlPvBTgTIc", "messages": [
            { "id": "x4y2j5k6g3w7v8c9b0n1m", "role": "user", "parts": [{ "type": "text", "text": "Hi" }] },
        ],
        "trigger": "submit-message", "messageId": "x4y2j5k6g3w7v8c9b0n1m", "requestContext": { "page": "/" },
        "userProperties": { "plan": "free" }, "properties": { "tags": [] }, "headers": {}, "stream": null,
    });
    for path in ["/run/api/chat", "/run/v1/chat/completions"] {
        let answer = visitor.post(&server, path, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-conversation-id"), Some("conv_2v4t5p5i2k6h2h26"));
    }
    let body = json!({ "messages": [{ "role": "user", "content": "hi" }], "conversationId": "" });
    assert!(visitor.post(&server, "/run/api/chat", &body).await.status.is_success());
}

/// A client's id is stored, once in a conversation.
#[tokio::test]
async fn messages_keep_the_ids_that_clients_and_events_name() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let mut answers = Vec::new();
    for id in ["V1StGXR8Z5jdHi6B", "V1StGXR8Z5jdHi6B", "not an id"] {
        let message = json!({ "id": id, "role": "user", "parts": [{ "type": "text", "text": "Hi" }] });
        let body = json!({ "messages": [message], "conversationId": "conv_1" });
        let answer = visitor.post(&server, "/run/api/chat", &body).await;
        let start = answer.text().lines().next().unwrap().strip_prefix("data: ").unwrap().to_owned();
        let start: Value = serde_json::from_str(&start).unwrap();
        assert_eq!(start["type"], "start");
        answers.push(start["messageId"].as_str().unwrap().to_owned());
    }
    let messages = visitor.get(&server, "/run/v1/conversations/conv_1").await.json();
    let messages = messages["data"]["messages"].as_array().unwrap();
    let ids: Vec<_> = messages.iter().map(|message| message["id"].as_str().unwrap()).collect();
    assert_eq!(ids[0], "V1StGXR8Z5jdHi6B");
    assert!(ids[2].starts_with("msg_") && ids[4].starts_with("msg_"), "{ids:?}");
    assert_eq!([ids[1], ids[3], ids[5]], [&*answers[0], &*answers[1], &*answers[2]]);
}

/// Several events with the same id at once, and one long after the first.
#[tokio::test]
async fn no_two_messages_of_a_conversation_have_the_same_id() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let user = |id: Option<&str>| json!({ "id": id, "role": "user", "content": "Hi" });
    let mut messages = vec![user(Some("same"))];
    messages.resize(250, user(None));
    let body = json!({ "messages": messages, "conversationId": "conv_1" });
    assert_eq!(visitor.post(&server, "/run/api/chat", &body).await.status, 200);
    let body = json!({ "messages": [user(Some("same"))], "conversationId": "conv_1" });
    let posts = (0..4).map(|_| visitor.post(&server, "/run/api/chat", &body));
    for answer in futures_util::future::join_all(posts).await {
        assert_eq!(answer.status, 200);
    }
    let ids = server.database.texts("SELECT id FROM messages WHERE id = 'same'").await;
    assert_eq!(ids.len(), 1);
}
