//! Operation: the admin listener, the drain, request ids and traces of proxies, the metrics and their dashboards.

use crate::support::{PAGE, Server, request, settings};
use crate::visitor::Visitor;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, Response};
use futures_util::stream::{self, StreamExt};
use http_body_util::BodyExt;
use saltmine_server::{
    Agent, Agents, LimitSettings, Listeners, Message, Reply, RequestHandler, Settings, serve,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn status(handler: &RequestHandler, method: Method, path: &str) -> u16 {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    handler.handle(request).await.status().as_u16()
}

#[tokio::test]
async fn an_admin_listener_has_routes_of_its_own() {
    let server = Server::new().await;
    let (public, admin) =
        (RequestHandler::public(server.state.clone()), RequestHandler::admin(server.state.clone()));
    for (path, by_public, by_admin) in [
        ("/run/auth/pow/challenge", 200, 404),
        ("/run/v1/conversations", 401, 404),
        ("/manage/tenants/t/projects/p/apps", 404, 401),
        ("/metrics", 404, 200),
        ("/healthz", 404, 200),
        ("/readyz", 404, 200),
        ("/openapi.json", 200, 200),
    ] {
        let statuses = (status(&public, Method::GET, path).await, status(&admin, Method::GET, path).await);
        assert_eq!(statuses, (by_public, by_admin), "{path}");
    }
}

async fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_string(&mut answer));
    read.await.expect("it responds").unwrap();
    answer
}

/// The admin listener still responds while the public listener is full, and while the server stops.
#[tokio::test]
async fn health_is_reported_at_the_connection_limit() {
    let finish_time = Duration::from_secs(2);
    let server =
        Server::with(Settings { max_connections: 2.try_into().unwrap(), finish_time, ..settings() }).await;
    let (public, admin) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (address, admin_address) = (public.local_addr().unwrap(), admin.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let listeners = Listeners { public, admin: Some(admin) };
    let ended = tokio::spawn(serve(listeners, server.state.clone(), async {
        let _ = stopped.await;
    }));
    let mut full = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"POST /run/api/chat HTTP/1.1\r\n").await.unwrap();
        full.push(stream);
    }
    while !ask(admin_address, "/metrics").await.contains("saltmine_connections 2\n") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut waiting = TcpStream::connect(address).await.unwrap();
    waiting.write_all(b"GET /run/auth/pow/challenge HTTP/1.1\r\nHost: test\r\n\r\n").await.unwrap();
    let read = tokio::time::timeout(Duration::from_millis(300), waiting.read_u8()).await;
    assert!(read.is_err(), "the public side is full");
    for path in ["/healthz", "/readyz"] {
        assert!(ask(admin_address, path).await.starts_with("HTTP/1.1 200"), "{path}");
    }

    server.state.start_draining();
    let answer = ask(admin_address, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("not_ready"), "{answer}");
    assert!(ask(admin_address, "/healthz").await.starts_with("HTTP/1.1 200"), "the process is alive");
    stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(ask(admin_address, "/healthz").await.starts_with("HTTP/1.1 200"), "while requests finish");
    ended.await.unwrap().unwrap();
    assert!(TcpStream::connect(admin_address).await.is_err());
}

#[tokio::test]
async fn a_server_that_drains_asks_clients_to_reconnect() {
    let server = Server::new().await;
    assert_eq!(server.get("/run/auth/pow/challenge").await.header("connection"), None);
    server.state.start_draining();
    let answer = server.get("/run/auth/pow/challenge").await;
    assert_eq!((answer.status.as_u16(), answer.header("connection")), (200, Some("close")));
    assert_eq!(server.get("/readyz").await.status, 503);
    assert!(server.get("/metrics").await.text().contains("saltmine_draining 1\n"));
}

async fn from(server: &Server, peer: &str, headers: &[(&str, &str)]) -> Response<axum::body::Body> {
    let mut request = request(Method::GET, "/run/auth/pow/challenge", headers, "");
    request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
    server.handler.handle(request).await
}

