//! The version of the proof of work of an app: of its challenges, and of accepted solutions.

use crate::pow_v2::{challenge, proof_of_work, with};
use crate::support::{APPS, Server, bare, solve, solve_v2, web_client};
use axum::http::Method;
use saltmine_server::{PowVersions, ProofOfWork};
use serde_json::{Value, json};

async fn app_of_version(server: &Server, version: Value) -> String {
    let config = json!({ "allowedDomains": ["docs.example.com"], "powVersion": version });
    server.make_app(web_client(config)).await
}

async fn offer(server: &Server, app: &str, solution: &str) -> Value {
    let answer = server.open_session(app, &[("x-inkeep-challenge-solution", solution)]).await;
    if answer.status == 200 { "accepted".into() } else { answer.json()["reason"].clone() }
}

fn version_of(challenge: &Value) -> u8 {
    if challenge["parameters"].is_object() { 2 } else { 1 }
}

fn header(challenge: &Value) -> String {
    if version_of(challenge) == 2 { bare(&solve_v2(challenge)) } else { solve(challenge).header() }
}

/// By default older clients still get version 1, and newer ones get version 2.
#[tokio::test]
async fn both_routes_work_by_default() {
    let server = Server::with(with(proof_of_work())).await;
    let app = server.web_client().await;
    assert_eq!(offer(&server, &app, &server.solution().await).await, "accepted");
    let challenge = challenge(&server, &app).await;
    assert_eq!(version_of(&challenge), 2);
    assert_eq!(offer(&server, &app, &header(&challenge)).await, "accepted");
}

#[tokio::test]
async fn an_app_takes_only_the_version_that_it_wants() {
    let server = Server::with(with(proof_of_work())).await;
    let (any, first, second) = (
        app_of_version(&server, Value::Null).await,
        app_of_version(&server, 1.into()).await,
        app_of_version(&server, 2.into()).await,
    );
    for (app, version) in [(&any, 2), (&first, 1), (&second, 2)] {
        assert_eq!(version_of(&challenge(&server, app).await), version);
    }
    // Unbound solutions of version 1, and challenges of one app that are not bound to it.
    let unbound = ProofOfWork { binding: saltmine_server::PowBinding::Off, ..proof_of_work() };
    let unbound = server.another_with(with(unbound)).await;
    for (app, accepted) in [(&any, [true, true]), (&first, [true, false]), (&second, [false, true])] {
        let solutions = [unbound.solution().await, header(&challenge(&unbound, &second).await)];
        for (solution, accepted) in solutions.iter().zip(accepted) {
            let expected = if accepted { "accepted" } else { "pow_invalid" };
            assert_eq!(offer(&server, app, solution).await, expected);
        }
    }
}

#[tokio::test]
async fn version_1_can_be_all_or_nothing() {
    let only = |versions| with(ProofOfWork { versions, ..proof_of_work() });
    let both = Server::with(with(proof_of_work())).await;
    let app = both.web_client().await;
    let (v1, v2) = (both.solution().await, header(&challenge(&both, &app).await));

    let first = both.another_with(only(PowVersions::V1)).await;
    assert_eq!(version_of(&challenge(&first, &app).await), 1);
    assert_eq!(offer(&first, &app, &v2).await, "pow_invalid");

    let second = both.another_with(only(PowVersions::V2Only)).await;
    assert_eq!(version_of(&challenge(&second, &app).await), 2);
    assert_eq!(offer(&second, &app, &v1).await, "pow_invalid");
    second.get("/run/auth/pow/challenge").await.assert_problem(
        400,
        "bad_request",
        "pow_app_required",
        "This server issues challenges only for an app: request them from /run/auth/challenge?appId={appId}.",
    );
    assert_eq!(offer(&second, &app, &v2).await, "accepted");
    assert_eq!(offer(&first, &app, &v1).await, "accepted", "no refusal spends a challenge");
}

#[tokio::test]
async fn the_version_is_a_setting_of_the_app() {
    let server = Server::with(with(proof_of_work())).await;
    let id = server.web_client().await;
    let path = format!("{APPS}/{id}");
    let change = |web_client: Value| json!({ "config": { "type": "web_client", "webClient": web_client } });
    for (sent, stored) in [
        (json!({}), Value::Null),
        (json!({ "powVersion": 2 }), 2.into()),
        (json!({ "allowedDomains": ["*"] }), 2.into()),
        (json!({ "powVersion": 1 }), 1.into()),
        (json!({ "powVersion": null }), Value::Null),
    ] {
        let answer = server.manage_at(Method::PATCH, &path, &change(sent.clone())).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["data"]["config"]["webClient"]["powVersion"], stored, "{sent}");
        let answer = server.manage_at(Method::GET, &path, &Value::Null).await;
        assert_eq!(answer.json()["data"]["config"]["webClient"]["powVersion"], stored, "{sent}");
    }
    for wrong in [json!(3), json!(0), json!("2"), json!(2.5)] {
        let answer = server.manage_at(Method::PATCH, &path, &change(json!({ "powVersion": wrong }))).await;
        assert_eq!(answer.status, 422, "{wrong}");
        assert_eq!(answer.json()["field"], "config.webClient.powVersion");
    }
}
