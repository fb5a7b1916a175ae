//! Reading a challenge and writing a solution: what a client does.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use base64ct::{Base64, Encoding};
use proptest::prelude::*;
use saltmine_protocol::{
    Algorithm, Challenge, ChallengeError, DEFAULT_MAX_NUMBER, Field, MAX_NUMBER, RawChallenge,
};
use serde_json::Value;

fn raw() -> RawChallenge {
    RawChallenge {
        algorithm: Some("SHA-256".into()),
        challenge: Some("7cde6d48e0b44ce2201b89ce0676f2eeefbc8ebc83ee10cfbd22c1dceb5e9308".into()),
        max_number: Some(50_000.0),
        salt: Some("6e2b152aa3abcd942cde1a22?expires=1852755218&".into()),
        signature: Some("0fcd04f1d722f5e9f98f8dc2e16d840a78c45a9225b9997fe670492aca2f6d80".into()),
        expires_at_ms: None,
    }
}

fn parse(change: impl FnOnce(&mut RawChallenge)) -> Result<Challenge, ChallengeError> {
    let mut raw = raw();
    change(&mut raw);
    Challenge::parse(raw)
}

fn expires(salt: &str, expires_at_ms: Option<f64>) -> Option<u64> {
    let challenge = parse(|raw| {
        raw.salt = Some(salt.into());
        raw.expires_at_ms = expires_at_ms;
    });
    challenge.unwrap().expires_at_seconds()
}

#[test]
fn a_missing_member_is_named() {
    type Change = fn(&mut RawChallenge);
    let cases: [(Change, Field, &str); 4] = [
        (|raw| raw.algorithm = None, Field::Algorithm, "algorithm"),
        (|raw| raw.challenge = None, Field::Challenge, "challenge"),
        (|raw| raw.salt = None, Field::Salt, "salt"),
        (|raw| raw.signature = None, Field::Signature, "signature"),
    ];
    for (change, field, name) in cases {
        assert_eq!(parse(change), Err(ChallengeError::Malformed(field)));
        assert_eq!(field.name(), name);
    }
    assert_eq!(Field::MaxNumber.name(), "maxnumber");
}

#[test]
fn the_largest_number_may_be_absent_but_not_wrong() {
    assert_eq!(parse(|raw| raw.max_number = None).unwrap().max_number(), DEFAULT_MAX_NUMBER);
    for (given, read) in [(0.0, 0), (-0.0, 0), (1.0, 1), (MAX_NUMBER as f64, MAX_NUMBER)] {
        assert_eq!(parse(|raw| raw.max_number = Some(given)).unwrap().max_number(), read);
    }
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.5, 9_007_199_254_740_992.0, 1e300] {
        let result = parse(|raw| raw.max_number = Some(wrong));
        assert_eq!(result, Err(ChallengeError::Malformed(Field::MaxNumber)), "{wrong}");
    }
}

#[test]
fn algorithm_names_are_read_in_any_case_and_kept() {
    for (name, algorithm) in [
        ("SHA-1", Algorithm::Sha1),
        ("sha-256", Algorithm::Sha256),
        ("Sha-384", Algorithm::Sha384),
        ("sHA-512", Algorithm::Sha512),
    ] {
        let challenge = parse(|raw| {
            let hex = "aB".repeat(algorithm.digest_len());
            raw.algorithm = Some(name.into());
            raw.challenge = Some(hex.clone());
            raw.signature = Some(hex);
        })
        .unwrap();
        assert_eq!(challenge.algorithm(), algorithm);
        assert_eq!(challenge.algorithm_name(), name);
        assert_eq!(challenge.digest(), vec![0xab; algorithm.digest_len()]);
        assert!(algorithm.name().eq_ignore_ascii_case(name));
    }
    for name in ["", "SHA256", "SHA-224", "PBKDF2/SHA-256", " SHA-256", "ſha-256"] {
        assert_eq!(parse(|raw| raw.algorithm = Some(name.into())), Err(ChallengeError::UnknownAlgorithm));
    }
}

