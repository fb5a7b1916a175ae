//! The server on a socket.

use crate::support::{Server, settings};
use saltmine_server::{Settings, serve};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(20);

async fn send(address: std::net::SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// What comes until the server closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    timeout(LONG, stream.read_to_string(&mut answer)).await.expect("it is closed").unwrap();
    answer
}

#[tokio::test]
async fn half_a_request_head_is_not_waited_for() {
    let head_timeout = Duration::from_millis(300);
    let server = Server::with(Settings { head_timeout, ..settings() }).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(serve(listener, server.state.clone(), async {
        let _ = stopped.await;
    }));

    let get = "GET /run/auth/pow/challenge HTTP/1.1\r\nHost: test\r\n";
    for half in ["", "GET /run", get] {
        assert!(!rest(send(address, half).await).await.contains("200 OK"), "{half:?}");
    }
    // Nor after a whole one on the same connection.
    let answers = rest(send(address, &format!("{get}\r\n{get}")).await).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 1, "{answers}");

    // A body may take longer.
    let post = "POST /run/auth/apps/app_x/anonymous-session HTTP/1.1\r\nHost: test\r\nConnection: close\r\n";
    let mut slow = send(address, &format!("{post}Content-Length: 2\r\n\r\n{{")).await;
    tokio::time::sleep(head_timeout * 2).await;
    let _ = slow.write_all(b"}").await;
    assert!(rest(slow).await.starts_with("HTTP/1.1 404"));

    stop.send(()).unwrap();
    timeout(LONG, running).await.expect("it ends").unwrap().unwrap();
}
