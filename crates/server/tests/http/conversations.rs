//! Stored conversations, and their owners.

use crate::support::{PAGE, Server, web_client};
use crate::visitor::Visitor;
use axum::http::Method;
use futures_util::StreamExt;
use saltmine_server::{Agent, Agents, Message, Reply, sweep};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

fn pairs(messages: &[(&str, &str)]) -> Vec<(String, String)> {
    messages.iter().map(|(role, content)| ((*role).to_owned(), (*content).to_owned())).collect()
}

/// Replies with a number, and records the messages that it receives.
#[derive(Clone, Default)]
struct Scribe(Arc<Mutex<Vec<Vec<Message>>>>);

impl Agent for Scribe {
    fn reply(&self, messages: Vec<Message>) -> Reply {
        let mut received = self.0.lock().unwrap();
        received.push(messages);
        let answer = format!("answer {}", received.len());
        futures_util::stream::iter([Ok(answer)]).boxed()
    }
}

#[tokio::test]
async fn a_conversation_is_kept_and_read_back() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let id = visitor.begin(&server, "Hello there\nand more").await;
    server.clock.pass(Duration::from_secs(5));
    visitor.say(&server, "Again", Some(&id)).await;

    let answer = visitor.get(&server, &format!("/run/v1/conversations/{id}")).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let data = answer.json()["data"].clone();
    let messages = data["messages"].as_array().unwrap();
    assert_eq!(data["id"], *id);
    assert_eq!((&data["agentId"], &data["title"]), (&json!("echo"), &json!("Hello there")));
    assert_eq!(data["createdAt"], "2026-09-21T14:13:20Z");
    assert_eq!(data["updatedAt"], "2026-09-21T14:13:25Z");
    assert_eq!(data.as_object().unwrap().len(), 6);
    assert!(messages.iter().all(|message| message["id"].as_str().unwrap().starts_with("msg_")));
    assert_eq!(messages[3]["createdAt"], "2026-09-21T14:13:25Z");
    assert_eq!(
        visitor.messages(&server, &id).await,
        pairs(&[
            ("user", "Hello there\nand more"),
            ("assistant", "Hello there\nand more"),
            ("user", "Again"),
            ("assistant", "Again"),
        ])
    );
}

#[tokio::test]
async fn a_stream_is_kept_before_it_ends() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    for path in ["/run/api/chat", "/run/v1/chat/completions"] {
        let body = json!({ "model": "x", "messages": [{ "role": "user", "content": "In pieces, please" }] });
        let answer = visitor.post(&server, path, &body).await;
        let id = answer.header("x-conversation-id").unwrap();
        let kept = visitor.messages(&server, id).await;
        assert_eq!(kept, pairs(&[("user", "In pieces, please"), ("assistant", "In pieces, please")]));
    }
}

#[tokio::test]
async fn the_agent_is_told_what_was_said_before() {
    let scribe = Scribe::default();
    let server = Server::new().await;
    let server = server.with_agents(Agents::built_in().with(Agents::ECHO, scribe.clone()));
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let id = visitor.begin(&server, "one").await;
    // The server ignores the client's copy of earlier messages.
    let body = json!({
        "conversationId": id, "stream": false,
        "messages": [
            { "role": "user", "content": "one" },
            { "role": "assistant", "content": "something that was never said" },
            { "role": "user", "content": "two" },
        ],
    });
    visitor.post(&server, "/run/api/chat", &body).await;
    let told = scribe.0.lock().unwrap()[1].clone();
    let contents: Vec<_> = told.iter().map(|message| &*message.content).collect();
    assert_eq!(contents, ["one", "answer 1", "two"]);
    let kept = visitor.messages(&server, &id).await;
    assert_eq!(
        kept,
        pairs(&[("user", "one"), ("assistant", "answer 1"), ("user", "two"), ("assistant", "answer 2")])
    );
}

/// The messages of other roles are left out: only the agent writes the agent's messages.
#[tokio::test]
async fn a_new_conversation_begins_with_all_that_the_user_sent() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let sent = [("system", "Page: /pricing"), ("user", "a"), ("assistant", "b"), ("user", "c")];
    let messages: Vec<_> =
        sent.iter().map(|(role, content)| json!({ "role": role, "content": content })).collect();
    let body = json!({ "messages": messages, "conversationId": "mine-1", "stream": false });
    assert_eq!(visitor.post(&server, "/run/api/chat", &body).await.status, 200);
    let kept = visitor.messages(&server, "mine-1").await;
    assert_eq!(kept, pairs(&[("user", "a"), ("user", "c"), ("assistant", "c")]));
    let (_, title) = (0, visitor.get(&server, "/run/v1/conversations/mine-1").await.json());
    assert_eq!(title["data"]["title"], "a", "what the visitor said first");
}

