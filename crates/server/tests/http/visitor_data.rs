//! Deletion, export and the retention period.

use crate::database::Aside;
use crate::support::{APPS, Answer, MANAGEMENT_KEY, PAGE, Server, jwt_part, request, settings};
use crate::visitor::Visitor;
use axum::http::Method;
use saltmine_server::{Settings, sweep};
use serde_json::{Value, json};
use std::time::Duration;

const STORED: &str = "SELECT (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM conversations)";

/// A visitor of a new app, with its id and the app's.
async fn visitor(server: &Server) -> (Visitor, String, String) {
    let app = server.web_client().await;
    let token = server.token(&app).await;
    let id = jwt_part(&token, 1)["sub"].as_str().unwrap().to_owned();
    (Visitor::with_token(&app, &token), id, app)
}

fn contents(export: &Value) -> Vec<&str> {
    let conversations = export["conversations"].as_array().unwrap().iter();
    let messages = conversations.flat_map(|conversation| conversation["messages"].as_array().unwrap());
    messages.map(|message| message["content"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_visitor_deletes_one_conversation() {
    let server = Server::new().await;
    let (visitor, _, app) = visitor(&server).await;
    let stranger = Visitor::of(&server, &app).await;
    let (first, second) = (visitor.begin(&server, "one").await, visitor.begin(&server, "two").await);
    let path = format!("/run/v1/conversations/{first}");

    let refused = stranger.delete(&server, &path).await;
    refused.assert_problem(404, "not_found", "conversation_not_found", "Conversation not found");
    assert_eq!(visitor.messages(&server, &first).await.len(), 2, "another visitor's");

    assert_eq!(visitor.delete(&server, &path).await.status, 204);
    assert_eq!(visitor.get(&server, &path).await.status, 404);
    assert_eq!(visitor.delete(&server, &path).await.status, 404);
    assert_eq!(visitor.conversations(&server, "").await.0, [second]);
    assert_eq!(server.database.count(STORED).await, 3, "the messages are deleted too");

    // A new conversation can have the same id.
    visitor.say(&server, "again", Some(&first)).await;
    assert_eq!(visitor.messages(&server, &first).await[0].1, "again");
}

#[tokio::test]
async fn an_export_has_every_message_of_the_visitor() {
    let server = Server::new().await;
    let (visitor, id, app) = visitor(&server).await;
    Visitor::of(&server, &app).await.begin(&server, "a secret of another visitor").await;
    let empty = visitor.get(&server, "/run/v1/visitor").await.json();
    assert_eq!((&empty["visitorId"], &empty["clientId"]), (&json!(id), &json!(app)));
    assert_eq!(empty["conversations"], json!([]));

    for number in 0..3 {
        let conversation = visitor.begin(&server, &format!("{number} \"quoted\"")).await;
        visitor.say(&server, "more", Some(&conversation)).await;
    }
    let own = visitor.get(&server, "/run/v1/visitor").await;
    assert_eq!(own.header("content-type"), Some("application/json"));
    assert_eq!(own.header("cache-control"), Some("no-store"));
    let own = own.json();
    let mut found = contents(&own);
    found.sort_unstable();
    let said = ["0 \"quoted\"", "1 \"quoted\"", "2 \"quoted\"", "more", "more", "more"];
    let mut expected: Vec<_> = said.iter().flat_map(|text| [*text, *text]).collect();
    expected.sort_unstable();
    assert_eq!(found, expected, "what the visitor said and what the agent answered");

    let path = format!("{APPS}/{app}/visitors/{id}");
    let of_operator = server.manage_at(Method::GET, &path, &json!(null)).await.json();
    assert_eq!(of_operator["conversations"], own["conversations"]);
}

/// More conversations than one read of the database returns.
#[tokio::test]
async fn a_long_export_is_complete() {
    let server = Server::new().await;
    let (visitor, ..) = visitor(&server).await;
    for number in 0..210 {
        visitor.say(&server, &number.to_string(), None).await;
    }
    let export = visitor.get(&server, "/run/v1/visitor").await.json();
    assert_eq!(export["conversations"].as_array().unwrap().len(), 210);
    let mut numbers: Vec<u32> = contents(&export).iter().map(|text| text.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 210);
    let erased = visitor.delete(&server, "/run/v1/visitor").await.json();
    assert_eq!(erased["data"]["conversations"], 210);
    assert_eq!(server.database.count(STORED).await, 0);
}

#[tokio::test]
async fn a_visitor_is_erased() {
    let server = Server::new().await;
    let (visitor, id, app) = visitor(&server).await;
    let other = Visitor::of(&server, &app).await;
    let kept = other.begin(&server, "kept").await;
    visitor.begin(&server, "one").await;
    visitor.begin(&server, "two").await;
    let answer = visitor.delete(&server, "/run/v1/visitor").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()),
        (200, json!({ "data": { "conversations": 2, "events": 0 } }))
    );
    assert_eq!(visitor.conversations(&server, "").await.0, [""; 0]);
    assert_eq!(server.database.count(STORED).await, 3);

    visitor.begin(&server, "three").await;
    let path = format!("{APPS}/{app}/visitors/{id}");
    let answer = server.manage_at(Method::DELETE, &path, &json!(null)).await;
    assert_eq!(answer.json()["data"]["conversations"], 1);
    assert_eq!(other.messages(&server, &kept).await.len(), 2);

    let path = format!("{APPS}/{app}/conversations/{kept}");
    assert_eq!(server.manage_at(Method::DELETE, &path, &json!(null)).await.status, 204);
    let answer = server.manage_at(Method::DELETE, &path, &json!(null)).await;
    answer.assert_problem(404, "not_found", "conversation_not_found", "Conversation not found");
    assert_eq!(server.database.count(STORED).await, 0);
}

/// The operator of one project, a visitor without a token, and a page of another origin.
#[tokio::test]
async fn nobody_else_exports_or_erases() {
    let server = Server::new().await;
    let (visitor, id, app) = visitor(&server).await;
    let conversation = visitor.begin(&server, "hi").await;
    let elsewhere = APPS.replace("docs", "other");
    let key = format!("Bearer {MANAGEMENT_KEY}");
    for (method, path, status) in [
        (Method::GET, format!("{elsewhere}/{app}/visitors/{id}"), 404),
        (Method::DELETE, format!("{elsewhere}/{app}/visitors/{id}"), 404),
        (Method::DELETE, format!("{elsewhere}/{app}/conversations/{conversation}"), 404),
        (Method::DELETE, format!("{APPS}/app_unknown/visitors/{id}"), 404),
        (Method::DELETE, format!("{APPS}/{app}/visitors/%00"), 200),
    ] {
        let answer = server.send(request(method, &path, &[("authorization", &key)], "")).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    for method in [Method::GET, Method::DELETE] {
        let path = format!("{APPS}/{app}/visitors/{id}");
        assert_eq!(server.send(request(method.clone(), &path, &[], "")).await.status, 401, "no key");
        let headers = [("x-inkeep-app-id", &*app), ("origin", PAGE)];
        assert_eq!(server.send(request(method, "/run/v1/visitor", &headers, "")).await.status, 401);
    }
    assert_eq!(visitor.messages(&server, &conversation).await.len(), 2);
}

#[tokio::test]
async fn conversations_are_deleted_after_the_retention_period() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let server = Server::with(Settings { retention: Some(7 * DAY), ..settings() }).await;
    let (visitor, ..) = visitor(&server).await;
    for number in 0..25 {
        visitor.say(&server, &number.to_string(), None).await;
    }
    let continued = visitor.begin(&server, "continued").await;
    server.clock.pass(6 * DAY);
    visitor.say(&server, "more", Some(&continued)).await;
    let recent = visitor.begin(&server, "recent").await;
    sweep(&server.state).await.unwrap();
    assert_eq!(visitor.conversations(&server, "").await.1["total"], 27);
    server.clock.pass(DAY + Duration::from_secs(1));
    sweep(&server.state).await.unwrap();
    let mut left = visitor.conversations(&server, "").await.0;
    left.sort_unstable();
    let mut expected = [continued, recent];
    expected.sort_unstable();
    assert_eq!(left, expected);
    assert_eq!(server.database.count(STORED).await, 2 + 4 + 2);

    let server = Server::new().await;
    let (visitor, ..) = self::visitor(&server).await;
    visitor.begin(&server, "hi").await;
    server.clock.pass(20 * DAY);
    sweep(&server.state).await.unwrap();
    assert_eq!(server.database.count(STORED).await, 3, "without a period nothing is deleted");
}

/// Feedback and events are the visitor's too.
#[tokio::test]
async fn reports_are_exported_and_deleted_with_their_visitor_or_conversation() {
    const REPORTS: &str = "SELECT (SELECT COUNT(*) FROM events) + (SELECT COUNT(*) FROM feedback)";
    let server = Server::new().await;
    let (visitor, ..) = visitor(&server).await;
    let (first, second) = (visitor.begin(&server, "one").await, visitor.begin(&server, "two").await);
    for conversation in [Some(&first), Some(&second), None] {
        let event = json!({ "type": "t", "conversationId": conversation });
        assert_eq!(visitor.post(&server, "/run/v1/events", &event).await.status, 201);
        if let Some(id) = conversation {
            let feedback = json!({ "conversationId": id, "type": "positive" });
            assert_eq!(visitor.post(&server, "/run/v1/feedback", &feedback).await.status, 201);
        }
    }
    let export = visitor.get(&server, "/run/v1/visitor").await.json();
    assert_eq!(export["events"].as_array().unwrap().len(), 3);
    assert_eq!(export["feedback"].as_array().unwrap().len(), 2);
    assert_eq!(visitor.delete(&server, &format!("/run/v1/conversations/{first}")).await.status, 204);
    assert_eq!(server.database.count(REPORTS).await, 3);
    let erased = visitor.delete(&server, "/run/v1/visitor").await.json();
    assert_eq!(erased, json!({ "data": { "conversations": 1, "events": 1 } }));
    assert_eq!(server.database.count(REPORTS).await, 0);
}

#[tokio::test]
async fn events_are_deleted_after_the_retention_period() {
    let retention = Some(Duration::from_secs(86_400));
    let server = Server::with(Settings { retention, ..settings() }).await;
    let (visitor, ..) = visitor(&server).await;
    for _ in 0..2 {
        assert_eq!(visitor.post(&server, "/run/v1/events", &json!({ "type": "t" })).await.status, 201);
        server.clock.pass(Duration::from_secs(50_000));
    }
    sweep(&server.state).await.unwrap();
    assert_eq!(server.database.count("SELECT COUNT(*) FROM events").await, 1);
}

/// An event may name any conversation, but is not a part of it.
#[tokio::test]
async fn the_events_of_others_stay_when_a_conversation_is_deleted() {
    let server = Server::new().await;
    let (visitor, _, app) = visitor(&server).await;
    let other = Visitor::of(&server, &app).await;
    let conversation = visitor.begin(&server, "one").await;
    let event = json!({ "type": "t", "conversationId": conversation });
    for visitor in [&visitor, &other] {
        assert_eq!(visitor.post(&server, "/run/v1/events", &event).await.status, 201);
    }
    assert_eq!(visitor.delete(&server, &format!("/run/v1/conversations/{conversation}")).await.status, 204);
    assert_eq!(server.database.count("SELECT COUNT(*) FROM events").await, 1);
    assert_eq!(other.get(&server, "/run/v1/visitor").await.json()["events"].as_array().unwrap().len(), 1);
}

/// More events and feedback than one read of the database returns.
#[tokio::test]
async fn an_export_of_many_reports_is_complete() {
    let server = Server::new().await;
    let (visitor, ..) = visitor(&server).await;
    let conversations = [visitor.begin(&server, "one").await, visitor.begin(&server, "two").await];
    for number in 0..30 {
        let event = json!({ "type": "t", "metadata": { "number": number } });
        assert_eq!(visitor.post(&server, "/run/v1/events", &event).await.status, 201);
        let feedback = json!({ "conversationId": conversations[number % 2], "messageId": format!("m{number}"), "type": "negative", "details": { "number": number } });
        assert_eq!(visitor.post(&server, "/run/v1/feedback", &feedback).await.status, 201);
    }
    let export = visitor.get(&server, "/run/v1/visitor").await.json();
    for (list, data) in [("events", "metadata"), ("feedback", "details")] {
        let mut numbers: Vec<u64> =
            export[list].as_array().unwrap().iter().map(|it| it[data]["number"].as_u64().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..30).collect::<Vec<u64>>(), "{list}");
    }
}

