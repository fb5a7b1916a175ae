//! The server on a socket.

use crate::support::{Server, settings};
use futures_util::stream::{self, StreamExt};
use saltmine_server::{Agent, Agents, Message, Reply, Settings, serve};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(20);

async fn send(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// Returns the data that arrives until the server closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    timeout(LONG, stream.read_to_string(&mut answer)).await.expect("it is closed").unwrap();
    answer
}

/// A server on a socket, which runs until it receives a signal to stop.
struct Running {
    server: Server,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Running {
    async fn with(settings: Settings) -> Self {
        Self::start(Server::with(settings).await).await
    }

    async fn start(server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(serve(listener, server.state.clone(), async {
            let _ = stopped.await;
        }));
        Self { server, address, stop, ended }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        timeout(LONG, self.ended).await.expect("it ends").unwrap().unwrap();
    }
}

const GET: &str = "GET /healthz HTTP/1.1\r\nHost: test\r\n";

#[tokio::test]
async fn half_a_request_head_is_not_waited_for() {
    let head_timeout = Duration::from_millis(300);
    let running = Running::with(Settings { head_timeout, ..settings() }).await;
    let address = running.address;

    let get = "GET /run/auth/pow/challenge HTTP/1.1\r\nHost: test\r\n";
    for half in ["", "GET /run", get] {
        assert!(!rest(send(address, half).await).await.contains("200 OK"), "{half:?}");
    }
    // Nor after a complete request on the same connection.
    let answers = rest(send(address, &format!("{get}\r\n{get}")).await).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 1, "{answers}");

    // A body may take longer.
    let post = "POST /run/auth/apps/app_x/anonymous-session HTTP/1.1\r\nHost: test\r\nConnection: close\r\n";
    let mut slow = send(address, &format!("{post}Content-Length: 2\r\n\r\n{{")).await;
    tokio::time::sleep(head_timeout * 2).await;
    let _ = slow.write_all(b"}").await;
    assert!(rest(slow).await.starts_with("HTTP/1.1 404"));

    running.stop().await;
}

#[tokio::test]
async fn a_body_is_not_waited_for_for_ever() {
    let body_timeout = Duration::from_millis(300);
    let running = Running::with(Settings { body_timeout, ..settings() }).await;
    let app = running.server.web_client().await;
    let token = running.server.token(&app).await;
    let head = format!(
        "POST /run/api/chat HTTP/1.1\r\nHost: test\r\nConnection: close\r\nOrigin: {}\r\nX-Inkeep-App-Id: {app}\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        crate::support::PAGE
    );
    let answer = rest(send(running.address, &head).await).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body_timed_out"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_head_has_its_limit() {
    let running = Running::with(settings()).await;
    let head = |bytes: usize| format!("{GET}Connection: close\r\nX-Filler: {}\r\n\r\n", "x".repeat(bytes));
    assert!(rest(send(running.address, &head(8 * 1024)).await).await.starts_with("HTTP/1.1 200"));
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    // The response comes before the whole head has been sent.
    let _ = stream.write_all(head(64 * 1024).as_bytes()).await;
    let mut answer = [0; 12];
    timeout(LONG, stream.read_exact(&mut answer)).await.expect("it is answered").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");
    let many: String = (0..200).map(|number| format!("X-{number}: x\r\n")).collect();
    let answer = rest(send(running.address, &format!("{GET}{many}\r\n")).await).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    running.stop().await;
}

/// Hyper refuses the connection's data before there is a request, with a response that has only a status.
#[tokio::test]
async fn what_is_no_request_gets_a_status_and_no_more() {
    let running = Running::with(settings()).await;
    for nonsense in ["\x16\x03\x01\r\n\r\n", "GET /healthz\r\n\r\n", "GET / HTTP/1.1\r\nno header\r\n\r\n"] {
        let answer = rest(send(running.address, nonsense).await).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines: Vec<_> = head.lines().map(|line| line.split(':').next().unwrap()).collect();
        lines.sort_unstable();
        let expected = ["HTTP/1.1 400 Bad Request", "connection", "content-length", "date"];
        assert_eq!((lines.as_slice(), body), (&expected[..], ""), "{nonsense:?}");
    }
    assert!(!running.server.get("/metrics").await.text().contains("status=\"400\""), "nor is it counted");
    running.stop().await;
}

#[tokio::test]
async fn a_body_has_its_limit() {
    let running = Running::with(settings()).await;
    let post = "POST /manage/tenants/t/projects/p/apps HTTP/1.1\r\nHost: test\r\nConnection: close\r\n";
    let key = crate::support::MANAGEMENT_KEY;
    let json = format!("{post}Authorization: Bearer {key}\r\nContent-Type: application/json\r\n");
    let body = "x".repeat(70_000);
    let answer =
        rest(send(running.address, &format!("{json}Content-Length: 70000\r\n\r\n{body}")).await).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body_too_large"), "{answer}");
    running.stop().await;
}