#[tokio::test]
async fn the_list_has_pages_the_newest_first() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        server.clock.pass(Duration::from_secs(1));
        ids.insert(0, visitor.begin(&server, &format!("number {number}")).await);
    }
    let (first, pagination) = visitor.conversations(&server, "?page=1&limit=2").await;
    assert_eq!(first, ids[..2]);
    assert_eq!(pagination, json!({ "page": 1, "limit": 2, "total": 5, "pages": 3 }));
    assert_eq!(visitor.conversations(&server, "?page=3&limit=2").await.0, ids[4..]);
    assert!(visitor.conversations(&server, "?page=4&limit=2").await.0.is_empty());
    // The conversation with the newest message is first.
    server.clock.pass(Duration::from_secs(1));
    visitor.say(&server, "more", Some(&ids[4])).await;
    let (all, pagination) = visitor.conversations(&server, "").await;
    assert_eq!(all, [&ids[4..], &ids[..4]].concat());
    assert_eq!(pagination, json!({ "page": 1, "limit": 20, "total": 5, "pages": 1 }));

    for (query, field) in [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=x", "page"),
        ("page=99999999999999999999", "page"),
        ("page=1%27%20OR%201=1", "page"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=", "limit"),
        ("page=1&page=2", "page"),
    ] {
        let answer = visitor.get(&server, &format!("/run/v1/conversations?{query}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &field.into()), "{query}");
    }
}

/// The first page has the newest messages, and each page its oldest first.
#[tokio::test]
async fn messages_have_pages() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let id = visitor.begin(&server, "0").await;
    for number in 1..4 {
        visitor.say(&server, &number.to_string(), Some(&id)).await;
    }
    for (query, contents) in [
        ("", vec!["0", "0", "1", "1", "2", "2", "3", "3"]),
        ("?limit=3", vec!["2", "3", "3"]),
        ("?limit=3&page=2", vec!["1", "1", "2"]),
        ("?limit=3&page=3", vec!["0", "0"]),
        ("?limit=3&page=4", vec![]),
    ] {
        let body = visitor.get(&server, &format!("/run/v1/conversations/{id}{query}")).await.json();
        let messages = body["data"]["messages"].as_array().unwrap();
        let read: Vec<_> = messages.iter().map(|message| message["content"].as_str().unwrap()).collect();
        assert_eq!(read, contents, "{query}");
        for message in messages {
            assert_eq!(message["parts"], json!([{ "type": "text", "text": message["content"] }]));
        }
        assert_eq!(body["pagination"]["total"], 8);
    }
    let pagination = json!({ "page": 2, "limit": 3, "total": 8, "pages": 3 });
    let body = visitor.get(&server, &format!("/run/v1/conversations/{id}?limit=3&page=2")).await.json();
    assert_eq!(body["pagination"], pagination);
    let answer = visitor.get(&server, &format!("/run/v1/conversations/{id}?limit=201")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &"limit".into()));
}

/// No other user of the app, of another app or of another tenant can see a conversation.
#[tokio::test]
async fn a_conversation_is_its_users_alone() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let other_app = server.web_client().await;
    let domains = web_client(json!({ "allowedDomains": ["docs.example.com"] }));
    let foreign = server.manage_at(Method::POST, "/manage/tenants/rival/projects/docs/apps", &domains).await;
    let foreign_app = foreign.json()["data"]["app"]["id"].as_str().unwrap().to_owned();

    let visitor = Visitor::of(&server, &app).await;
    let id = visitor.begin(&server, "my secret").await;
    let path = format!("/run/v1/conversations/{id}");
    for other in [
        Visitor::of(&server, &app).await,
        Visitor::of(&server, &other_app).await,
        Visitor::of(&server, &foreign_app).await,
    ] {
        let answer = other.get(&server, &path).await;
        answer.assert_problem(404, "not_found", "conversation_not_found", "Conversation not found");
        assert!(other.conversations(&server, "").await.0.is_empty());
        let answer = other.say(&server, "what did they say?", Some(&id)).await;
        assert!(!answer.text().contains("my secret"));
    }
    let same_app = Visitor::of(&server, &app).await;
    let answer = same_app.say(&server, "may I?", Some(&id)).await;
    answer.assert_problem(404, "not_found", "conversation_not_found", "Conversation not found");
    let kept = visitor.messages(&server, &id).await;
    assert_eq!(kept, pairs(&[("user", "my secret"), ("assistant", "my secret")]), "nobody added to it");
    assert_eq!(visitor.conversations(&server, "").await.0, [id]);
}

