//! The export of traces: the binary with the feature `otlp`, and a collector that stores the received spans.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    dead_code,
    clippy::disallowed_methods,
    reason = "a helper of a test fails the test, and is for the tests; not all use all; real time passes"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

#[path = "shared/process.rs"]
mod process;

use process::{LONG, Running, ask, command, output};

const JWT: (&str, &str) = ("INKEEP_ANON_JWT_SECRET", LONG);
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// Starts a collector that accepts everything. Returns its address, and the head and the body of each request.
fn collector() -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
            let length = head.to_lowercase().lines().find_map(|line| {
                line.strip_prefix("content-length: ").map(|length| length.parse::<usize>().unwrap())
            });
            let mut body = vec![0; length.unwrap_or_default()];
            reader.read_exact(&mut body).unwrap();
            let response = "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            reader.into_inner().write_all(response.as_bytes()).unwrap();
            let _ = sender.send((head, body));
        }
    });
    (address, receiver)
}

fn get(server: &Running, path: &str, headers: &str) {
    let head = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close");
    ask(&server.address, &format!("{head}\r\n{headers}\r\n"));
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|index| u8::from_str_radix(&hex[index..index + 2], 16).unwrap()).collect()
}

#[test]
fn a_span_of_each_request_is_exported_in_the_trace_of_a_trusted_proxy() {
    let folder = TempDir::new().unwrap();
    let (address, exported) = collector();
    let environment = [
        JWT,
        (ENDPOINT, &*address),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=docs"),
        ("SALTMINE_TRUSTED_PROXIES", "127.0.0.1"),
        ("SALTMINE_LOG_FORMAT", "json"),
    ];
    let server = Running::start(folder.path(), &environment);
    get(
        &server,
        "/healthz",
        &format!("X-Forwarded-For: 192.0.2.1\r\ntraceparent: 00-{TRACE}-{CALLER}-01\r\n"),
    );
    get(&server, "/run/v1/conversations/conv_1", "X-Forwarded-For: 192.0.2.1\r\n");
    // The remaining spans are sent when the server stops.
    let (_, log) = server.stop();
    let (head, body) = exported.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(head.starts_with("POST /v1/traces ") && head.contains("x-tenant: docs"), "{head}");
    for text in ["saltmine-server", "service.name", "GET /healthz", "http.response.status_code"] {
        assert!(contains(&body, text.as_bytes()), "{text}: {}", String::from_utf8_lossy(&body));
    }
    assert!(contains(&body, b"GET /run/v1/conversations/{id}"), "the route, not the path");
    assert!(contains(&body, &bytes(TRACE)) && contains(&body, &bytes(CALLER)), "the caller's trace and span");

    // The log has the ids of the exported spans, also of a request without a trace.
    let spans: Vec<serde_json::Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|line| line["message"] == "request finished")
        .map(|mut line| line["span"].take())
        .collect();
    assert_eq!(spans.len(), 2, "{log}");
    assert_eq!(spans[0]["trace_id"], TRACE);
    assert_ne!(spans[1]["trace_id"], TRACE);
    for span in &spans {
        for member in ["trace_id", "span_id"] {
            assert!(contains(&body, &bytes(span[member].as_str().unwrap())), "{member}: {span}");
        }
    }
}

#[test]
fn nothing_is_exported_without_an_address_and_a_wrong_one_is_an_error() {
    let folder = TempDir::new().unwrap();
    let server = Running::start(folder.path(), &[JWT, (ENDPOINT, "")]);
    get(&server, "/healthz", "");
    let (_, log) = server.stop();
    assert!(log.contains("request finished") && !log.contains("trace_id"), "{log}");

    let mut command = command(folder.path(), &[JWT, (ENDPOINT, "not an address")]);
    command.arg("serve");
    let output = output(command);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("OTEL_EXPORTER_OTLP"), "{text}");
}
