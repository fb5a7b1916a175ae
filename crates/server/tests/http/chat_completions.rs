use crate::support::{Answer, Server};
use crate::visitor::Visitor;
use futures_util::StreamExt;
use saltmine_server::{Agent, AgentError, Agents, Message, Reply};
use serde_json::{Value, json};

const PATH: &str = "/run/v1/chat/completions";

async fn visitor() -> (Server, Visitor) {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    (server, visitor)
}

fn chunks(answer: &Answer) -> Vec<Value> {
    let text = answer.text().strip_suffix("data: [DONE]\n\n").expect("it ends with [DONE]");
    let events = text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap());
    events.map(|event| serde_json::from_str(event).unwrap()).collect()
}

#[tokio::test]
async fn an_answer_comes_in_chunks() {
    let (server, visitor) = visitor().await;
    let body = json!({ "model": "any", "messages": [{ "role": "user", "content": "Hello again" }] });
    for body in [body.clone(), {
        let mut body = body;
        body["stream"] = json!(true);
        body
    }] {
        let answer = visitor.post(&server, PATH, &body).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        let chunks = chunks(&answer);
        let id = chunks[0]["id"].clone();
        let conversation = answer.header("x-conversation-id").unwrap();
        let chunk = |delta: Value, finish_reason: Value| {
            json!({
                "id": id, "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "any",
                "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }],
                "conversationId": conversation,
            })
        };
        assert_eq!(
            chunks,
            [
                chunk(json!({ "role": "assistant", "content": "" }), Value::Null),
                chunk(json!({ "content": "Hello " }), Value::Null),
                chunk(json!({ "content": "again" }), Value::Null),
                chunk(json!({}), json!("stop")),
            ]
        );
    }
}

#[tokio::test]
async fn an_answer_comes_in_one_piece_if_asked_for() {
    let (server, visitor) = visitor().await;
    let body = json!({
        "model": "any", "messages": [{ "role": "user", "content": "hi" }], "stream": false, "conversationId": "c-1",
    });
    let answer = visitor.post(&server, PATH, &body).await;
    let json = answer.json();
    assert_eq!(
        json,
        json!({
            "id": json["id"], "object": "chat.completion", "created": 1_790_000_000, "model": "any",
            "choices": [{
                "index": 0, "message": { "role": "assistant", "content": "hi" }, "finish_reason": "stop",
            }],
            "conversationId": "c-1",
        })
    );
    assert_eq!(answer.header("x-conversation-id"), Some("c-1"));
}

/// Both endpoints use the same conversations.
#[tokio::test]
async fn a_conversation_goes_on_from_the_other_endpoint() {
    let (server, visitor) = visitor().await;
    let id = visitor.begin(&server, "one").await;
    let body = json!({ "messages": [{ "role": "user", "content": "two" }], "conversationId": id });
    assert_eq!(visitor.post(&server, PATH, &body).await.status, 200);
    assert_eq!(visitor.messages(&server, &id).await.len(), 4);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let (server, visitor) = visitor().await;
    for (body, field) in [
        (json!({ "model": "any" }), "messages"),
        (json!({ "model": 7, "messages": [] }), "model"),
        (json!({ "messages": [] }), "messages"),
        (json!({ "messages": [{ "role": "system", "content": "x" }] }), "messages"),
        (json!({ "messages": [{ "role": "user", "content": "x".repeat(100_001) }] }), "messages[0].content"),
    ] {
        let answer = visitor.post(&server, PATH, &body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &field.into()), "{body}");
    }
}

/// A client that waits for `finish_reason` does not receive it with an incomplete reply.
#[tokio::test]
async fn an_answer_that_breaks_off_is_told() {
    struct Failing;
    impl Agent for Failing {
        fn reply(&self, _: Vec<Message>) -> Reply {
            let pieces = [Ok("Half".to_owned()), Err(AgentError("no connection to 10.0.0.1".to_owned()))];
            futures_util::stream::iter(pieces).boxed()
        }
    }
    let (server, visitor) = visitor().await;
    let server = server.with_agents(Agents::built_in().with(Agents::ECHO, Failing));
    let body = json!({ "messages": [{ "role": "user", "content": "hi" }] });
    let answer = visitor.post(&server, PATH, &body).await;
    let chunks = chunks(&answer);
    assert_eq!(chunks.len(), 3);
    let error = json!({
        "message": "The response failed before its end. Send the message again.", "type": "server_error", "code": "agent_failed",
    });
    assert_eq!(chunks[2], json!({ "error": error }));
    assert!(!answer.text().contains("stop") && !answer.text().contains("10.0.0.1"));
}
