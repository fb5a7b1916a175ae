//! The database hangs, conflicts with another instance, or loses an app in the middle of a request.

use crate::database::Database;
use crate::support::{APPS, Server};
use crate::visitor::Visitor;
use axum::http::Method;
use futures_util::StreamExt;
use futures_util::stream;
use saltmine_server::{Agent, Agents, Message, Reply, sweep};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// An agent whose reply ends at a signal of the test.
#[derive(Clone, Default)]
struct Waiting {
    begun: Arc<Notify>,
    end: Arc<Notify>,
}

impl Agent for Waiting {
    fn reply(&self, _: Vec<Message>) -> Reply {
        let Self { begun, end } = self.clone();
        let last = stream::once(async move {
            begun.notify_one();
            end.notified().await;
            Ok("last".to_owned())
        });
        stream::iter([Ok("first ".to_owned())]).chain(last).boxed()
    }
}

async fn server_with(agent: impl Agent) -> Server {
    let server = Server::new().await;
    server.with_agents(Agents::built_in().with(Agents::ECHO, agent))
}

/// Returns a server whose agent waits, and a visitor of one of its apps.
async fn waiting() -> (Waiting, Arc<Server>, String, Visitor) {
    let agent = Waiting::default();
    let server = Arc::new(server_with(agent.clone()).await);
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    (agent, server, app, visitor)
}

/// Sends a message in a separate task, which returns the status.
fn say(
    server: &Arc<Server>,
    visitor: &Visitor,
    text: &'static str,
    id: Option<&'static str>,
) -> JoinHandle<u16> {
    let (server, visitor) = (server.clone(), visitor.clone());
    tokio::spawn(async move { visitor.say(&server, text, id).await.status.as_u16() })
}