/// A renewed session has the same user and the same conversations.
#[tokio::test]
async fn a_renewed_session_keeps_its_conversations() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let token = server.token(&app).await;
    let id = Visitor::with_token(&app, &token).begin(&server, "hi").await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("x-inkeep-challenge-solution", &server.solution().await)];
    let session = server.open_session(&app, &headers).await.json();
    let renewed = Visitor::with_token(&app, session["token"].as_str().unwrap());
    assert_eq!(renewed.conversations(&server, "").await.0, [id]);
}

#[tokio::test]
async fn a_conversation_that_is_full_takes_no_more() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let messages = vec![json!({ "role": "user", "content": "x" }); 999];
    let body = json!({ "messages": messages, "conversationId": "long", "stream": false });
    assert_eq!(visitor.post(&server, "/run/api/chat", &body).await.status, 200);
    let answer = visitor.say(&server, "one more", Some("long")).await;
    let detail = "This conversation is full. Start a new one.";
    answer.assert_problem(409, "conflict", "conversation_full", detail);
    let page = visitor.get(&server, "/run/v1/conversations/long").await.json();
    assert_eq!(page["pagination"], json!({ "page": 1, "limit": 200, "total": 1000, "pages": 5 }));
    assert_eq!(page["data"]["messages"].as_array().unwrap().len(), 200);

    let body = json!({ "messages": vec![json!({ "role": "user", "content": "x" }); 1000] });
    let answer = visitor.post(&server, "/run/api/chat", &body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &"messages".into()));
}

/// The limit is in bytes, not in characters: many clients may read the conversation at once, each with a copy in memory.
#[tokio::test]
async fn a_conversation_that_is_long_takes_no_more() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    // The agent repeats it: an eighth of the maximum.
    let text = "\u{1f4a9}".repeat(32 * 1024 - 200);
    for _ in 0..9 {
        assert_eq!(visitor.say(&server, &text, Some("long")).await.status, 200);
    }
    let answer = visitor.say(&server, "one more", Some("long")).await;
    let detail = "This conversation is full. Start a new one.";
    answer.assert_problem(409, "conflict", "conversation_full", detail);
    assert_eq!(visitor.messages(&server, "long").await.len(), 18);
    assert_eq!(visitor.say(&server, "one more", Some("another")).await.status, 200);
}

/// The first request may bring as many messages as a body has room for.
#[tokio::test]
async fn a_conversation_that_begins_too_long_is_refused() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let messages = vec![json!({ "role": "user", "content": "x".repeat(90_000) }); 30];
    let body = json!({ "messages": messages, "conversationId": "long", "stream": false });
    let answer = visitor.post(&server, "/run/api/chat", &body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["reason"]), (422, &"field_invalid".into()));
    assert_eq!(visitor.get(&server, "/run/v1/conversations/long").await.status, 404);
}

/// Concurrent messages get different positions.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn turns_at_the_same_time_are_all_kept() {
    let server = Arc::new(Server::new().await);
    let other = Arc::new(server.another().await);
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let id = visitor.begin(&server, "first").await;
    let turns: Vec<_> = (0..20)
        .map(|number| {
            let (visitor, id) = (visitor.clone(), id.clone());
            let server = if number % 2 == 0 { server.clone() } else { other.clone() };
            tokio::spawn(
                async move { visitor.say(&server, &format!("turn {number}"), Some(&id)).await.status },
            )
        })
        .collect();
    for turn in turns {
        assert_eq!(turn.await.unwrap(), 200);
    }
    let kept = visitor.messages(&server, &id).await;
    assert_eq!(kept.len(), 42);
    for turn in kept.chunks(2) {
        assert_eq!((&*turn[0].0, &*turn[1].0, &turn[0].1), ("user", "assistant", &turn[1].1));
    }
}

/// PostgreSQL has no NUL in its texts. A visitor's NUL is refused; an agent's is replaced, so that its reply is stored.
#[tokio::test]
async fn what_no_database_can_keep_is_replaced() {
    struct SaysNul;
    impl Agent for SaysNul {
        fn reply(&self, _: Vec<Message>) -> Reply {
            futures_util::stream::iter([Ok("a\0b".to_owned())]).boxed()
        }
    }
    let server = Server::new().await.with_agents(Agents::built_in().with(Agents::ECHO, SaysNul));
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let id = visitor.begin(&server, "hi").await;
    assert_eq!(visitor.messages(&server, &id).await[1].1, "a\u{fffd}b");
}

