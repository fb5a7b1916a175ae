//! Events and feedback: the reports of widgets, and the lists for the operator.

use crate::support::{MANAGEMENT_KEY, Server, request, without_proof_of_work};
use crate::visitor::Visitor;
use axum::http::Method;
use serde_json::{Value, json};
use std::time::Duration;

const EVENTS: &str = "/run/v1/events";
const FEEDBACK: &str = "/run/v1/feedback";
const PROJECT: &str = "/manage/tenants/acme/projects/docs";

async fn list(server: &Server, path: &str) -> Value {
    let answer = server.manage_at(Method::GET, &format!("{PROJECT}/{path}"), &json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// The body of `@inkeep/agents-ui` 0.17.8, unchanged except for its values.
#[tokio::test]
async fn an_event_is_stored_for_the_operator() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let body = json!({
        "type": "user_message_submitted", "conversationId": "conv_2v4t5p5i2k6h2h26",
        "userProperties": { "plan": "free" }, "properties": { "tags": ["docs"] },
        "metadata": { "widgetLibraryVersion": "0.17.8", "componentType": "EmbeddedChat" }, "unknown": 1,
    });
    let answer = visitor.post(&server, EVENTS, &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let data = answer.json()["data"].clone();
    assert_eq!(data["type"], "user_message_submitted");
    assert_eq!(data["conversationId"], "conv_2v4t5p5i2k6h2h26");

    let listed = list(&server, "events").await;
    let pagination = json!({ "page": 1, "limit": 100, "total": 1, "pages": 1 });
    assert_eq!(listed["pagination"], pagination);
    let mut expected = body;
    let members = expected.as_object_mut().unwrap();
    members.remove("unknown");
    let user = server.database.texts("SELECT user_id FROM events").await.remove(0);
    for (name, value) in [
        ("id", data["id"].clone()),
        ("clientId", app.into()),
        ("userId", user.into()),
        ("messageId", Value::Null),
        ("createdAt", data["createdAt"].clone()),
    ] {
        members.insert(name.to_owned(), value);
    }
    assert_eq!(listed["data"], json!([expected]));
}

#[tokio::test]
async fn the_conversation_of_an_event_need_not_exist_or_be_named() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    for (members, conversation) in [
        (json!({}), Value::Null),
        (json!({ "conversationId": "" }), Value::Null),
        (json!({ "conversationId": null }), Value::Null),
        (json!({ "conversationId": "unknown" }), json!("unknown")),
        (json!({ "metadata": { "conversationId": "conv_1" } }), json!("conv_1")),
        (json!({ "conversationId": "", "metadata": { "conversationId": "conv_1" } }), json!("conv_1")),
        (json!({ "conversationId": "a", "metadata": { "conversationId": "b" } }), json!("a")),
        (json!({ "metadata": { "conversationId": 7 } }), Value::Null),
        (json!({ "metadata": { "conversationId": "x".repeat(129) } }), Value::Null),
        (json!({ "properties": null, "userProperties": null, "metadata": null }), Value::Null),
    ] {
        let mut body = members.clone();
        body["type"] = "t".into();
        let answer = visitor.post(&server, EVENTS, &body).await;
        assert_eq!(answer.status, 201, "{members}: {}", answer.text());
        assert_eq!(answer.json()["data"]["conversationId"], conversation, "{members}");
    }
}

#[tokio::test]
async fn an_event_with_a_known_id_is_stored_once() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let event = |kind: &str| json!({ "id": "e1", "type": kind });
    let first = visitor.post(&server, EVENTS, &event("a")).await;
    server.clock.pass(Duration::from_secs(1));
    let second = visitor.post(&server, EVENTS, &event("b")).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 200));
    assert_eq!(first.json(), second.json(), "the first one stays");
    // Another visitor may use the same ids.
    let other = Visitor::of(&server, &app).await;
    assert_eq!(other.post(&server, EVENTS, &event("c")).await.status, 201);
    let ids = |list: &Value| list["data"].as_array().unwrap().len();
    assert_eq!(ids(&list(&server, "events").await), 2);
}

