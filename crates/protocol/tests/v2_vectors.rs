//! The shared vectors of version 2: challenges, solutions and verification cases that `altcha-lib` 2.8.0 made.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod v2_support;

use base64ct::{Base64, Encoding};
use saltmine_protocol::v2::{self, HmacAlgorithm, Parameters, Secrets, canonical, member};
use saltmine_protocol::{Payload, Refusal, read_header};
use saltmine_solver::kdf::CounterMode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use v2_support::{derive, derive_with, document, raw_parameters, verify};

#[derive(Deserialize)]
struct Document {
    secrets: SecretTexts,
    vectors: Vec<Vector>,
    verification: Vec<Case>,
}

#[derive(Deserialize)]
struct SecretTexts {
    signature: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    name: String,
    counter_mode: String,
    hmac_algorithm: String,
    signed: bool,
    key_signed: bool,
    // One vector has a lone surrogate, which `Value` does not take.
    challenge: Box<RawValue>,
    canonical_parameters: String,
    password: String,
    solution: Value,
    payload: Option<String>,
    verified: Value,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    secrets: String,
    challenge: Box<RawValue>,
    solution: Box<RawValue>,
    result: Value,
}

const NOW: u64 = 1_790_000_000;

fn read() -> Document {
    serde_json::from_str(&document()).unwrap()
}

impl Document {
    fn secrets<'a>(&'a self, hmac: &str, with_key: bool) -> Secrets<'a> {
        Secrets {
            signature: self.secrets.signature.as_bytes(),
            key: with_key.then_some(self.secrets.key.as_bytes()),
            hmac: match hmac {
                "SHA-256" => HmacAlgorithm::Sha256,
                "SHA-384" => HmacAlgorithm::Sha384,
                "SHA-512" => HmacAlgorithm::Sha512,
                other => panic!("{other}"),
            },
        }
    }
}

impl Vector {
    fn parameters_json(&self) -> &str {
        member(self.challenge.get(), "parameters").unwrap()
    }

    fn signature(&self) -> Option<String> {
        member(self.challenge.get(), "signature").map(|json| serde_json::from_str(json).unwrap())
    }

    fn parameters(&self) -> Parameters {
        // The canonical JSON with the lone surrogate, which only `data` has, replaced.
        let json = self.canonical_parameters.replace("\\ud800", "");
        Parameters::parse(&raw_parameters(&serde_json::from_str(&json).unwrap())).unwrap()
    }

    fn key(&self) -> Vec<u8> {
        let hex = self.solution["derivedKey"].as_str().unwrap();
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn counter(&self) -> u32 {
        self.solution["counter"].as_u64().unwrap().try_into().unwrap()
    }
}

#[test]
fn there_are_as_many_as_the_document_says() {
    let document = read();
    assert_eq!((document.vectors.len(), document.verification.len()), (75, 17));
}

#[test]
fn canonical_json_and_signatures_agree() {
    let document = read();
    for vector in &document.vectors {
        assert_eq!(
            canonical(vector.parameters_json()).as_ref(),
            Some(&vector.canonical_parameters),
            "{}",
            vector.name
        );
        let secrets = document.secrets(&vector.hmac_algorithm, true);
        let signed = secrets.hmac.sign(secrets.signature, vector.canonical_parameters.as_bytes());
        assert_eq!(vector.signature(), vector.signed.then_some(signed), "{}", vector.name);
    }
}

#[test]
fn parameters_are_read_and_give_the_key_by_the_reference_kdf() {
    for vector in &read().vectors {
        let parameters = vector.parameters();
        let key = vector.key();
        assert_eq!(key.len(), parameters.key_length as usize, "{}", vector.name);
        let is_decimal = vector.counter_mode == "string";
        let mode = if is_decimal { CounterMode::Decimal } else { CounterMode::Uint32 };
        assert_eq!(derive_with(&parameters, mode, vector.counter()), key, "{}", vector.name);
        assert_eq!(is_decimal, vector.password.ends_with("31323334"), "{}", vector.name);
    }
}

/// The client's payload equals the widget's but for the order of the parameters, which JavaScript objects keep.
#[test]
fn payloads_hold_what_the_widget_sends() {
    let mut compared = 0;
    for vector in &read().vectors {
        let made = v2::payload(
            vector.parameters_json(),
            vector.signature().as_deref(),
            vector.counter(),
            &vector.key(),
            Some(12.34),
        );
        let made = Base64::decode_vec(&made).unwrap();
        assert!(made.is_ascii(), "{}", vector.name);
        let Some(expected) = &vector.payload else { continue };
        let expected = Base64::decode_vec(expected).unwrap();
        let Ok(expected) = serde_json::from_slice::<Value>(&expected) else { continue };
        assert_eq!(serde_json::from_slice::<Value>(&made).unwrap(), expected, "{}", vector.name);
        compared += 1;
    }
    assert!(compared >= 70, "{compared}");
}

/// A solution that the library accepts is accepted if its challenge expires, as all challenges of a server do; all
/// others are rejected.
#[test]
fn solutions_are_judged_as_the_library_judges_them() {
    let document = read();
    let mut accepted = 0;
    for vector in &document.vectors {
        for (with_key, results) in [(false, "signatureSecretOnly"), (true, "bothSecrets")] {
            let Some(verified) = vector.verified[results]["verified"].as_bool() else { continue };
            let secrets = document.secrets(&vector.hmac_algorithm, with_key);
            let payload = v2::payload(
                vector.parameters_json(),
                vector.signature().as_deref(),
                vector.counter(),
                &vector.key(),
                None,
            );
            // The payload itself and the header of newer widgets.
            for header in [payload.clone(), v2::wrapped_header(&payload)] {
                let Ok(Payload::V2(payload)) = read_header(&header) else { panic!("{}", vector.name) };
                assert_eq!(payload.needs_derivation(&secrets), !(vector.key_signed && with_key));
                let judged = payload.verify(
                    &secrets,
                    NOW,
                    |_| true,
                    |parameters, counter| {
                        assert!(!(with_key && vector.key_signed), "a key signature needs no derivation");
                        Some(derive(parameters, counter))
                    },
                );
                let expires_at = vector.parameters().expires_at;
                match judged {
                    Ok(judged) => {
                        assert!(verified, "{}", vector.name);
                        assert_eq!(Some(judged.expires_at_seconds as f64), expires_at.map(f64::ceil));
                        accepted += 1;
                    }
                    Err(refusal) => {
                        let expired = expires_at.is_some_and(|at| at <= NOW as f64);
                        let expected = if expired { Refusal::Expired } else { Refusal::Invalid };
                        assert_eq!(refusal, expected, "{}", vector.name);
                        assert!(!verified || expires_at.is_none() || expired, "{}", vector.name);
                    }
                }
            }
        }
    }
    assert!(accepted >= 20, "{accepted}");
}

#[test]
fn the_verification_cases_are_judged_as_the_library_judges_them() {
    let document = read();
    for case in &document.verification {
        let secrets = document.secrets("SHA-256", case.secrets == "signature and key");
        let json = format!(r#"{{"challenge":{},"solution":{}}}"#, case.challenge.get(), case.solution.get());
        let has_expiry = case.challenge.get().contains("expiresAt");
        let verified = case.result["verified"] == true;
        assert_eq!(verify(&secrets, &json, NOW).is_ok(), verified && has_expiry, "{}", case.name);
        if case.result["expired"] == true {
            assert_eq!(verify(&secrets, &json, NOW), Err(Refusal::Expired), "{}", case.name);
        }
    }
}
