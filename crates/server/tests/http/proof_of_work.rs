//! Solutions that the session route refuses. The details of the rules are tested in saltmine-protocol.

use crate::support::{Answer, Server, Solution, solve};
use base64ct::{Base64, Base64Unpadded, Encoding};
use std::time::Duration;

const REQUIRED: &str = "Proof-of-work challenge solution is required.";
const INVALID: &str = "Proof-of-work challenge solution is invalid.";
const EXPIRED: &str = "Proof-of-work challenge has expired. Please request a new challenge.";
const REPLAYED: &str = "Proof-of-work challenge solution has already been used.";

async fn solved(server: &Server) -> Solution {
    solve(&server.get("/run/auth/pow/challenge").await.json())
}

async fn offer(server: &Server, app: &str, header: &str) -> Answer {
    server.open_session(app, &[("x-inkeep-challenge-solution", header)]).await
}

#[tokio::test]
async fn a_solution_is_required() {
    let server = Server::new().await;
    let app = server.web_client().await;
    server.open_session(&app, &[]).await.assert_problem(400, "bad_request", "pow_required", REQUIRED);
    offer(&server, &app, "").await.assert_problem(400, "bad_request", "pow_required", REQUIRED);
}

#[tokio::test]
async fn a_wrong_solution_is_refused_and_spends_nothing() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let good = solved(&server).await;
    let number: u64 = good.number.parse().unwrap();
    let change = |change: fn(&mut Solution)| {
        let mut solution = good.clone();
        change(&mut solution);
        solution
    };
    let spoiled = [
        Solution { number: (number + 1).to_string(), ..good.clone() },
        Solution { number: format!("\"{number}\""), ..good.clone() },
        Solution { number: format!("{number}.0"), ..good.clone() },
        Solution { number: format!("{number}e0"), ..good.clone() },
        Solution { number: format!("0{number}"), ..good.clone() },
        Solution { number: format!("+{number}"), ..good.clone() },
        change(|solution| solution.number = "-0".into()),
        change(|solution| solution.number = "9007199254740992".into()),
        change(|solution| solution.algorithm = "SHA-512".into()),
        change(|solution| solution.signature = "0".repeat(64)),
        change(|solution| solution.challenge = "0".repeat(64)),
        change(|solution| solution.salt = solution.salt.replace("?expires=1", "?expires=2")),
        change(|solution| solution.salt.push('1')),
        change(|solution| {
            // CVE-2025-68113: a digit moves to another part.
            let digit = solution.number.remove(0);
            solution.salt.push(digit);
        }),
    ];
    for solution in &spoiled {
        let answer = offer(&server, &app, &solution.header()).await;
        answer.assert_problem(400, "bad_request", "pow_invalid", INVALID);
    }
    for header in ["{}", "e30=", "%%%", &good.json()] {
        offer(&server, &app, header).await.assert_problem(400, "bad_request", "pow_invalid", INVALID);
    }
    let padded = format!("{:<4096}", good.json());
    let too_long = Base64::encode_string(padded.as_bytes());
    offer(&server, &app, &too_long).await.assert_problem(400, "bad_request", "pow_invalid", INVALID);

    assert_eq!(offer(&server, &app, &good.header()).await.status, 200, "it is still good");
}

#[tokio::test]
async fn two_solutions_at_once_are_none() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let (first, second) = (server.solution().await, server.solution().await);
    let headers = [("x-inkeep-challenge-solution", &*first), ("x-inkeep-challenge-solution", &*second)];
    let answer = server.open_session(&app, &headers).await;
    answer.assert_problem(400, "bad_request", "pow_invalid", INVALID);
}

#[tokio::test]
async fn a_challenge_ends() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let (first, second) = (server.solution().await, server.solution().await);
    server.clock.pass(Duration::from_millis(299_999));
    assert_eq!(offer(&server, &app, &first).await.status, 200);
    server.clock.pass(Duration::from_millis(1));
    offer(&server, &app, &second).await.assert_problem(400, "bad_request", "pow_expired", EXPIRED);
}

#[tokio::test]
async fn another_servers_challenge_is_refused() {
    let ours = Server::new().await;
    let mut theirs = crate::support::settings();
    theirs.proof_of_work.as_mut().unwrap().secret = "the secret of quite another server".into();
    let theirs = Server::with(theirs).await;
    let app = ours.web_client().await;
    let solution = theirs.solution().await;
    offer(&ours, &app, &solution).await.assert_problem(400, "bad_request", "pow_invalid", INVALID);
}

/// White space, the order of members, additional ones, padding: a spent solution stays spent.
#[tokio::test]
async fn a_solution_is_good_once_however_it_is_written() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let other_app = server.web_client().await;
    let solution = solved(&server).await;
    assert_eq!(offer(&server, &app, &solution.header()).await.status, 200);

    let Solution { challenge, number, salt, signature, .. } = &solution;
    let json = solution.json();
    for spelling in [
        json.clone(),
        json.replace(',', " ,\n "),
        json.replace("SHA-256", "sha-256"),
        json.replace("\"number\"", "\"took\": 12, \"maxnumber\": 200, \"number\""),
        json.replace("?expires", "\\u003fexpires"),
        format!(
            r#"{{"signature":"{signature}","salt":"{salt}","number":{number},"challenge":"{challenge}","algorithm":"SHA-256"}}"#
        ),
    ] {
        for space in ["", " ", "  "] {
            let bytes = format!("{spelling}{space}").into_bytes();
            for header in [Base64::encode_string(&bytes), Base64Unpadded::encode_string(&bytes)] {
                let answer = offer(&server, &app, &header).await;
                answer.assert_problem(400, "bad_request", "pow_replayed", REPLAYED);
            }
        }
    }
    let answer = offer(&server, &other_app, &solution.header()).await;
    answer.assert_problem(400, "bad_request", "pow_replayed", REPLAYED);
}

/// A request that is refused for another reason does not spend its challenge.
#[tokio::test]
async fn a_request_that_is_refused_otherwise_keeps_its_solution() {
    let server = Server::new().await;
    let app = server.web_client().await;
    let solution = server.solution().await;
    let headers = [("x-inkeep-challenge-solution", &*solution), ("origin", "https://evil.com")];
    assert_eq!(server.open_session(&app, &headers).await.status, 403);
    assert_eq!(offer(&server, "app_unknown000000000", &solution).await.status, 404);
    assert_eq!(offer(&server, &app, &solution).await.status, 200);
}