/// On PostgreSQL, the instance that waits for the other's transaction deletes no row: more may be left even so.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_instances_delete_all_messages_of_a_deleted_app() {
    let first = Server::new().await;
    let second = first.another().await;
    let app = first.web_client().await;
    let visitor = Visitor::of(&first, &app).await;
    let messages = vec![json!({ "role": "user", "content": "x" }); 999];
    for number in 0..4 {
        let body =
            json!({ "messages": messages, "conversationId": format!("long_{number}"), "stream": false });
        assert_eq!(visitor.post(&first, "/run/api/chat", &body).await.status, 200);
    }
    let path = format!("{APPS}/{app}");
    assert_eq!(first.manage_at(Method::DELETE, &path, &json!({})).await.status, 204);
    for _ in 0..3 {
        let sweeps = [first.state.clone(), second.state.clone(), first.state.clone(), second.state.clone()]
            .map(|state| tokio::spawn(async move { sweep(&state).await }));
        for one in sweeps {
            one.await.unwrap().unwrap();
        }
    }
    for table in [
        "SELECT COUNT(*) FROM messages",
        "SELECT COUNT(*) FROM conversations",
        "SELECT COUNT(*) FROM deleted_clients",
    ] {
        assert_eq!(first.database.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn an_answer_that_ends_after_its_app_was_deleted_is_not_stored() {
    let (agent, server, app, visitor) = waiting().await;
    let chat = say(&server, &visitor, "hi", None);
    agent.begun.notified().await;
    let path = format!("{APPS}/{app}");
    assert_eq!(server.manage_at(Method::DELETE, &path, &json!({})).await.status, 204);
    sweep(&server.state).await.unwrap();
    agent.end.notify_one();
    assert_eq!(chat.await.unwrap(), 404);
    assert_eq!(server.database.count("SELECT COUNT(*) FROM messages").await, 0);
    assert_eq!(server.database.count("SELECT COUNT(*) FROM conversations").await, 0);
}

/// Regression: a control character takes six bytes of JSON, and 49 messages of them caused a response of 25 MB.
#[tokio::test]
async fn the_size_of_a_conversation_is_that_of_its_json() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let text = "\u{1}".repeat(40_000);
    let mut status = 200;
    for _ in 0..49 {
        status = visitor.say(&server, &text, Some("long")).await.status.as_u16();
    }
    assert_eq!(status, 409);
    let bytes = visitor.get(&server, "/run/v1/conversations/long?limit=200").await.body.len();
    assert!((1_000_000..6_000_000).contains(&bytes), "{bytes}");
}

/// An agent's reply has the same limit.
#[tokio::test]
async fn the_size_of_an_answer_is_that_of_its_json() {
    struct Control;
    impl Agent for Control {
        fn reply(&self, _: Vec<Message>) -> Reply {
            stream::iter((0..200).map(|_| Ok("\u{1}".repeat(1024)))).boxed()
        }
    }
    let server = server_with(Control).await;
    let app = server.web_client().await;
    let answer = Visitor::of(&server, &app).await.say(&server, "hi", None).await;
    assert_eq!(answer.status, 502, "200 KiB of text are 1.2 MB of JSON");
}

/// The client receives only keep-alives meanwhile.
#[tokio::test]
async fn storing_an_answer_has_a_time_limit() {
    let (agent, server, _, visitor) = waiting().await;
    let chat = {
        let (server, visitor) = (server.clone(), visitor.clone());
        tokio::spawn(async move {
            let body = json!({ "messages": [{ "role": "user", "content": "hi" }] });
            visitor.post(&server, "/run/api/chat", &body).await.text().to_owned()
        })
    };
    agent.begun.notified().await;
    let held = server.database.hold_messages().await;
    agent.end.notify_one();
    let text = tokio::time::timeout(Duration::from_secs(15), chat).await.expect("it ends").unwrap();
    assert!(text.contains("errorText"), "{text}");
    drop(held);
}

/// No session opens if the database accepts no writes.
#[tokio::test]
async fn a_server_whose_database_takes_no_writes_is_not_ready() {
    let server = Server::new().await;
    assert_eq!(server.get("/readyz").await.status, 200);
    let held = server.database.hold().await;
    server.clock.pass(Duration::from_secs(1));
    assert_eq!(server.get("/readyz").await.status, 503);
    drop(held);
}

/// A transaction that its request left open would take the statements of later requests, and lose them with the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_given_up_leave_no_transaction_open() {
    const OPEN: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'saltmine-server' \
        AND state = 'idle in transaction' AND query = 'BEGIN' \
        AND state_change < clock_timestamp() - interval '20 milliseconds'";
    let server = Arc::new(Server::new().await);
    if server.database.url.starts_with("sqlite") {
        return;
    }
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    for round in 0..160 {
        let (server, visitor) = (server.clone(), visitor.clone());
        let given_up = server.clone();
        let task = tokio::spawn(async move { visitor.say(&given_up, "hi", None).await.status });
        // Each round at another moment of the request.
        tokio::time::sleep(Duration::from_micros(round * 25)).await;
        task.abort();
        let _ = task.await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(server.database.count(OPEN).await, 0, "round {round}");
    }
}

/// A client that leaves while its turn is being stored stores it no second time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_given_up_stores_its_turn_once() {
    const TWICE: &str = "SELECT COUNT(*) FROM \
        (SELECT 1 AS one FROM messages GROUP BY conversation_id HAVING COUNT(*) > 2) AS twice";
    let server = Arc::new(Server::new().await);
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let mut whole = Duration::MAX;
    for _ in 0..20 {
        let start = tokio::time::Instant::now();
        visitor.say(&server, "hi", None).await;
        whole = whole.min(start.elapsed());
    }
    for round in 0..400 {
        let (server, visitor) = (server.clone(), visitor.clone());
        let task = tokio::spawn(async move { visitor.say(&server, "hi", None).await.status });
        // Each round at another moment of the request, most of them near the response.
        tokio::time::sleep(whole * (60 + round % 120) / 120).await;
        task.abort();
        let _ = task.await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(server.database.count(TWICE).await, 0);
}

/// A visitor would have to solve another challenge.
#[tokio::test]
async fn a_session_request_that_fails_does_not_use_the_solution() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let token = server.token(&app).await;
    let solution = server.solution().await;
    let authorization = format!("Bearer {token}");
    let headers = [("x-inkeep-challenge-solution", &*solution), ("authorization", &*authorization)];
    server.database.run("ALTER TABLE revoked_sessions RENAME TO away").await;
    assert_eq!(server.open_session(&app, &headers).await.status, 500);
    server.database.run("ALTER TABLE away RENAME TO revoked_sessions").await;
    let answer = server.open_session(&app, &headers).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The last use is information for operators: nobody waits for it.