/// The text of an agent that then fails is not stored.
#[tokio::test]
async fn what_is_not_answered_is_not_kept() {
    struct Failing;
    impl Agent for Failing {
        fn reply(&self, _: Vec<Message>) -> Reply {
            let pieces = [Ok("Half".to_owned()), Err(saltmine_server::AgentError("gone".to_owned()))];
            futures_util::stream::iter(pieces).boxed()
        }
    }
    let server = Server::new().await;
    let server = server.with_agents(Agents::built_in().with(Agents::ECHO, Failing));
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    assert_eq!(visitor.say(&server, "hi", Some("c1")).await.status, 502);
    let body = json!({ "messages": [{ "role": "user", "content": "hi" }], "conversationId": "c1" });
    assert!(visitor.post(&server, "/run/api/chat", &body).await.text().contains("errorText"));
    assert!(visitor.conversations(&server, "").await.0.is_empty());
    assert_eq!(visitor.get(&server, "/run/v1/conversations/c1").await.status, 404);
    assert_eq!(server.database.count("SELECT COUNT(*) FROM messages").await, 0);
}

/// Another message of the conversation has received its reply meanwhile: both are kept.
#[tokio::test]
async fn a_conversation_whose_first_reply_fails_keeps_what_was_answered() {
    #[derive(Clone, Default)]
    struct Moody(Arc<Notify>);
    impl Agent for Moody {
        fn reply(&self, messages: Vec<Message>) -> Reply {
            let end = self.0.clone();
            if messages.len() > 1 {
                return futures_util::stream::iter([Ok("yes".to_owned())]).boxed();
            }
            let failure = async move {
                end.notified().await;
                Err(saltmine_server::AgentError("gone".to_owned()))
            };
            futures_util::stream::once(failure).boxed()
        }
    }
    let agent = Moody::default();
    let server = Server::new().await.with_agents(Agents::built_in().with(Agents::ECHO, agent.clone()));
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let other_tab = async {
        for _ in 0..1000 {
            if !visitor.conversations(&server, "").await.0.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(visitor.say(&server, "Two", Some("talk")).await.status, 200);
        agent.0.notify_one();
    };
    let (first, ()) = tokio::join!(visitor.say(&server, "One", Some("talk")), other_tab);
    assert_eq!(first.status, 502);
    let expected = [("user", "One"), ("user", "Two"), ("assistant", "yes")];
    assert_eq!(visitor.messages(&server, "talk").await, pairs(&expected));
}

/// A first question may be nearly as long as the limit of a conversation: its reply is stored even so.
#[tokio::test]
async fn the_first_answer_has_room() {
    struct Brief;
    impl Agent for Brief {
        fn reply(&self, _: Vec<Message>) -> Reply {
            futures_util::stream::iter([Ok("y".repeat(90_000))]).boxed()
        }
    }
    let server = Server::new().await.with_agents(Agents::built_in().with(Agents::ECHO, Brief));
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let messages = vec![json!({ "role": "user", "content": "x".repeat(90_000) }); 23];
    let body = json!({ "messages": messages, "conversationId": "long", "stream": false });
    let answer = visitor.post(&server, "/run/api/chat", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(visitor.messages(&server, "long").await.len(), 24);
}

#[tokio::test]
async fn with_its_app_a_conversation_goes() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let other_app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let other = Visitor::of(&server, &other_app).await;
    let (_, kept) = (visitor.begin(&server, "gone soon").await, other.begin(&server, "stays").await);
    let path = format!("{}/{app}", crate::support::APPS);
    assert_eq!(server.manage_at(Method::DELETE, &path, &json!({})).await.status, 204);
    assert_eq!(visitor.say(&server, "anyone?", None).await.status, 404, "the app is gone at once");
    assert_eq!(
        sweep(&server.state).await.unwrap(),
        4,
        "two messages, their conversation, and the note of it"
    );
    assert_eq!(sweep(&server.state).await.unwrap(), 0);
    assert_eq!(other.conversations(&server, "").await.0, [kept]);
}

/// These routes check `Origin` too.
#[tokio::test]
async fn reading_needs_what_writing_needs() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let token = format!("Bearer {}", server.token(&app).await);
    for path in ["/run/v1/conversations", "/run/v1/conversations/x"] {
        let get = async |headers: &[(&str, &str)]| {
            server.send(crate::support::request(Method::GET, path, headers, "")).await
        };
        let (this, bearer) = (("x-inkeep-app-id", &*app), ("authorization", &*token));
        let missing = "Bearer token required for web_client app";
        get(&[this, ("origin", PAGE)]).await.assert_problem(401, "unauthorized", "token_missing", missing);
        let foreign = [this, bearer, ("origin", "https://evil.com")];
        let refused = "Origin not allowed for this app";
        get(&foreign).await.assert_problem(403, "forbidden", "origin_not_allowed", refused);
        get(&[this, bearer]).await.assert_problem(403, "forbidden", "origin_not_allowed", refused);
    }
}