/// The connections of one address are limited, and a waiting connection is accepted when another one ends.
#[tokio::test]
async fn connections_have_their_limits() {
    let few = Settings { max_connections_per_address: 2.try_into().unwrap(), ..settings() };
    let running = Running::with(few).await;
    let (first, _second) = (send(running.address, GET).await, send(running.address, GET).await);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut third = send(running.address, &format!("{GET}\r\n")).await;
    let mut answer = Vec::new();
    let closed = timeout(LONG, third.read_to_end(&mut answer)).await.expect("it is closed");
    assert!(closed.is_err() || answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    drop(first);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let close = format!("{GET}Connection: close\r\n\r\n");
    assert!(rest(send(running.address, &close).await).await.starts_with("HTTP/1.1 200"));
    assert!(running.server.get("/metrics").await.text().contains("saltmine_connections 1"));

    let all = Settings { max_connections: 2.try_into().unwrap(), ..settings() };
    let running = Running::with(all).await;
    let (first, _second) = (send(running.address, GET).await, send(running.address, GET).await);
    let waiting = tokio::spawn(rest(send(running.address, &close).await));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished(), "it waits");
    drop(first);
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 200"));
}

/// The server closes the connection of a client that does not read its responses.
#[tokio::test]
async fn an_answer_that_is_not_read_is_given_up() {
    // Longer than the limit of an unread response, so that this limit closes the connection.
    let head_timeout = LONG * 3;
    let write_timeout = Duration::from_millis(300);
    let running = Running::with(Settings { write_timeout, head_timeout, ..settings() }).await;
    // More than the system's buffers.
    let get = "GET /docs/http-api/swagger-ui-bundle.js HTTP/1.1\r\nHost: test\r\n\r\n".repeat(40);
    let deaf = send(running.address, &get).await;
    let connections = async || running.server.get("/metrics").await.text().contains("saltmine_connections 1");
    timeout(LONG, async {
        while !connections().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        while connections().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .expect("the connection is let go, though the client keeps it");
    drop(deaf);
    running.stop().await;
}

/// Starts a server whose agent never ends a reply, and which waits 200 ms for it when it stops.
async fn hanging() -> Running {
    let finish_time = Duration::from_millis(200);
    let server = Server::with(Settings { finish_time, ..settings() }).await;
    Running::start(server.with_agents(Agents::built_in().with(Agents::ECHO, Hangs))).await
}

/// Returns a chat request of a visitor, as bytes of HTTP.
fn chat(app: &str, token: &str, body: &str) -> String {
    let (page, length) = (crate::support::PAGE, body.len());
    format!(
        "POST /run/api/chat HTTP/1.1\r\nHost: test\r\nOrigin: {page}\r\nX-Inkeep-App-Id: {app}\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// Requests that do not finish in time are cut off, because an agent or the database hangs.
#[tokio::test]
async fn a_server_that_is_told_to_stop_stops() {
    let running = hanging().await;
    let app = running.server.web_client().await;
    let (token, solution) = (running.server.token(&app).await, running.server.solution().await);
    let (address, page) = (running.address, crate::support::PAGE);

    let body = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    let mut chat = send(address, &chat(&app, &token, body)).await;
    let mut begun = [0; 15];
    timeout(LONG, chat.read_exact(&mut begun)).await.expect("it begins").unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200 OK");

    let held = running.server.database.hold().await;
    let session = format!(
        "POST /run/auth/apps/{app}/anonymous-session HTTP/1.1\r\nHost: test\r\nOrigin: {page}\r\n\
         X-Inkeep-Challenge-Solution: {solution}\r\nContent-Length: 0\r\n\r\n"
    );
    let _session = send(address, &session).await;
    let connections = async || running.server.get("/metrics").await.text().contains("saltmine_connections 2");
    while !connections().await {
        tokio::task::yield_now().await;
    }
    running.stop().await;
    drop(held);
}

/// As if the visitor had stopped the reply.
#[tokio::test]
async fn a_reply_that_the_end_of_the_server_cuts_off_is_stored() {
    let running = hanging().await;
    let app = running.server.web_client().await;
    let token = running.server.token(&app).await;
    let address = running.address;
    let body = r#"{"messages":[{"role":"user","content":"hi"}],"conversationId":"talk"}"#;
    let mut chat = send(address, &chat(&app, &token, body)).await;
    let mut received = Vec::new();
    while !String::from_utf8_lossy(&received).contains("Well") {
        timeout(LONG, chat.read_buf(&mut received)).await.expect("it begins").unwrap();
    }
    let database = running.server.database.clone();
    running.stop().await;
    let stored = database.texts("SELECT content FROM messages ORDER BY position").await;
    assert_eq!(stored, ["hi", "Well"]);
}

/// An agent that begins a reply and never continues.
struct Hangs;

impl Agent for Hangs {
    fn reply(&self, _: Vec<Message>) -> Reply {
        stream::once(async { Ok("Well".to_owned()) }).chain(stream::pending()).boxed()
    }
}