#[tokio::test]
async fn a_request_does_not_wait_until_its_api_key_can_be_written() {
    let server = Server::new().await;
    let path = "/manage/tenants/acme/projects/docs/api-keys";
    let made = server.manage_at(Method::POST, path, &json!({ "name": "k", "agentId": "echo" })).await.json();
    let visitor = Visitor::with_api_key(made["data"]["key"].as_str().unwrap());
    let held = server.database.hold_api_keys().await;
    let listed = visitor.get(&server, "/run/v1/conversations");
    let listed = tokio::time::timeout(Duration::from_secs(8), listed).await.expect("it does not wait");
    assert_eq!(listed.status, 200);
    drop(held);
}

/// Anyone may request the readiness: the database is not checked each time.
#[tokio::test]
async fn readiness_is_checked_once_a_second() {
    let server = Server::new().await;
    assert_eq!(server.get("/readyz").await.status, 200);
    server.store.close().await;
    assert_eq!(server.get("/readyz").await.status, 200);
    server.clock.pass(Duration::from_secs(1));
    assert_eq!(server.get("/readyz").await.status, 503);
}

/// A guessed key is refused without a query of the database.
#[tokio::test]
async fn a_guessed_api_key_is_refused_without_the_database() {
    let server = Server::new().await;
    let path = "/manage/tenants/acme/projects/docs/api-keys";
    let made = server.manage_at(Method::POST, path, &json!({ "name": "k", "agentId": "echo" })).await.json();
    let key = made["data"]["key"].as_str().unwrap().to_owned();
    assert_eq!(Visitor::with_api_key(&key).say(&server, "hi", None).await.status, 200);
    server.store.close().await;
    assert_eq!(Visitor::with_api_key(&key).say(&server, "hi", None).await.status, 503);
    let mut changed = key.clone().into_bytes();
    changed[10] = if changed[10] == b'a' { b'b' } else { b'a' };
    let changed = String::from_utf8(changed).unwrap();
    for guess in ["smk_", "smk_x", &changed, &key[..key.len() - 1], &format!("{key}a"), &key.to_uppercase()] {
        let status = Visitor::with_api_key(guess).say(&server, "hi", None).await.status;
        assert_eq!(status, 401, "{guess}");
    }
}

/// A new primary that is not writable yet. PostgreSQL only: this does not happen with SQLite.
#[tokio::test]
async fn a_read_only_database_is_not_ready() {
    let mut database = Database::fresh().await;
    let Some(rest) = database.url.strip_prefix("postgres://") else { return };
    let user = format!("reader_{}", std::process::id());
    let url = format!("postgres://{user}@{}", rest.split_once('@').unwrap().1);
    database.execute(format!("CREATE ROLE {user} LOGIN SUPERUSER")).await;
    let owner = std::mem::replace(&mut database.url, url);
    let server = Server::start(crate::support::settings(), Arc::new(database)).await;
    let app = server.web_client().await;
    let solution = server.solution().await;
    let owner = Database::at(owner);
    owner.execute(format!("ALTER ROLE {user} SET default_transaction_read_only = on")).await;
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}'");
    owner.execute(end).await;
    server.clock.pass(Duration::from_secs(1));
    assert_eq!(server.get("/readyz").await.status, 503);
    let refused = server.open_session(&app, &[("x-inkeep-challenge-solution", &solution)]).await;
    assert_eq!(refused.status, 503, "SQLSTATE 25006: {}", refused.text());
}