/// Erases the visitor once the query `waiting` counts a transaction that waits for `held`, which ends half a second later.
async fn erase_while_held(server: &Server, visitor: &Visitor, held: Aside, waiting: &'static str) -> Answer {
    let until_it_waits = async {
        while server.database.count(waiting).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), until_it_waits).await.expect("a transaction waits");
    let release = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        drop(held);
    };
    tokio::join!(visitor.delete(server, "/run/v1/visitor"), release).0
}

/// The transaction that stores the answer has found no erasure, and is not committed yet: the erasure does not see the
/// conversation. On SQLite there is one writer at a time.
#[tokio::test]
async fn an_answer_that_is_being_stored_during_an_erasure_is_erased() {
    const WAITING: &str = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'messages'::regclass \
        AND mode = 'RowExclusiveLock'";
    let server = Server::new().await;
    if server.database.url.starts_with("sqlite") {
        return;
    }
    let (visitor, ..) = visitor(&server).await;
    let conversation = visitor.begin(&server, "one").await;
    let held = server.database.hold_messages().await;
    let erase = erase_while_held(&server, &visitor, held, WAITING);
    let (said, erased) = tokio::join!(visitor.say(&server, "hi", Some(&conversation)), erase);
    assert_eq!((said.status.as_u16(), erased.status.as_u16()), (200, 200), "{}", erased.text());
    assert_eq!(server.database.count(STORED).await, 0, "{}", erased.text());
    assert_eq!(erased.json()["data"]["conversations"], 1);
}