#[tokio::test]
async fn what_is_wrong_with_an_event_is_named() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let long = |count: usize| "x".repeat(count);
    let wide: Vec<_> = (0..20).map(|_| long(4000)).collect();
    for (body, field) in [
        (json!({}), "type"),
        (json!({ "type": 7 }), "type"),
        (json!({ "type": " " }), "type"),
        (json!({ "type": long(129) }), "type"),
        (json!({ "type": "a\0" }), "type"),
        (json!({ "type": "t", "id": long(129) }), "id"),
        (json!({ "type": "t", "conversationId": long(129) }), "conversationId"),
        (json!({ "type": "t", "messageId": "a\0" }), "messageId"),
        (json!({ "type": "t", "properties": "text" }), "properties"),
        (json!({ "type": "t", "metadata": { "a": wide } }), "metadata"),
        (json!({ "type": "t", "userProperties": { (long(70_000)): 1 } }), "userProperties"),
    ] {
        let answer = visitor.post(&server, EVENTS, &body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &field.into()), "{field}");
    }
    let huge = json!({ "type": "t", "metadata": { "a": long(1024 * 1024) } });
    assert_eq!(visitor.post(&server, EVENTS, &huge).await.status, 413);
    // A widget reports a complete answer, which the conversation already has.
    let answer = json!({ "type": "t", "metadata": { "answer": long(100_000), "zero": "a\0b" } });
    assert_eq!(visitor.post(&server, EVENTS, &answer).await.status, 201);
    let stored = list(&server, "events").await["data"][0]["metadata"].clone();
    assert_eq!(stored, json!({ "answer": format!("{}…", long(4000)), "zero": "a\0b" }));
}

#[tokio::test]
async fn a_visitor_reports_so_many_events_a_day() {
    let server = Server::with(without_proof_of_work()).await;
    let app = server.web_client().await;
    let token = server.open_session(&app, &[]).await.json()["token"].as_str().unwrap().to_owned();
    let visitor = Visitor::with_token(&app, &token);
    let event = json!({ "type": "t" });
    for _ in 0..1000 {
        assert_eq!(visitor.post(&server, EVENTS, &event).await.status, 201);
    }
    server.clock.pass(Duration::from_millis(999_500));
    let refused = visitor.post(&server, EVENTS, &event).await;
    assert_eq!(refused.header("retry-after"), Some("85401"), "until the first is 24 hours ago");
    assert_eq!((refused.status.as_u16(), &refused.json()["reason"]), (429, &"too_many_reports".into()));
    let token = server.open_session(&app, &[]).await.json()["token"].as_str().unwrap().to_owned();
    let other = Visitor::with_token(&app, &token);
    assert_eq!(other.post(&server, EVENTS, &event).await.status, 201, "others are not affected");
    server.clock.pass(Duration::from_secs(24 * 60 * 60));
    assert_eq!(visitor.post(&server, EVENTS, &event).await.status, 201);
}

