//! Challenges of version 2: their content, and the accepted solutions.

use crate::support::{NOW, PAGE, POW_SECRET, Server, bare, hex, request, settings, solve_v2};
use axum::http::Method;
use base64ct::{Base64, Encoding};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hmac::{Hmac, KeyInit, Mac};
use saltmine_protocol::v2::canonical;
use saltmine_server::{KeyAlgorithm, KeyDerivation, PowBinding, PowVersions, ProofOfWork, Secret, Settings};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::atomic::Ordering;
use std::time::Duration;

const INVALID: &str = "Proof-of-work challenge solution is invalid.";

/// Parameters that are quick to solve.
pub(crate) fn cheap() -> KeyDerivation {
    KeyDerivation { cost: 3, counters: 5..=40, ..KeyDerivation::default() }
}

/// Returns the settings of the tests, with version 2.
pub(crate) fn proof_of_work() -> ProofOfWork {
    ProofOfWork { versions: PowVersions::V2, key_derivation: cheap(), ..settings().proof_of_work.unwrap() }
}

pub(crate) fn with(proof_of_work: ProofOfWork) -> Settings {
    Settings { proof_of_work: Some(proof_of_work), ..settings() }
}

/// Requests a challenge from a page of the app.
pub(crate) async fn challenge(server: &Server, app: &str) -> Value {
    let path = format!("/run/auth/challenge?appId={app}");
    let answer = server.send(request(Method::GET, &path, &[("origin", PAGE)], "")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

/// A challenge with every member of a PBKDF2 challenge.
pub(crate) async fn any_challenge() -> Value {
    let binding = PowBinding::AppAndAddress;
    let server = Server::with(with(ProofOfWork { binding, ..proof_of_work() })).await;
    let app = server.web_client().await;
    challenge(&server, &app).await
}

async fn offer(server: &Server, app: &str, solution: &str) -> (u16, Value) {
    let answer = server.open_session(app, &[("x-inkeep-challenge-solution", solution)]).await;
    (answer.status.as_u16(), answer.json()["reason"].clone())
}

fn key(label: &str) -> String {
    mac(POW_SECRET, label)
}

fn mac(key: &str, text: &str) -> String {
    hex(&Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(text).finalize().into_bytes())
}

/// Signs parameters as the server does.
fn sign(parameters: &Value) -> Value {
    let text = canonical(&parameters.to_string()).unwrap();
    mac(&key("saltmine ALTCHA v2 signature"), &text).into()
}

#[tokio::test]
async fn a_challenge_is_as_the_protocol_says() {
    let server = Server::with(with(proof_of_work())).await;
    let app = server.web_client().await;
    let challenge = challenge(&server, &app).await;
    let parameters = challenge["parameters"].as_object().unwrap();
    assert_eq!(
        parameters.keys().collect::<Vec<_>>(),
        ["algorithm", "cost", "data", "expiresAt", "keyLength", "keyPrefix", "keySignature", "nonce", "salt"]
    );
    let hex_digits = |member: &str| {
        let text = parameters[member].as_str().unwrap();
        assert!(text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{member} {text}");
        text.len()
    };
    assert_eq!(["keyPrefix", "keySignature", "nonce", "salt"].map(hex_digits), [32, 64, 32, 32]);
    assert_eq!(
        (&parameters["algorithm"], &parameters["cost"], &parameters["keyLength"], &parameters["data"]),
        (&json!("PBKDF2/SHA-256"), &json!(3), &json!(32), &json!({ "app": app }))
    );
    assert_eq!(parameters["expiresAt"], NOW + 300);
    assert_eq!(challenge["signature"], sign(&challenge["parameters"]));
    let solution = solve_v2(&challenge);
    assert!((5..=40).contains(&solution["solution"]["counter"].as_u64().unwrap()));
}

#[tokio::test]
async fn a_solution_opens_one_session_in_either_form() {
    let server = Server::with(with(proof_of_work())).await;
    let app = server.web_client().await;
    let payload = bare(&solve_v2(&challenge(&server, &app).await));
    assert_eq!(offer(&server, &app, &payload).await.0, 200);
    let enveloped = Base64::encode_string(json!({ "payload": payload }).to_string().as_bytes());
    assert_eq!(offer(&server, &app, &enveloped).await, (400, "pow_replayed".into()));

    let payload = bare(&solve_v2(&challenge(&server, &app).await));
    let enveloped = Base64::encode_string(json!({ "payload": payload }).to_string().as_bytes());
    assert_eq!(offer(&server, &app, &enveloped).await.0, 200);
    assert_eq!(offer(&server, &app, &payload).await, (400, "pow_replayed".into()));
}

/// Another spelling, or another counter with the same key: the challenge is spent, not the text of the solution.
#[tokio::test]
async fn no_spelling_of_a_solution_is_accepted_twice() {
    let server = Server::with(with(proof_of_work())).await;
    let app = server.web_client().await;
    let solution = solve_v2(&challenge(&server, &app).await);
    assert_eq!(offer(&server, &app, &bare(&solution)).await.0, 200);
    let mut other_counter = solution.clone();
    other_counter["solution"]["counter"] = 7.into();
    let spaced = serde_json::to_string_pretty(&solution).unwrap();
    let cost = |text: &str| solution.to_string().replacen("\"cost\":3", &format!("\"cost\":{text}"), 1);
    for json in [other_counter.to_string(), spaced, cost("3.0"), cost("30e-1"), cost("7,\"cost\":3")] {
        let solution = Base64::encode_string(json.as_bytes());
        assert_eq!(offer(&server, &app, &solution).await, (400, "pow_replayed".into()), "{json}");
    }
}

#[tokio::test]
async fn a_wrong_solution_is_refused_and_spends_nothing() {
    let server = Server::with(with(proof_of_work())).await;
    let app = server.web_client().await;
    let good = solve_v2(&challenge(&server, &app).await);
    let key = good["solution"]["derivedKey"].as_str().unwrap().to_owned();
    let (parameters, solution) = ("/challenge/parameters", "/solution");
    let of_another = solve_v2(&challenge(&server, &app).await);
    let changes: Vec<(&str, &str, Value)> = vec![
        ("/challenge", "signature", Value::Null),
        ("/challenge", "signature", "".into()),
        ("/challenge", "signature", good["challenge"]["signature"].as_str().unwrap().to_uppercase().into()),
        ("/challenge", "signature", of_another["challenge"]["signature"].clone()),
        (parameters, "cost", 2.into()),
        (parameters, "expiresAt", (NOW + 301).into()),
        (parameters, "expiresAt", Value::Null),
        (parameters, "keyPrefix", "00".into()),
        (parameters, "nonce", of_another["challenge"]["parameters"]["nonce"].clone()),
        (parameters, "keySignature", Value::Null),
        (parameters, "more", 1.into()),
        (parameters, "data", json!({})),
        (solution, "counter", "7".into()),
        (solution, "counter", 7.5.into()),
        (solution, "counter", (-1).into()),
        (solution, "counter", 4_294_967_303_u64.into()),
        (solution, "derivedKey", key.to_uppercase().into()),
        (solution, "derivedKey", key[..32].into()),
        (solution, "derivedKey", format!("{key}00").into()),
        (solution, "derivedKey", format!("{}{}", &key[..32], "0".repeat(32)).into()),
        (solution, "derivedKey", of_another["solution"]["derivedKey"].clone()),
        (solution, "derivedKey", 12.into()),
        ("", "solution", Value::Null),
    ];
    for (place, member, value) in changes {
        let mut spoiled = good.clone();
        spoiled.pointer_mut(place).unwrap()[member] = value;
        let answer = server.open_session(&app, &[("x-inkeep-challenge-solution", &bare(&spoiled))]).await;
        answer.assert_problem(400, "bad_request", "pow_invalid", INVALID);
    }
    let test_mode = json!({ "challenge": null, "solution": null, "test": true });
    assert_eq!(offer(&server, &app, &bare(&test_mode)).await, (400, "pow_invalid".into()));
    assert_eq!(offer(&server, &app, &bare(&good)).await.0, 200);
}

/// The keys can also sign parameters that this server never issues: these are refused, and no key is derived.
#[tokio::test]
async fn signed_parameters_of_another_kind_are_refused() {
    let server = Server::with(with(proof_of_work())).await;
    let app = server.web_client().await;
    let good = solve_v2(&challenge(&server, &app).await);
    let signed = |change: &dyn Fn(&mut Value)| {
        let mut other = good.clone();
        change(&mut other["challenge"]["parameters"]);
        other["challenge"]["signature"] = sign(&other["challenge"]["parameters"]);
        bare(&other)
    };
    let without_key_signature = signed(&|it| _ = it.as_object_mut().unwrap().remove("keySignature"));
    let other_algorithm = signed(&|it| it["algorithm"] = "PBKDF2/SHA-512".into());
    let without_expiry = signed(&|it| _ = it.as_object_mut().unwrap().remove("expiresAt"));
    let for_a_number = signed(&|it| it["data"] = json!({ "app": 7 }));
    for solution in [without_key_signature, other_algorithm, without_expiry, for_a_number] {
        assert_eq!(offer(&server, &app, &solution).await, (400, "pow_invalid".into()));
    }
    // The signature is valid, so that the refusal has the specific reason.
    let ended = signed(&|it| it["expiresAt"] = NOW.into());
    assert_eq!(offer(&server, &app, &ended).await, (400, "pow_expired".into()));
    assert_eq!(offer(&server, &app, &signed(&|_| ())).await.0, 200);
}

#[tokio::test]
async fn a_challenge_that_has_expired_is_told_only_if_it_is_ours() {
    let server = Server::with(with(proof_of_work())).await;
    let app = server.web_client().await;
    let [first, mut second] = [challenge(&server, &app).await, challenge(&server, &app).await];
    let first = bare(&solve_v2(&first));
    second["signature"] = "0".repeat(64).into();
    server.clock.pass(Duration::from_secs(299));
    let last = bare(&solve_v2(&challenge(&server, &app).await));
    server.clock.pass(Duration::from_secs(1));
    assert_eq!(offer(&server, &app, &first).await, (400, "pow_expired".into()));
    assert_eq!(offer(&server, &app, &bare(&solve_v2(&second))).await, (400, "pow_invalid".into()));
    assert_eq!(offer(&server, &app, &last).await.0, 200, "made ahead or not, it is valid for 300 s");
}

#[tokio::test]
async fn the_second_secret_is_good_for_version_2_too() {
    let new = || Secret::from("another proof-of-work secret, which takes over");
    let before = Server::with(with(proof_of_work())).await;
    let app = before.web_client().await;
    let changed =
        |secret: Secret, second| with(ProofOfWork { secret, second_secret: second, ..proof_of_work() });
    let during = before.another_with(changed(new(), Some(POW_SECRET.into()))).await;
    let after = before.another_with(changed(new(), None)).await;
    let old = bare(&solve_v2(&challenge(&before, &app).await));
    let fresh = bare(&solve_v2(&challenge(&during, &app).await));
    assert_eq!(offer(&after, &app, &old).await, (400, "pow_invalid".into()));
    assert_eq!(offer(&before, &app, &fresh).await, (400, "pow_invalid".into()));
    assert_eq!(offer(&during, &app, &old).await.0, 200);
    assert_eq!(offer(&after, &app, &fresh).await.0, 200);
    assert_eq!(offer(&during, &app, &fresh).await, (400, "pow_replayed".into()));
}

#[tokio::test]
async fn every_algorithm_can_be_issued() {
    for (algorithm, cost, memory_cost) in [
        (KeyAlgorithm::Pbkdf2Sha256, 4, 0),
        (KeyAlgorithm::Sha256, 4, 0),
        (KeyAlgorithm::Scrypt, 4, 2),
        (KeyAlgorithm::Argon2id, 1, 16),
    ] {
        let key_derivation = KeyDerivation { algorithm, cost, memory_cost, counters: 2..=9 };
        let server = Server::with(with(ProofOfWork { key_derivation, ..proof_of_work() })).await;
        let app = server.web_client().await;
        let challenge = challenge(&server, &app).await;
        let parameters = &challenge["parameters"];
        assert_eq!(parameters["algorithm"], algorithm.name());
        let memory = json!([memory_cost, 1]);
        let expected = if memory_cost == 0 { json!([null, null]) } else { memory };
        assert_eq!(json!([parameters["memoryCost"], parameters["parallelism"]]), expected);
        assert_eq!(offer(&server, &app, &bare(&solve_v2(&challenge))).await.0, 200, "{algorithm:?}");
    }
}

#[tokio::test]
async fn without_random_numbers_there_is_no_challenge() {
    let server = Server::with(with(proof_of_work())).await;
    let app = server.web_client().await;
    server.random.broken.store(true, Ordering::SeqCst);
    let path = format!("/run/auth/challenge?appId={app}");
    let answer = server.send(request(Method::GET, &path, &[("origin", PAGE)], "")).await;
    assert_eq!(answer.status, 500);
    server.random.broken.store(false, Ordering::SeqCst);
    challenge(&server, &app).await;
}

/// Each challenge takes a key derivation: if too many requests wait, further ones are refused with `Retry-After`.
#[tokio::test]
async fn where_too_many_wait_for_a_challenge_the_next_is_refused() {
    let dear = KeyDerivation { cost: 1_000_000, ..cheap() };
    let server = Server::with(with(ProofOfWork { key_derivation: dear, ..proof_of_work() })).await;
    let app = server.web_client().await;
    let path = format!("/run/auth/challenge?appId={app}");
    let ask = |_| server.send(request(Method::GET, &path, &[("origin", PAGE)], ""));
    let mut answers: FuturesUnordered<_> = (0..300).map(ask).collect();
    let refused = loop {
        let answer = answers.next().await.unwrap();
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!((refused.status.as_u16(), &refused.json()["reason"]), (503, &"challenges_busy".into()));
    assert_eq!(refused.header("retry-after"), Some("2"));
    // Other requests still succeed.
    assert_eq!(server.get("/run/auth/pow/challenge").await.status, 200);
    assert!(server.get("/metrics").await.text().contains("saltmine_challenge_pool_refused_total "));
}