#[tokio::test]
async fn a_request_id_of_a_trusted_proxy_is_kept() {
    let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let server = Server::with(Settings { trusted_proxies, ..settings() }).await;
    let id = async |peer: &str, sent: &str| {
        let response = from(&server, peer, &[("x-request-id", sent)]).await;
        response.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(id("10.0.0.1:1", "0af7-65_19.x").await, "0af7-65_19.x");
    let long = "x".repeat(129);
    for (peer, sent) in
        [("192.0.2.1:1", "abc"), ("10.0.0.1:1", "a b"), ("10.0.0.1:1", ""), ("10.0.0.1:1", &long)]
    {
        assert!(id(peer, sent).await.starts_with("req_"), "{peer} {sent}");
    }
}

/// An agent that sends a first piece, and never ends.
struct Hangs;

impl Agent for Hangs {
    fn reply(&self, _: Vec<Message>) -> Reply {
        stream::once(async { Ok("Well".to_owned()) }).chain(stream::pending()).boxed()
    }
}

#[tokio::test]
async fn a_reply_that_the_client_leaves_is_cancelled() {
    let server = Server::new().await.with_agents(Agents::built_in().with("hangs", Hangs));
    let body = json!({ "name": "Docs", "type": "web_client", "defaultAgentId": "hangs",
        "config": { "type": "web_client", "webClient": { "allowedDomains": ["docs.example.com"] } } });
    let app = server.make_app(body).await;
    let bearer = format!("Bearer {}", server.token(&app).await);
    let headers = [
        ("authorization", &*bearer),
        ("x-inkeep-app-id", &app),
        ("origin", PAGE),
        ("content-type", "application/json"),
    ];
    let question = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    let response = server.handler.handle(request(Method::POST, "/run/api/chat", &headers, question)).await;
    let mut body = response.into_body();
    let mut events = String::new();
    while !events.contains("Well") {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        events += std::str::from_utf8(&frame).unwrap();
    }
    drop(body);
    let metrics = server.get("/metrics").await;
    for line in [
        "saltmine_agent_replies_total{agent=\"hangs\",outcome=\"cancelled\"} 1",
        "saltmine_agent_first_token_seconds_count{agent=\"hangs\"} 1",
    ] {
        assert!(metrics.text().lines().any(|found| found == line), "{line}\n{}", metrics.text());
    }
}

/// Returns the names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let is_part =
        |character: char| character.is_ascii_lowercase() || character == '_' || character.is_ascii_digit();
    let words = text.split(|character| !is_part(character)).filter(|word| word.starts_with("saltmine_"));
    let base = |word: &str| {
        let suffixes = ["_total", "_bucket", "_count", "_sum", "_info"];
        suffixes.iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word).to_owned()
    };
    words.map(base).collect()
}

/// The dashboard and the alert rules in `deploy/` name only metrics that exist.
#[tokio::test]
async fn dashboards_and_alerts_name_metrics_that_exist() {
    // One metric exists only with shared counters. Nothing listens there.
    let limits = LimitSettings { redis_url: Some("redis://127.0.0.1:9".into()), ..LimitSettings::default() };
    let server = Server::with(Settings { limits, ..settings() }).await;
    let app = server.web_client().await;
    Visitor::of(&server, &app).await.begin(&server, "hi").await;
    let metrics = server.get("/metrics").await;
    let described: BTreeSet<String> = metrics
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .map(|name| names(name).pop_last().unwrap())
        .collect();
    for line in [
        concat!("saltmine_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "saltmine_waiting_spends 0",
        "saltmine_pow_max_number 200",
        "saltmine_pow_v2_cost 5000",
        "saltmine_pow_v2_max_counter 800",
        "saltmine_draining 0",
        "saltmine_shared_counters_available 0",
    ] {
        assert!(metrics.text().lines().any(|found| found == line), "{line}\n{}", metrics.text());
    }
    assert!(metrics.text().contains("saltmine_database_connections{state=\"max\"}"));
    let deploy = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    for (file, at_least) in [("grafana-dashboard.json", 12), ("prometheus-alerts.yml", 7)] {
        let text = std::fs::read_to_string(deploy.join(file)).unwrap();
        let used = names(&text);
        assert!(used.len() >= at_least, "{file}: {used:?}");
        let unknown: Vec<_> = used.difference(&described).collect();
        assert!(unknown.is_empty(), "{file} names metrics that do not exist: {unknown:?}");
    }
    let dashboard = std::fs::read(deploy.join("grafana-dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_slice(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() >= 8);
}
