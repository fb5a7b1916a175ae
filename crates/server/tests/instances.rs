//! Several processes on one database, and one that is killed and restarted.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    dead_code,
    reason = "a helper of a test fails the test, and is for the tests; not all use all"
)]

#[path = "shared/database.rs"]
mod database;
#[path = "shared/process.rs"]
mod process;
#[path = "shared/solution.rs"]
mod solution;

use database::Database;
use process::{KEY, LONG, Running};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::time::Duration;
use tempfile::TempDir;

const PAGE: &str = "https://docs.example.com";
const SOLUTION: &str = "x-inkeep-challenge-solution";

/// Starts another process with the same secrets, on the same database.
fn start(folder: &TempDir, database: &Database) -> Running {
    start_with(folder, database, &[])
}

fn start_with(folder: &TempDir, database: &Database, more: &[(&str, &str)]) -> Running {
    let environment = [
        ("INKEEP_POW_HMAC_SECRET", LONG),
        ("INKEEP_ANON_JWT_SECRET", LONG),
        ("INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET", KEY),
        ("INKEEP_POW_DIFFICULTY", "200"),
        ("SALTMINE_POW_COST", "10"),
        ("SALTMINE_RATE_LIMIT", "off"),
        ("SALTMINE_QUOTA_REQUESTS", "off"),
        ("SALTMINE_QUOTA_STREAMS", "off"),
        ("SALTMINE_MAX_CONNECTIONS_PER_ADDRESS", "500"),
        ("SALTMINE_LOG", "warn"),
        ("DATABASE_URL", &database.url),
    ];
    Running::start(folder.path(), &[&environment, more].concat())
}

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new()
}

async fn json_of(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn make_app(client: &Client, server: &Running) -> String {
    let body = json!({
        "name": "Docs", "type": "web_client",
        "config": { "type": "web_client", "webClient": { "allowedDomains": ["docs.example.com"] } },
    });
    let url = format!("http://{}/manage/tenants/acme/projects/docs/apps", server.address);
    let (status, answer) = json_of(client.post(url).bearer_auth(KEY).json_body(&body)).await;
    assert_eq!(status, 201, "{answer}");
    answer["data"]["app"]["id"].as_str().unwrap().to_owned()
}

/// `reqwest` without its own JSON.
trait JsonBody {
    fn json_body(self, body: &Value) -> Self;
}

impl JsonBody for RequestBuilder {
    fn json_body(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }
}

trait Json {
    async fn json(self) -> Result<Value, reqwest::Error>;
}

impl Json for reqwest::Response {
    async fn json(self) -> Result<Value, reqwest::Error> {
        Ok(serde_json::from_str(&self.text().await?).unwrap())
    }
}

async fn solution(client: &Client, server: &Running) -> String {
    let url = format!("http://{}/run/auth/pow/challenge", server.address);
    let (status, challenge) = json_of(client.get(url)).await;
    assert_eq!(status, 200);
    solution::solve(&challenge).header()
}

/// Returns the solution of a challenge of version 2.
async fn solution_v2(client: &Client, server: &Running, app: &str) -> String {
    let url = format!("http://{}/run/auth/challenge?appId={app}", server.address);
    let (status, challenge) = json_of(client.get(url).header("origin", PAGE)).await;
    assert_eq!(status, 200, "{challenge}");
    solution::bare(&solution::solve_v2(&challenge))
}

fn session(client: &Client, server: &Running, app: &str, solution: &str) -> RequestBuilder {
    let url = format!("http://{}/run/auth/apps/{app}/anonymous-session", server.address);
    client.post(url).header("origin", PAGE).header(SOLUTION, solution)
}

fn run(client: &Client, server: &Running, path: &str, app: &str, token: &str) -> RequestBuilder {
    let url = format!("http://{}/run/{path}", server.address);
    let method =
        if path.starts_with("v1/conversations") { reqwest::Method::GET } else { reqwest::Method::POST };
    client.request(method, url).header("origin", PAGE).header("x-inkeep-app-id", app).bearer_auth(token)
}

/// Two hundred requests at once, to two processes that share only the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_tries_through_two_processes_one_succeeds() {
    let (folder, database, client) = (TempDir::new().unwrap(), Database::fresh().await, client());
    let (first, second) = (start(&folder, &database), start(&folder, &database));
    let app = make_app(&client, &first).await;
    for _ in 0..3 {
        race(&client, [&first, &second], &app, &solution(&client, &first).await).await;
        race(&client, [&first, &second], &app, &solution_v2(&client, &second, &app).await).await;
    }
}