/// The operator's time limit cancels a statement (SQLSTATE 57014). PostgreSQL only.
#[tokio::test]
async fn a_cancelled_statement_is_tried_again_later() {
    let mut database = Database::fresh().await;
    if !database.url.starts_with("postgres") {
        return;
    }
    database.url += "&options[statement_timeout]=300";
    let server = Server::start(crate::support::settings(), Arc::new(database)).await;
    let app = server.web_client().await;
    let visitor = Visitor::of(&server, &app).await;
    let held = server.database.hold_messages().await;
    assert_eq!(visitor.say(&server, "hi", None).await.status, 503);
    drop(held);
    assert_eq!(visitor.say(&server, "hi", None).await.status, 200);
}

/// Widgets read the list once, when a conversation begins: the agent has not replied by then.
#[tokio::test]
async fn a_conversation_is_listed_while_its_first_answer_is_written() {
    let (agent, server, _, visitor) = waiting().await;
    let chat = say(&server, &visitor, "Is it long?", Some("talk"));
    agent.begun.notified().await;
    assert_eq!(visitor.conversations(&server, "").await.0, ["talk"]);
    let conversation = visitor.get(&server, "/run/v1/conversations/talk").await.json();
    assert_eq!(conversation["data"]["title"], "Is it long?");
    assert_eq!(conversation["data"]["messages"][0]["content"], "Is it long?");
    agent.end.notify_one();
    assert_eq!(chat.await.unwrap(), 200);
    assert_eq!(visitor.messages(&server, "talk").await.len(), 2);
    assert_eq!(visitor.conversations(&server, "").await.0, ["talk"]);
}

/// The visitor deletes the conversation from that list: the reply does not create it again.
#[tokio::test]
async fn a_conversation_that_is_deleted_during_its_first_answer_is_not_stored() {
    let (agent, server, _, visitor) = waiting().await;
    let chat = say(&server, &visitor, "hi", Some("talk"));
    agent.begun.notified().await;
    assert_eq!(visitor.delete(&server, "/run/v1/conversations/talk").await.status, 204);
    agent.end.notify_one();
    assert_eq!(chat.await.unwrap(), 404);
    assert!(visitor.conversations(&server, "").await.0.is_empty());
}

/// The reply is stored neither in its deleted conversation nor in a new one.
#[tokio::test]
async fn an_answer_that_ends_after_its_conversation_was_deleted_is_not_stored() {
    const STORED: &str = "SELECT (SELECT COUNT(*) FROM messages) + (SELECT COUNT(*) FROM conversations)";
    let (agent, server, _, visitor) = waiting().await;
    let say = || say(&server, &visitor, "hi", Some("talk"));
    agent.end.notify_one();
    assert_eq!(say().await.unwrap(), 200);
    agent.begun.notified().await;

    let second = say();
    agent.begun.notified().await;
    assert_eq!(visitor.delete(&server, "/run/v1/conversations/talk").await.status, 204);
    agent.end.notify_one();
    assert_eq!(second.await.unwrap(), 404);
    assert_eq!(server.database.count(STORED).await, 0, "deleted");

    let third = say();
    agent.begun.notified().await;
    server.clock.pass(Duration::from_millis(1));
    assert_eq!(visitor.delete(&server, "/run/v1/visitor").await.status, 200);
    agent.end.notify_one();
    assert_eq!(third.await.unwrap(), 404);
    assert_eq!(server.database.count(STORED).await, 0, "erased");

    agent.end.notify_one();
    assert_eq!(say().await.unwrap(), 200, "what is said after it is stored");
    server.clock.pass(Duration::from_secs(25 * 60 * 60));
    sweep(&server.state).await.unwrap();
    assert_eq!(server.database.count("SELECT COUNT(*) FROM erasures").await, 0);
}

/// The visitor presses Stop, or leaves the page.
#[tokio::test]
async fn what_was_said_until_an_answer_is_stopped_is_kept() {
    let (agent, server, _, visitor) = waiting().await;
    let chat = say(&server, &visitor, "Tell me", Some("talk"));
    agent.begun.notified().await;
    chat.abort();
    let _ = chat.await;
    let pair = |role: &str, text: &str| (role.to_owned(), text.to_owned());
    let expected = [pair("user", "Tell me"), pair("assistant", "first ")];
    for _ in 0..100 {
        if server.database.count("SELECT COUNT(*) FROM messages").await > 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(visitor.messages(&server, "talk").await, expected);
}
