//! A solution is accepted only for the app, and from the network, that its challenge was issued for.

use crate::pow_v2::{proof_of_work, with};
use crate::support::{PAGE, Server, bare, request, solve, solve_v2};
use axum::extract::ConnectInfo;
use axum::http::Method;
use saltmine_server::{PowBinding, PowVersions, ProofOfWork};
use serde_json::Value;
use std::net::SocketAddr;

/// Sends a request from this address.
async fn send(server: &Server, from: &str, method: Method, path: &str, headers: &[(&str, &str)]) -> Value {
    let mut request = request(method, path, &[headers, &[("origin", PAGE)]].concat(), "");
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(from.parse().unwrap(), 4711)));
    server.send(request).await.json()
}

async fn solution(server: &Server, from: &str, app: &str) -> String {
    let path = format!("/run/auth/challenge?appId={app}");
    let challenge = send(server, from, Method::GET, &path, &[]).await;
    if challenge["parameters"].is_object() { bare(&solve_v2(&challenge)) } else { solve(&challenge).header() }
}

async fn offer(server: &Server, from: &str, app: &str, solution: &str) -> Value {
    let path = format!("/run/auth/apps/{app}/anonymous-session");
    let headers = [("x-inkeep-challenge-solution", solution)];
    let answer = send(server, from, Method::POST, &path, &headers).await;
    if answer["token"].is_string() { "accepted".into() } else { answer["reason"].clone() }
}

const HERE: &str = "192.0.2.7";

#[tokio::test]
async fn a_solution_for_one_app_is_worth_nothing_for_another() {
    for versions in [PowVersions::V1, PowVersions::V2] {
        let server = Server::with(with(ProofOfWork { versions, ..proof_of_work() })).await;
        let (app, other) = (server.web_client().await, server.web_client().await);
        let solution = solution(&server, HERE, &app).await;
        assert_eq!(offer(&server, HERE, &other, &solution).await, "pow_invalid");
        assert_eq!(offer(&server, HERE, &app, &solution).await, "accepted", "and it was not spent");
        assert_eq!(offer(&server, HERE, &other, &solution).await, "pow_invalid");
        // The network does not matter unless the binding includes it.
        let solution = self::solution(&server, HERE, &app).await;
        assert_eq!(offer(&server, "203.0.113.1", &app, &solution).await, "accepted");
        // Challenges of the older route are for any app.
        assert_eq!(offer(&server, HERE, &other, &server.solution().await).await, "accepted");
    }
}

#[tokio::test]
async fn a_challenge_can_be_bound_to_a_network() {
    for versions in [PowVersions::V1, PowVersions::V2] {
        let binding = PowBinding::AppAndAddress;
        let server = Server::with(with(ProofOfWork { versions, binding, ..proof_of_work() })).await;
        let app = server.web_client().await;
        for (here, neighbour, elsewhere) in [
            (HERE, "192.0.2.200", "192.0.3.7"),
            ("2001:db8:1:200::1", "2001:db8:1:2ff:3:4:5:6", "2001:db8:1:300::1"),
        ] {
            let solution = solution(&server, here, &app).await;
            assert_eq!(offer(&server, elsewhere, &app, &solution).await, "pow_invalid");
            assert_eq!(offer(&server, neighbour, &app, &solution).await, "accepted");
        }
    }
}

#[tokio::test]
async fn a_binding_can_be_turned_off_and_required() {
    let off = ProofOfWork { binding: PowBinding::Off, ..proof_of_work() };
    let off = Server::with(with(off)).await;
    let (app, other) = (off.web_client().await, off.web_client().await);
    assert_eq!(offer(&off, HERE, &other, &solution(&off, HERE, &app).await).await, "accepted");

    let required = off.another_with(with(ProofOfWork { is_binding_required: true, ..proof_of_work() })).await;
    assert_eq!(offer(&required, HERE, &app, &solution(&off, HERE, &app).await).await, "pow_invalid");
    assert_eq!(offer(&required, HERE, &app, &off.solution().await).await, "pow_invalid");
    let answer = required.get("/run/auth/pow/challenge").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["reason"]), (400, &"pow_app_required".into()));
    let bound = solution(&required, HERE, &app).await;
    assert_eq!(offer(&required, HERE, &other, &bound).await, "pow_invalid");
    // A bound challenge stays bound, also on a server that binds no new challenges.
    assert_eq!(offer(&off, HERE, &other, &bound).await, "pow_invalid");
    assert_eq!(offer(&required, HERE, &app, &bound).await, "accepted");
}
