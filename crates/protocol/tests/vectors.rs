//! The shared vectors: challenges that another implementation made.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod support;

use base64ct::{Base64, Encoding};
use saltmine_protocol::{Algorithm, Challenge, RawChallenge, Refusal, verify};
use serde_json::Value;
use support::{NOW, digest, sign};

fn vectors() -> (String, Vec<Value>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/altcha-v1.json");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let vectors = document["vectors"].as_array().unwrap().clone();
    (document["hmacKey"].as_str().unwrap().into(), vectors)
}

fn text(vector: &Value, member: &str) -> Option<String> {
    vector[member].as_str().map(Into::into)
}

fn parse(vector: &Value) -> Challenge {
    Challenge::parse(RawChallenge {
        algorithm: text(vector, "algorithm"),
        challenge: text(vector, "challenge"),
        max_number: vector["maxnumber"].as_f64(),
        salt: text(vector, "salt"),
        signature: text(vector, "signature"),
        expires_at_ms: None,
    })
    .unwrap_or_else(|error| panic!("{error}: {vector}"))
}

#[test]
fn every_challenge_is_read_and_every_solution_echoes_it() {
    let (_, vectors) = vectors();
    assert_eq!(vectors.len(), 256);
    for vector in &vectors {
        let challenge = parse(vector);
        assert_eq!(Some(challenge.salt()), vector["salt"].as_str());
        assert_eq!(challenge.digest().len(), challenge.algorithm().digest_len());
        assert_eq!(Some(challenge.max_number()), vector["maxnumber"].as_u64());
        let number = vector["number"].as_u64().unwrap_or(1);
        let json = Base64::decode_vec(&challenge.solution(number).to_header()).unwrap();
        let document: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(document["number"].as_u64(), Some(number));
        for member in ["algorithm", "challenge", "salt", "signature"] {
            assert_eq!(document[member], vector[member], "{member}");
        }
    }
}

/// The tests' own naive digests agree with the other implementation, in every algorithm.
#[test]
fn digests_and_signatures_agree() {
    let (key, vectors) = vectors();
    for vector in &vectors {
        let [algorithm, challenge] = ["algorithm", "challenge"].map(|member| text(vector, member).unwrap());
        assert_eq!(Some(sign(&algorithm, key.as_bytes(), &challenge)), text(vector, "signature"), "{vector}");
        if let Some(number) = vector["number"].as_u64() {
            let salt = text(vector, "salt").unwrap();
            assert_eq!(digest(&algorithm, &format!("{salt}{number}")), challenge, "{vector}");
        }
    }
}

/// Each solved vector is judged by the rules: SHA-256 and a sealed salt hold until they expire, the rest is refused.
#[test]
fn a_server_judges_every_solution() {
    let (key, vectors) = vectors();
    let (mut held, mut refused) = (0, 0);
    for vector in &vectors {
        let Some(number) = vector["number"].as_u64() else { continue };
        let challenge = parse(vector);
        let salt = challenge.salt().to_owned();
        let expires: Vec<u64> = salt
            .split_once('?')
            .map(|(_, parameters)| parameters.split('&').filter_map(|p| p.strip_prefix("expires=")))
            .into_iter()
            .flatten()
            .map(|value| value.parse().unwrap())
            .collect();
        let issued = challenge.algorithm() == Algorithm::Sha256 && salt.ends_with('&');
        let header = challenge.solution(number).to_header();
        match (issued, expires.as_slice()) {
            (true, [expires]) => {
                held += 1;
                let verified =
                    verify(key.as_bytes(), &header, expires - 1).unwrap_or_else(|e| panic!("{e}: {vector}"));
                assert_eq!(verified.expires_at_seconds, *expires);
                assert_eq!(Some(support::hex(verified.replay_key)), text(vector, "challenge"));
                assert_eq!(verify(key.as_bytes(), &header, *expires), Err(Refusal::Expired));
            }
            _ => {
                refused += 1;
                assert_eq!(verify(key.as_bytes(), &header, NOW), Err(Refusal::Invalid), "{vector}");
            }
        }
    }
    assert!(held > 10 && refused > 10, "both kinds are among the vectors: {held}, {refused}");
}
