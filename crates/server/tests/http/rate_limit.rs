use crate::support::{Answer, PAGE, Server, request, settings};
use axum::extract::ConnectInfo;
use axum::http::Method;
use saltmine_server::{RateLimit, Settings, sweep};
use std::net::SocketAddr;
use std::time::Duration;

async fn limited(per_second: u32, burst: u32) -> Server {
    let limit = RateLimit { per_second: per_second.try_into().unwrap(), burst: burst.try_into().unwrap() };
    Server::with(Settings { rate_limit: Some(limit), ..settings() }).await
}

async fn ask(server: &Server, address: &str, method: Method, path: &str) -> Answer {
    let mut request = request(method, path, &[("origin", PAGE)], "");
    let address = SocketAddr::new(address.parse().unwrap(), 1234);
    request.extensions_mut().insert(ConnectInfo(address));
    server.send(request).await
}

async fn challenge(server: &Server, address: &str) -> Answer {
    ask(server, address, Method::GET, "/run/auth/pow/challenge").await
}

#[tokio::test]
async fn who_asks_too_often_is_told_to_wait() {
    let server = limited(2, 3).await;
    for _ in 0..3 {
        assert_eq!(challenge(&server, "192.0.2.1").await.status, 200);
    }
    let refused = challenge(&server, "192.0.2.1").await;
    let detail = "Too many requests. Please try again in 1 s.";
    refused.assert_problem(429, "too_many_requests", "rate_limited", detail);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("access-control-allow-origin"), Some(PAGE), "the page can read it");

    server.clock.pass(Duration::from_secs(1));
    assert_eq!(challenge(&server, "192.0.2.1").await.status, 200, "who waits is let in");
    assert_eq!(challenge(&server, "192.0.2.1").await.status, 200);
    assert_eq!(challenge(&server, "192.0.2.1").await.status, 429);
}

#[tokio::test]
async fn addresses_are_counted_apart_and_routes_together() {
    let server = limited(1, 2).await;
    let session = "/run/auth/apps/app_unknown000000000/anonymous-session";
    assert_eq!(challenge(&server, "192.0.2.1").await.status, 200);
    assert_eq!(ask(&server, "192.0.2.1", Method::POST, session).await.status, 404);
    assert_eq!(ask(&server, "192.0.2.1", Method::POST, session).await.status, 429);
    assert_eq!(challenge(&server, "192.0.2.1").await.status, 429);
    assert_eq!(challenge(&server, "192.0.2.2").await.status, 200);
    assert_eq!(ask(&server, "192.0.2.1", Method::POST, "/run/api/chat").await.status, 401, "not limited");
    let headers = [("origin", PAGE), ("access-control-request-method", "POST")];
    let mut preflight = request(Method::OPTIONS, session, &headers, "");
    preflight.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1234))));
    assert_eq!(server.send(preflight).await.status, 200, "not limited");
}

/// Behind a trusted proxy each visitor is counted separately; the headers of other proxies are ignored.
#[tokio::test]
async fn a_forwarded_address_is_believed_from_a_trusted_proxy_alone() {
    let limit = RateLimit { per_second: 1.try_into().unwrap(), burst: 1.try_into().unwrap() };
    let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let server = Server::with(Settings { rate_limit: Some(limit), trusted_proxies, ..settings() }).await;
    let ask = async |peer: &str, forwarded: &str| {
        let path = "/run/auth/pow/challenge";
        let mut request = request(Method::GET, path, &[("x-forwarded-for", forwarded)], "");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1234)));
        server.send(request).await.status.as_u16()
    };
    assert_eq!(ask("10.0.0.1", "192.0.2.1").await, 200);
    assert_eq!(ask("10.0.0.1", "192.0.2.2").await, 200, "another visitor");
    assert_eq!(ask("10.0.0.2", "192.0.2.1").await, 429, "the same by another proxy");
    assert_eq!(ask("10.0.0.1", "198.51.100.9, 192.0.2.1").await, 429, "whatever the visitor wrote himself");
    assert_eq!(ask("203.0.113.5", "192.0.2.3").await, 200);
    assert_eq!(ask("203.0.113.5", "192.0.2.4").await, 429, "no proxy of ours");
}

#[tokio::test]
async fn a_long_wait_is_told_in_full() {
    let server = limited(1, 1).await;
    assert_eq!(challenge(&server, "2001:db8::1").await.status, 200);
    server.clock.pass(Duration::from_millis(1));
    let refused = challenge(&server, "2001:db8::2").await;
    assert_eq!(refused.header("retry-after"), Some("1"), "of the same /64, and rounded up");
}

#[tokio::test]
async fn quiet_addresses_are_forgotten() {
    let server = limited(10, 20).await;
    for number in 0..50 {
        challenge(&server, &format!("192.0.2.{number}")).await;
    }
    assert_eq!(server.state.limited_addresses(), 50);
    server.clock.pass(Duration::from_secs(10));
    challenge(&server, "198.51.100.1").await;
    sweep(&server.state).await.unwrap();
    assert_eq!(server.state.limited_addresses(), 1, "only the one that just asked");
}

#[tokio::test]
async fn without_a_limit_there_is_none() {
    let server = Server::new().await;
    for _ in 0..200 {
        assert_eq!(challenge(&server, "192.0.2.1").await.status, 200);
    }
}