#[tokio::test]
async fn feedback_is_on_ones_own_conversations() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let (visitor, other) = (Visitor::of(&server, &app).await, Visitor::of(&server, &app).await);
    let conversation = visitor.begin(&server, "Hello").await;
    let messages = visitor.get(&server, &format!("/run/v1/conversations/{conversation}")).await.json();
    let message = messages["data"]["messages"][1]["id"].clone();
    let feedback = |kind: &str, details: Value| json!({ "conversationId": conversation, "messageId": message, "type": kind, "details": details, "x": 1 });
    let refused = other.post(&server, FEEDBACK, &feedback("positive", Value::Null)).await;
    refused.assert_problem(404, "not_found", "conversation_not_found", "Conversation not found");

    let first = visitor.post(&server, FEEDBACK, &feedback("positive", Value::Null)).await;
    assert_eq!(first.status, 201, "{}", first.text());
    let first = first.json()["data"].clone();
    assert_eq!((&first["type"], &first["messageId"]), (&json!("positive"), &message));
    server.clock.pass(Duration::from_secs(5));
    // The visitor changes the feedback: the last one counts.
    let details = json!({ "reasons": ["outdated"], "text": "x".repeat(5000) });
    let second = visitor.post(&server, FEEDBACK, &feedback("negative", details)).await.json()["data"].clone();
    assert_eq!((&second["id"], &second["createdAt"]), (&first["id"], &first["createdAt"]));
    assert_ne!(second["updatedAt"], first["updatedAt"]);
    let details = json!({ "reasons": ["outdated"], "text": format!("{}…", "x".repeat(4000)) });
    // Feedback on the whole conversation.
    let whole = json!({ "conversationId": conversation, "type": "positive", "details": "Good" });
    assert_eq!(visitor.post(&server, FEEDBACK, &whole).await.status, 201);

    let listed = list(&server, "feedback").await;
    assert_eq!(listed["pagination"]["total"], 2);
    let negative = list(&server, "feedback?type=negative").await;
    let mut expected = second.clone();
    expected["clientId"] = app.clone().into();
    expected["userId"] = server.database.texts("SELECT user_id FROM feedback").await.remove(0).into();
    assert_eq!(negative["data"], json!([expected]));
    assert_eq!(negative["data"][0]["details"], details);
}

#[tokio::test]
async fn what_is_wrong_with_feedback_is_named() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let conversation = visitor.begin(&server, "Hello").await;
    let wide: Vec<_> = (0..5).map(|_| "x".repeat(4000)).collect();
    for (body, status, field) in [
        (json!({ "type": "positive" }), 422, json!("conversationId")),
        (json!({ "conversationId": "", "type": "positive" }), 422, json!("conversationId")),
        (json!({ "conversationId": conversation }), 422, json!("type")),
        (json!({ "conversationId": conversation, "type": "meh" }), 422, json!("type")),
        (
            json!({ "conversationId": conversation, "type": "positive", "details": wide }),
            422,
            json!("details"),
        ),
        (json!({ "conversationId": "unknown", "type": "positive" }), 404, Value::Null),
    ] {
        let answer = visitor.post(&server, FEEDBACK, &body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (status, &field), "{body}");
    }
}

#[tokio::test]
async fn lists_are_paged_and_filtered_and_of_one_project() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let key = json!({ "name": "Server", "agentId": "echo" });
    let key = server.manage_at(Method::POST, &format!("{PROJECT}/api-keys"), &key).await.json();
    let id = key["data"]["apiKey"]["id"].as_str().unwrap().to_owned();
    let visitor = Visitor::of(&server, &app).await;
    let with_key = Visitor::with_api_key(key["data"]["key"].as_str().unwrap());
    for index in 0..5 {
        server.clock.pass(Duration::from_secs(1));
        let event = json!({ "id": format!("e{index}"), "type": if index % 2 == 0 { "even" } else { "odd" } });
        assert_eq!(visitor.post(&server, EVENTS, &event).await.status, 201);
    }
    assert_eq!(with_key.post(&server, EVENTS, &json!({ "type": "of_key" })).await.status, 201);
    let ids = async |query: &str| -> Vec<String> {
        let listed = list(&server, &format!("events{query}")).await;
        let events = listed["data"].as_array().unwrap().clone();
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("?type=even").await, ["e4", "e2", "e0"]);
    assert_eq!(ids("?type=even&limit=2&page=2").await, ["e0"]);
    assert_eq!(ids(&format!("?clientId={app}")).await.len(), 5);
    assert_eq!(ids(&format!("?clientId={id}")).await.len(), 1);
    assert_eq!(ids("").await.len(), 6);
    let other = "/manage/tenants/acme/projects/other/events";
    let other = server.manage_at(Method::GET, other, &json!({})).await.json();
    assert_eq!(other["data"], json!([]));
    for (query, field) in [
        ("events?limit=1001", "limit"),
        ("events?page=0", "page"),
        ("events?format=xml", "format"),
        ("events?type=%00", "type"),
        ("feedback?type=meh", "type"),
        ("feedback?type=", "type"),
    ] {
        let answer = server.manage_at(Method::GET, &format!("{PROJECT}/{query}"), &json!({})).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &field.into()), "{query}");
    }
}

