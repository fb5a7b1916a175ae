//! The resources that large conversations use: database statements and memory.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    dead_code,
    reason = "a helper of a test fails the test, and is for the tests; not all use all"
)]

#[path = "shared/process.rs"]
mod process;

use process::{KEY, LONG, Running};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use tempfile::TempDir;

const PAGE: &str = "https://docs.example.com";

/// Sends a request, and returns the connection without reading from it.
fn send(server: &Running, head: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let length = body.len();
    let common = "Host: test\r\nConnection: close\r\nContent-Type: application/json";
    write!(stream, "{head}\r\n{common}\r\nOrigin: {PAGE}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    stream
}

fn ask(server: &Running, head: &str, body: &Value) -> Value {
    let mut text = String::new();
    send(server, head, &body.to_string()).read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap();
    assert!(status.starts_with("20"), "{head}");
    serde_json::from_str(body).unwrap()
}

struct Visitor {
    server: Running,
    authorization: String,
    _folder: TempDir,
}

impl Visitor {
    fn new(log: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let environment = [
            ("INKEEP_ANON_JWT_SECRET", LONG),
            ("INKEEP_AGENTS_MANAGE_API_BYPASS_SECRET", KEY),
            ("SALTMINE_LOG", log),
            ("SALTMINE_QUOTA_STORED_BYTES", "off"),
            ("SALTMINE_QUOTA_TOKENS", "off"),
        ];
        let server = Running::start(folder.path(), &environment);
        let app = json!({
            "name": "Docs", "type": "web_client",
            "config": { "type": "web_client", "webClient": { "allowedDomains": ["docs.example.com"] } },
        });
        let head = format!("POST /manage/tenants/t/projects/p/apps HTTP/1.1\r\nAuthorization: Bearer {KEY}");
        let app = ask(&server, &head, &app)["data"]["app"]["id"].as_str().unwrap().to_owned();
        let head = format!("POST /run/auth/apps/{app}/anonymous-session HTTP/1.1");
        let token = ask(&server, &head, &json!({}))["token"].as_str().unwrap().to_owned();
        let authorization = format!("Authorization: Bearer {token}\r\nX-Inkeep-App-Id: {app}");
        Self { server, authorization, _folder: folder }
    }

    fn chat(&self, messages: &[Value]) {
        let body = json!({ "messages": messages, "conversationId": "long", "stream": false });
        ask(&self.server, &format!("POST /run/api/chat HTTP/1.1\r\n{}", self.authorization), &body);
    }

    /// Makes a conversation of about 1 MB, twice that as JSON.
    fn chat_at_length(&self) {
        let text = "\\".repeat(90_000);
        for _ in 0..6 {
            self.chat(&[json!({ "role": "user", "content": text })]);
        }
    }

    /// Sends a request so many times, reads no response, and returns the memory that each takes, in KiB.
    fn memory_of_unread(&self, count: u64, request: &str) -> u64 {
        let before = self.memory();
        let _connections: Vec<_> = (0..count).map(|_| send(&self.server, request, "")).collect();
        std::thread::sleep(std::time::Duration::from_secs(3));
        self.memory().saturating_sub(before) / count
    }

    /// Sends a request of HTTP 1.0, whose response has no chunks.
    fn read(&self) -> String {
        format!("GET /run/v1/conversations/long HTTP/1.0\r\n{}", self.authorization)
    }

    /// Returns the memory of the process, in KiB.
    fn memory(&self) -> u64 {
        self.status_line("VmRSS:")
    }

    /// A line of the process's status, in KiB.
    fn status_line(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

#[test]
fn a_long_turn_is_stored_by_few_statements() {
    let visitor = Visitor::new("warn,sqlx=debug");
    visitor.chat(&vec![json!({ "role": "user", "content": "x" }); 999]);
    let Visitor { server, _folder, .. } = visitor;
    let (_, log) = server.stop();
    let statements = log.lines().filter(|line| line.contains("INSERT INTO messages")).count();
    assert!((1..=2).contains(&statements), "{statements} statements");
}

/// Each of these responses is about 4 MB; the system's buffers do not count as memory of the process.
#[test]
fn responses_that_are_not_read_take_little_memory() {
    let visitor = Visitor::new("warn");
    visitor.chat_at_length();
    let whole = ask(&visitor.server, &visitor.read(), &Value::Null);
    assert_eq!(whole["data"]["messages"].as_array().unwrap().len(), 12);
    assert_eq!(whole["pagination"]["total"], 12);
    let each = visitor.memory_of_unread(60, &visitor.read());
    assert!(each < 1500, "{each} KiB for each of 60 responses");
}

/// Regression: parsed, each `{"":0}` of these bodies takes a hundred times its length.
#[test]
fn refused_events_of_many_small_objects_take_little_memory() {
    let visitor = Visitor::new("warn");
    let before = visitor.memory();
    let objects = vec![r#"{"":0}"#; 130_000].join(",");
    for (path, body) in [
        ("events", format!(r#"{{"type":"t","metadata":{{"a":[{objects}]}}}}"#)),
        ("feedback", format!(r#"{{"conversationId":"c","type":"positive","details":[{objects}]}}"#)),
    ] {
        let mut text = String::new();
        let head = format!("POST /run/v1/{path} HTTP/1.1\r\n{}", visitor.authorization);
        send(&visitor.server, &head, &body).read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 422"), "{text}");
        assert!(text.contains("bytes of JSON"), "{text}");
    }
    let most = visitor.status_line("VmHWM:").saturating_sub(before);
    assert!(most < 20_000, "{most} KiB");
}

/// Regression: each event is 180 KB, which takes 3 MB when parsed, and one read of the database returned 200 of them.
#[test]
fn exports_of_large_events_that_are_not_read_take_little_memory() {
    let visitor = Visitor::new("warn");
    let zeros = format!("[{}0]", "0,".repeat(30_000));
    let event = format!(
        r#"{{"type":"t","properties":{{"x":{zeros}}},"userProperties":{{"x":{zeros}}},"metadata":{{"x":{zeros}}}}}"#
    );
    let event: Value = serde_json::from_str(&event).unwrap();
    for _ in 0..40 {
        ask(&visitor.server, &format!("POST /run/v1/events HTTP/1.1\r\n{}", visitor.authorization), &event);
    }
    let export = format!("GET /run/v1/visitor HTTP/1.0\r\n{}", visitor.authorization);
    assert_eq!(ask(&visitor.server, &export, &Value::Null)["events"].as_array().unwrap().len(), 40);
    let each = visitor.memory_of_unread(20, &export);
    assert!(each < 4000, "{each} KiB for each of 20 exports");
}

/// 40 of these exports at once were 12 MB each: each conversation was a whole in memory.
#[test]
fn exports_of_long_conversations_that_are_not_read_take_little_memory() {
    let visitor = Visitor::new("warn");
    visitor.chat_at_length();
    let export = format!("GET /run/v1/visitor HTTP/1.0\r\n{}", visitor.authorization);
    let whole = ask(&visitor.server, &export, &Value::Null);
    assert_eq!(whole["conversations"][0]["messages"].as_array().unwrap().len(), 12);
    let each = visitor.memory_of_unread(40, &export);
    assert!(each < 1500, "{each} KiB for each of 40 exports");
}

/// As many numbers as a body can have, where a message has its id: each was a value of 32 bytes.
#[test]
fn a_body_takes_little_more_memory_than_its_text() {
    let visitor = Visitor::new("warn");
    visitor.chat(&[json!({ "role": "user", "content": "x" })]);
    let before = visitor.memory();
    let zeros = "0,".repeat(2_500_000);
    let body = format!(r#"{{"stream":false,"messages":[{{"role":"user","content":"x","id":[{zeros}0]}}]}}"#);
    let head = format!("POST /run/api/chat HTTP/1.1\r\n{}", visitor.authorization);
    let mut response = String::new();
    send(&visitor.server, &head, &body).read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let peak = visitor.status_line("VmHWM:").saturating_sub(before);
    assert!(peak < 40_000, "{peak} KiB");
}

/// A client may send large bodies slowly on each of its connections.
#[test]
fn large_bodies_have_so_much_memory_and_short_ones_are_accepted_all_the_same() {
    let visitor = Visitor::new("warn");
    let head = format!("POST /run/api/chat HTTP/1.1\r\n{}", visitor.authorization);
    let part = "x".repeat(4_900_000);
    let begin_large = || {
        let mut stream = TcpStream::connect(&visitor.server.address).unwrap();
        let common = "Host: test\r\nConnection: close\r\nContent-Type: application/json";
        write!(stream, "{head}\r\n{common}\r\nOrigin: {PAGE}\r\nContent-Length: 5000000\r\n\r\n").unwrap();
        // The server stops reading, and closes, once it has refused.
        let _ = write!(stream, "{{\"x\":\"{part}");
        stream
    };
    let slow: Vec<_> = (0..3).map(|_| begin_large()).collect();
    std::thread::sleep(std::time::Duration::from_secs(1));
    let mut refused = Vec::new();
    let _ = begin_large().read_to_end(&mut refused);
    let refused = String::from_utf8(refused).unwrap();
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("bodies_busy") && refused.contains("retry-after: 5"), "{refused}");
    visitor.chat(&[json!({ "role": "user", "content": "x" })]);
    drop(slow);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let long = "x".repeat(90_000);
    visitor.chat(&[json!({ "role": "user", "content": long })]);
}
