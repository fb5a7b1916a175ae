//! The difficulty of a challenge depends on the demand.

use crate::support::{PAGE, Server, request, settings};
use axum::extract::ConnectInfo;
use axum::http::Method;
use saltmine_server::{AdaptivePrice, LimitSettings, PowBinding, PriceCurve, ProofOfWork, Settings};
use std::net::SocketAddr;
use std::time::Duration;

fn curve(per_minute: u32, max_factor: u32) -> PriceCurve {
    PriceCurve { per_minute: per_minute.try_into().unwrap(), max_factor: max_factor.try_into().unwrap() }
}

async fn adaptive(prefix: PriceCurve, app: PriceCurve) -> Server {
    let half_life_seconds = 60.try_into().unwrap();
    let adaptive_price = Some(AdaptivePrice { prefix, app, half_life_seconds });
    Server::with(Settings {
        limits: LimitSettings { adaptive_price, ..LimitSettings::default() },
        ..settings()
    })
    .await
}

/// Returns the `maxnumber` of a challenge for an app, or for none.
async fn price(server: &Server, address: &str, app: Option<&str>) -> u64 {
    let path = match app {
        Some(app) => format!("/run/auth/challenge?appId={app}"),
        None => "/run/auth/pow/challenge".to_owned(),
    };
    let mut request = request(Method::GET, &path, &[("origin", PAGE)], "");
    let address = SocketAddr::new(address.parse().unwrap(), 1234);
    request.extensions_mut().insert(ConnectInfo(address));
    let answer = server.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["maxnumber"].as_u64().unwrap()
}

#[tokio::test]
async fn a_prefix_that_asks_often_pays_more_and_others_do_not() {
    let server = adaptive(curve(10, 8), curve(1_000_000, 8)).await;
    assert_eq!(price(&server, "192.0.2.1", None).await, 200);
    for number in 0..200 {
        price(&server, &format!("192.0.2.{number}"), None).await;
    }
    assert_eq!(price(&server, "192.0.2.77", None).await, 1600, "8 times, the upper bound");
    assert_eq!(price(&server, "192.0.3.1", None).await, 200, "another prefix");
    for number in 0..200 {
        price(&server, &format!("2001:db8:1:2{number:02x}::1"), None).await;
    }
    assert_eq!(price(&server, "2001:db8:1:2ff::1", None).await, 1600, "a /56");
    assert_eq!(price(&server, "2001:db8:1:300::1", None).await, 200);
}

#[tokio::test]
async fn the_price_falls_again() {
    let server = adaptive(curve(1, 1000), curve(1_000_000, 8)).await;
    for _ in 0..99 {
        price(&server, "192.0.2.1", None).await;
    }
    let high = price(&server, "192.0.2.1", None).await;
    assert!((13_000..14_500).contains(&high), "100 events are 69 a minute: {high}");
    server.clock.pass(Duration::from_secs(60));
    let half = price(&server, "192.0.2.1", None).await;
    assert!((6_500..7_500).contains(&half), "{half}");
    server.clock.pass(Duration::from_secs(20 * 60));
    assert_eq!(price(&server, "192.0.2.1", None).await, 200);
}

/// Requests from many networks at once. A challenge without an app is valid for each app.
#[tokio::test]
async fn an_app_that_is_asked_for_often_is_dearer_and_others_are_not() {
    let server = adaptive(curve(1_000_000, 8), curve(10, 4)).await;
    let (app, other) = (server.web_client().await, server.web_client().await);
    for number in 0..200 {
        price(&server, &format!("10.0.{number}.1"), Some(&app)).await;
    }
    assert_eq!(price(&server, "192.0.2.1", Some(&app)).await, 800);
    assert_eq!(price(&server, "192.0.2.1", Some(&other)).await, 200);
    assert_eq!(price(&server, "192.0.2.1", None).await, 800);
}

/// An attacker cannot avoid a higher difficulty with challenges that were requested earlier.
#[tokio::test]
async fn sessions_raise_the_price_too() {
    let server = adaptive(curve(1_000_000, 8), curve(10, 4)).await;
    let app = server.web_client().await;
    let mut solutions = Vec::new();
    for _ in 0..30 {
        solutions.push(server.solution().await);
    }
    server.clock.pass(Duration::from_secs(250));
    let before = price(&server, "192.0.2.1", Some(&app)).await;
    for solution in solutions {
        let answer = server.open_session(&app, &[("x-inkeep-challenge-solution", &solution)]).await;
        assert_eq!(answer.status, 200);
    }
    assert!(price(&server, "192.0.2.1", Some(&app)).await > before);
}

#[tokio::test]
async fn by_default_the_price_is_constant() {
    let server = Server::new().await;
    for _ in 0..300 {
        assert_eq!(price(&server, "192.0.2.1", None).await, 200);
    }
}

/// A challenge of a quiet app is one for the app under attack too.
#[tokio::test]
async fn without_binding_a_quiet_app_is_no_cheaper() {
    let settings = settings();
    let proof_of_work = settings.proof_of_work.map(|proof| ProofOfWork { binding: PowBinding::Off, ..proof });
    let half_life_seconds = 60.try_into().unwrap();
    let adaptive_price =
        Some(AdaptivePrice { prefix: curve(1_000_000, 8), app: curve(10, 4), half_life_seconds });
    let limits = LimitSettings { adaptive_price, ..LimitSettings::default() };
    let server = Server::with(Settings { proof_of_work, limits, ..crate::support::settings() }).await;
    let (app, other) = (server.web_client().await, server.web_client().await);
    for number in 0..200 {
        price(&server, &format!("10.0.{number}.1"), Some(&app)).await;
    }
    assert_eq!(price(&server, "192.0.2.1", Some(&app)).await, 800);
    assert_eq!(price(&server, "192.0.2.1", Some(&other)).await, 800);
}