async fn race(client: &Client, [first, second]: [&Running; 2], app: &str, solution: &str) {
    {
        let tries = (0..200).map(|number| {
            let server = if number % 2 == 0 { first } else { second };
            tokio::spawn(json_of(session(client, server, app, solution)))
        });
        let mut counts = HashMap::new();
        for one in tries.collect::<Vec<_>>() {
            let (status, body) = one.await.unwrap();
            *counts.entry((status, body["reason"].as_str().unwrap_or("token").to_owned())).or_insert(0) += 1;
        }
        let expected = [((200, "token".to_owned()), 1), ((400, "pow_replayed".to_owned()), 199)];
        assert_eq!(counts, HashMap::from(expected));
    }
}

/// Each process has its own batches; the same challenges in another order must not block the other process.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_solutions_through_two_processes_each_succeeds_once() {
    let (folder, database, client) = (TempDir::new().unwrap(), Database::fresh().await, client());
    let (first, second) = (start(&folder, &database), start(&folder, &database));
    let app = make_app(&client, &first).await;
    let mut solutions = Vec::new();
    for _ in 0..60 {
        solutions.push(solution(&client, &second).await);
    }
    let offer = |server, solution| tokio::spawn(json_of(session(&client, server, &app, solution)));
    let forth: Vec<_> = solutions.iter().map(|solution| offer(&first, solution)).collect();
    let back: Vec<_> = solutions.iter().rev().map(|solution| offer(&second, solution)).collect();
    let mut accepted = 0;
    for one in forth.into_iter().chain(back) {
        let (status, body) = one.await.unwrap();
        assert!(status == 200 || body["reason"] == "pow_replayed", "{body}");
        accepted += u32::from(status == 200);
    }
    assert_eq!(accepted, 60);
}

#[tokio::test]
async fn what_one_process_made_the_other_knows() {
    let (folder, database, client) = (TempDir::new().unwrap(), Database::fresh().await, client());
    let (first, second) = (start(&folder, &database), start(&folder, &database));
    let app = make_app(&client, &first).await;
    let solution = solution(&client, &first).await;
    let (status, answer) = json_of(session(&client, &second, &app, &solution)).await;
    assert_eq!(status, 200, "{answer}");
    let token = answer["token"].as_str().unwrap();
    let body = json!({ "messages": [{ "role": "user", "content": "hi" }], "stream": false });
    let (status, answer) = json_of(run(&client, &second, "api/chat", &app, token).json_body(&body)).await;
    assert_eq!(status, 200, "{answer}");
    let path = format!("v1/conversations/{}", answer["conversationId"].as_str().unwrap());
    let (status, answer) = json_of(run(&client, &first, &path, &app, token)).await;
    assert_eq!((status, answer["data"]["messages"].as_array().unwrap().len()), (200, 2));
}

/// The responses are equal to the last digit of their times, though the system's clock is more precise than the database.
#[tokio::test]
async fn what_is_told_of_a_thing_when_it_is_made_is_told_when_it_is_read() {
    let (folder, database, client) = (TempDir::new().unwrap(), Database::fresh().await, client());
    let server = start(&folder, &database);
    let owner = format!("http://{}/manage/tenants/acme/projects/docs", server.address);
    for (kind, body, made) in [
        ("apps", json!({ "name": "a", "type": "api", "config": { "type": "api" } }), "/data/app"),
        ("api-keys", json!({ "name": "k", "agentId": "echo" }), "/data/apiKey"),
    ] {
        let url = format!("{owner}/{kind}");
        let (status, answer) = json_of(client.post(&url).bearer_auth(KEY).json_body(&body)).await;
        assert_eq!(status, 201, "{answer}");
        let (_, list) = json_of(client.get(&url).bearer_auth(KEY)).await;
        assert_eq!(Some(&list["data"][0]), answer.pointer(made));
    }
}