/// The transaction that stores the event has not been committed: the erasure does not see the event. On SQLite there is one
/// writer at a time.
#[tokio::test]
async fn an_event_that_is_being_stored_during_an_erasure_is_erased() {
    const WAITING: &str = "SELECT COUNT(*) FROM pg_stat_activity \
        WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT 1 FROM apps%' \
        AND pid IN (SELECT pid FROM pg_locks WHERE relation = 'events'::regclass)";
    let server = Server::new().await;
    if server.database.url.starts_with("sqlite") {
        return;
    }
    let (visitor, ..) = visitor(&server).await;
    let held = server.database.run("BEGIN; SELECT id FROM apps FOR UPDATE").await;
    let erase = erase_while_held(&server, &visitor, held, WAITING);
    let event = json!({ "type": "t" });
    let (stored, erased) = tokio::join!(visitor.post(&server, "/run/v1/events", &event), erase);
    assert_eq!((stored.status.as_u16(), erased.status.as_u16()), (201, 200), "{}", erased.text());
    assert_eq!(server.database.count("SELECT COUNT(*) FROM events").await, 0, "{}", erased.text());
}

/// The transaction that deletes the conversation has not been committed: the feedback sees the conversation. Neither waits
/// for the other for ever.
#[tokio::test]
async fn feedback_during_the_deletion_of_its_conversation_is_not_stored() {
    for has_feedback in [false, true] {
        feedback_during_deletion(has_feedback).await;
    }
}

async fn feedback_during_deletion(has_feedback: bool) {
    let server = Server::new().await;
    let (visitor, ..) = visitor(&server).await;
    let conversation = visitor.begin(&server, "one").await;
    if has_feedback {
        let feedback = json!({ "conversationId": conversation, "messageId": "m", "type": "negative" });
        assert_eq!(visitor.post(&server, "/run/v1/feedback", &feedback).await.status, 201);
    }
    let mut deletion = server.database.run("BEGIN; DELETE FROM conversations").await;
    let feedback = json!({ "conversationId": conversation, "messageId": "m", "type": "positive" });
    let commit = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        deletion.execute("DELETE FROM feedback").await;
        deletion.execute("COMMIT").await;
    };
    let (answer, ()) = tokio::join!(visitor.post(&server, "/run/v1/feedback", &feedback), commit);
    assert_eq!(server.database.count("SELECT COUNT(*) FROM feedback").await, 0);
    assert_eq!(answer.status, 404, "{}", answer.text());
}