#[tokio::test]
async fn a_spreadsheet_takes_no_visitors_text_for_a_formula() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let conversation = visitor.begin(&server, "Hello").await;
    for (message, details) in [
        (json!("=1+1"), json!("=HYPERLINK(\"https://evil.com\")")),
        (json!("b"), json!({ "a": "say \"hi\", now" })),
        (json!("c"), json!("two\nlines")),
    ] {
        server.clock.pass(Duration::from_secs(1));
        let body = json!({
            "conversationId": conversation, "messageId": message, "type": "negative", "details": details,
        });
        assert_eq!(visitor.post(&server, FEEDBACK, &body).await.status, 201);
    }
    let event = json!({ "type": "@SUM(A1)", "properties": { "a": 1 } });
    assert_eq!(visitor.post(&server, EVENTS, &event).await.status, 201);

    let key = format!("Bearer {MANAGEMENT_KEY}");
    let csv = async |path: &str| {
        let path = format!("{PROJECT}/{path}");
        let answer = server.send(request(Method::GET, &path, &[("authorization", &key)], "")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
        assert!(answer.header("content-disposition").unwrap().starts_with("attachment; filename=\""));
        answer
    };
    let answer = csv("feedback?format=csv&limit=2").await;
    assert_eq!(answer.header("x-total-count"), Some("3"));
    assert_eq!(answer.text().lines().count(), 4, "a line break within a cell");
    let answer = csv("feedback?format=csv").await;
    let text = answer.text();
    let names = "id,clientId,userId,conversationId,messageId,type,details,createdAt,updatedAt\r\n";
    assert!(text.starts_with(names), "{text}");
    assert!(text.contains(",\"two\nlines\","), "{text}");
    assert!(text.contains(r#",b,negative,"{""a"":""say \""hi\"", now""}","#), "{text}");
    assert!(text.contains(r#",'=1+1,negative,"'=HYPERLINK(""https://evil.com"")","#), "{text}");
    let answer = csv("events?format=csv").await;
    assert!(answer.text().contains(r#",'@SUM(A1),,,"{""a"":1}",,,"#), "{}", answer.text());
}

/// The reports of an app's visitors are deleted with the app.
#[tokio::test]
async fn reports_go_with_their_app() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let conversation = visitor.begin(&server, "Hello").await;
    for id in ["a", "b", "c"] {
        let feedback = json!({ "conversationId": conversation, "messageId": id, "type": "positive" });
        assert_eq!(visitor.post(&server, FEEDBACK, &feedback).await.status, 201);
        assert_eq!(visitor.post(&server, EVENTS, &json!({ "type": id })).await.status, 201);
    }
    let kept = server.web_client().await;
    let other = Visitor::of(&server, &kept).await;
    assert_eq!(other.post(&server, EVENTS, &json!({ "type": "kept" })).await.status, 201);
    let path = format!("{PROJECT}/apps/{app}");
    assert_eq!(server.manage_at(Method::DELETE, &path, &json!({})).await.status, 204);
    saltmine_server::sweep(&server.state).await.unwrap();
    assert_eq!(server.database.count("SELECT COUNT(*) FROM feedback").await, 0);
    assert_eq!(server.database.texts("SELECT type FROM events").await, ["kept"]);
    assert_eq!(server.database.count("SELECT COUNT(*) FROM deleted_clients").await, 0);
}