/// `kill -9`, right after the response.
#[tokio::test]
async fn a_process_that_is_killed_forgets_nothing() {
    let (folder, database, client) = (TempDir::new().unwrap(), Database::fresh().await, client());
    let mut server = start(&folder, &database);
    let app = make_app(&client, &server).await;
    for round in 0..3 {
        let spent = solution(&client, &server).await;
        let unspent = solution(&client, &server).await;
        let (status, answer) = json_of(session(&client, &server, &app, &spent)).await;
        assert_eq!(status, 200, "{answer}");
        let token = answer["token"].as_str().unwrap().to_owned();
        let text = format!("round {round}");
        let body = json!({ "messages": [{ "role": "user", "content": text }], "stream": false });
        let (status, answer) =
            json_of(run(&client, &server, "api/chat", &app, &token).json_body(&body)).await;
        assert_eq!(status, 200, "{answer}");
        server.signal("-KILL");
        server.child.wait().unwrap();

        server = start(&folder, &database);
        let (_, replayed) = json_of(session(&client, &server, &app, &spent)).await;
        assert_eq!(replayed["reason"], "pow_replayed");
        assert_eq!(json_of(session(&client, &server, &app, &unspent)).await.0, 200);
        let path = format!("v1/conversations/{}", answer["conversationId"].as_str().unwrap());
        let (status, kept) = json_of(run(&client, &server, &path, &app, &token)).await;
        assert_eq!((status, &kept["data"]["messages"][1]["content"]), (200, &json!(text)));
    }
}

/// A service that sends one word, and another one after a message from the test.
fn slow_service() -> (String, std::sync::mpsc::Sender<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let (resume, resumed) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        assert!(lines.by_ref().any(|line| line.is_empty()), "the head ends");
        let chunk = |word: &str| {
            let json = json!({ "choices": [{ "delta": { "content": word } }] });
            format!("data: {json}\n\n")
        };
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        write!(stream, "{head}{}", chunk("first ")).unwrap();
        resumed.recv().unwrap();
        write!(stream, "{}data: [DONE]\n\n", chunk("last")).unwrap();
    });
    (url, resume)
}

/// The deployment of a new version does not interrupt an agent's answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_is_stopped_finishes_its_streams() {
    let (folder, database, client) = (TempDir::new().unwrap(), Database::fresh().await, client());
    let (url, resume) = slow_service();
    let agent = [("SALTMINE_AGENT_URL", &*url), ("SALTMINE_AGENT_MODEL", "m")];
    let mut server = start_with(&folder, &database, &agent);
    let app = make_app(&client, &server).await;
    let solution = solution(&client, &server).await;
    let (_, answer) = json_of(session(&client, &server, &app, &solution)).await;
    let token = answer["token"].as_str().unwrap().to_owned();
    let body = json!({ "messages": [{ "role": "user", "content": "hi" }], "conversationId": "c" });
    let mut stream = run(&client, &server, "api/chat", &app, &token).json_body(&body).send().await.unwrap();
    let mut text = String::new();
    while !text.contains("first ") {
        text += std::str::from_utf8(&stream.chunk().await.unwrap().expect("it goes on")).unwrap();
    }
    server.signal("-TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(server.child.try_wait().unwrap().is_none(), "it waits for the stream");
    resume.send(()).unwrap();
    while let Some(chunk) = stream.chunk().await.unwrap() {
        text += std::str::from_utf8(&chunk).unwrap();
    }
    assert!(text.contains("last") && text.ends_with("data: [DONE]\n\n"), "{text}");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    let again = start(&folder, &database);
    let (_, kept) = json_of(run(&client, &again, "v1/conversations/c", &app, &token)).await;
    assert_eq!(kept["data"]["messages"][1]["content"], "first last");
    let mut rest = String::new();
    server.child.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("cut off"), "{rest}");
}

/// Six processes start at once on an empty database: one creates the tables, and all run.
#[tokio::test]
async fn processes_may_start_together() {
    let (folder, database) = (TempDir::new().unwrap(), Database::fresh().await);
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..6).map(|_| scope.spawn(|| start(&folder, &database))).collect();
        for start in starts {
            let server = start.join().unwrap();
            assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
        }
    });
}
