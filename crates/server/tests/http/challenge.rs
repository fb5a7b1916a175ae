use crate::support::{NOW, POW_SECRET, Server, hex, solve, without_proof_of_work};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_challenge_is_as_the_protocol_says() {
    let server = Server::new().await;
    let answer = server.get("/run/auth/pow/challenge").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("x-request-id").is_some());

    let challenge = answer.json();
    let members: Vec<_> = challenge.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["algorithm", "challenge", "maxnumber", "salt", "signature"]);
    assert_eq!(challenge["algorithm"], "SHA-256");
    assert_eq!(challenge["maxnumber"], 200);
    let salt = challenge["salt"].as_str().unwrap();
    let nonce = salt.strip_suffix(&format!("?expires={}&", NOW + 300)).unwrap();
    assert!(nonce.len() == 24 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit()), "{salt}");

    let mac = Hmac::<Sha256>::new_from_slice(POW_SECRET.as_bytes()).unwrap();
    let mac = mac.chain_update(challenge["challenge"].as_str().unwrap());
    assert_eq!(challenge["signature"], hex(&mac.finalize().into_bytes()));
    let number: u64 = solve(&challenge).number.parse().unwrap();
    assert!((1..=200).contains(&number));
}

#[tokio::test]
async fn no_two_challenges_are_the_same() {
    let server = Server::new().await;
    let first = server.get("/run/auth/pow/challenge").await.json();
    let second = server.get("/run/auth/pow/challenge").await.json();
    assert_ne!(first["salt"], second["salt"]);
    assert_ne!(first["challenge"], second["challenge"]);
}

#[tokio::test]
async fn without_proof_of_work_there_is_no_challenge() {
    let server = Server::with(without_proof_of_work()).await;
    server.get("/run/auth/pow/challenge").await.assert_problem(
        404,
        "not_found",
        "pow_disabled",
        "Proof of work is not enabled on this server: request the session without a solution.",
    );
}

#[tokio::test]
async fn without_random_numbers_there_is_no_challenge() {
    let server = Server::new().await;
    server.random.broken.store(true, Ordering::SeqCst);
    let answer = server.get("/run/auth/pow/challenge").await;
    assert_eq!(answer.status, 500);
    assert!(!answer.text().contains("dice"), "the cause is not told");
}