#[test]
fn the_salt_tells_when_the_challenge_ends() {
    assert_eq!(expires("00?expires=1790000000&", None), Some(1_790_000_000));
    assert_eq!(expires("00?edk=8&expires=1790000000", None), Some(1_790_000_000));
    assert_eq!(expires("00?expires=1790000000&", Some(1.0)), Some(1_790_000_000), "the salt is signed");
    assert_eq!(expires("00", Some(1_790_000_000_999.0)), Some(1_790_000_000), "milliseconds, rounded down");
    for salt in
        ["", "&", "expires=5&", "?xexpires=5&", "?expires&", "?expires=&", "?expires=-5&", "?expires=5e3&"]
    {
        assert_eq!(expires(salt, None), None, "{salt}");
    }
    for ms in [f64::NAN, -1.0, f64::INFINITY, 1e300] {
        assert_eq!(expires("", Some(ms)), None, "{ms}");
    }
}

#[test]
fn errors_can_be_read() {
    assert_eq!(
        ChallengeError::Malformed(Field::Salt).to_string(),
        "the challenge's `salt` is missing or malformed"
    );
    assert_eq!(ChallengeError::UnknownAlgorithm.to_string(), "the challenge's algorithm is unknown");
}

proptest! {
    #[test]
    fn hex_is_of_the_right_length_or_refused(text in "[0-9a-fA-F]{0,130}|\\PC{0,70}") {
        let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let challenge = parse(|raw| raw.challenge = Some(text.clone()));
        let signature = parse(|raw| raw.signature = Some(text.clone()));
        if is_hex {
            prop_assert!(challenge.is_ok_and(|challenge| challenge.challenge() == text));
            prop_assert!(signature.is_ok_and(|challenge| challenge.signature() == text));
        } else {
            prop_assert_eq!(challenge, Err(ChallengeError::Malformed(Field::Challenge)));
            prop_assert_eq!(signature, Err(ChallengeError::Malformed(Field::Signature)));
        }
    }

    #[test]
    fn hex_of_the_right_length_is_read_and_kept(text in "[0-9a-fA-F]{64}") {
        let challenge = parse(|raw| raw.challenge = Some(text.clone())).unwrap();
        prop_assert_eq!(challenge.challenge(), &text);
        let again: String = challenge.digest().iter().map(|byte| format!("{byte:02x}")).collect();
        prop_assert_eq!(again, text.to_lowercase());
    }

    /// Any salt at all comes back from the header as it went in, read by an independent JSON reader.
    #[test]
    fn a_header_says_what_was_received(salt in any::<String>(), number in 0..=MAX_NUMBER) {
        let challenge = parse(|raw| raw.salt = Some(salt.clone())).unwrap();
        let header = challenge.solution(number).to_header();
        prop_assert_eq!(&header, &challenge.solution(number).to_header());

        let json = Base64::decode_vec(&header).unwrap();
        prop_assert!(json.is_ascii());
        let document: Value = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(document, serde_json::json!({
            "algorithm": challenge.algorithm_name(),
            "challenge": challenge.challenge(),
            "number": number,
            "salt": salt,
            "signature": challenge.signature(),
        }));
    }

    #[test]
    fn any_salt_is_taken(salt in any::<String>()) {
        let challenge = parse(|raw| raw.salt = Some(salt.clone())).unwrap();
        prop_assert_eq!(challenge.salt(), salt);
    }
}

#[test]
fn a_header_is_compact_and_in_order() {
    let challenge = parse(|raw| raw.salt = Some("\"\\/\n\u{7f}é😀".into())).unwrap();
    let json = String::from_utf8(Base64::decode_vec(&challenge.solution(42).to_header()).unwrap()).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"algorithm":"SHA-256","challenge":"#,
            r#""7cde6d48e0b44ce2201b89ce0676f2eeefbc8ebc83ee10cfbd22c1dceb5e9308","number":42,"#,
            r#""salt":"\"\\/\u000a\u007f\u00e9\ud83d\ude00","#,
            r#""signature":"0fcd04f1d722f5e9f98f8dc2e16d840a78c45a9225b9997fe670492aca2f6d80"}"#,
        )
    );
}

#[test]
fn a_challenge_is_written_as_the_wire_has_it() {
    assert_eq!(
        serde_json::to_string(&Challenge::parse(raw()).unwrap()).unwrap(),
        concat!(
            r#"{"algorithm":"SHA-256","challenge":"#,
            r#""7cde6d48e0b44ce2201b89ce0676f2eeefbc8ebc83ee10cfbd22c1dceb5e9308","maxnumber":50000,"#,
            r#""salt":"6e2b152aa3abcd942cde1a22?expires=1852755218&","#,
            r#""signature":"0fcd04f1d722f5e9f98f8dc2e16d840a78c45a9225b9997fe670492aca2f6d80"}"#,
        )
    );
}
