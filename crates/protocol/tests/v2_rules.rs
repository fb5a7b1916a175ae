//! Version 2 by properties: what is issued is accepted once solved, and anything changed is judged as a
//! reference implementation judges it.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod v2_support;

use base64ct::{Base64, Encoding};
use proptest::prelude::*;
use saltmine_protocol::v2::{
    Algorithm, Issued, Parameters, ParametersError, RawParameters, Secrets, Settings, canonical,
    issue_deterministic, issue_probabilistic, member, payload, wrapped_header,
};
use saltmine_protocol::{MAX_HEADER_BYTES, Payload, Refusal, read_header};
use serde_json::{Map, Value, json};
use std::convert::Infallible;
use v2_support::{SECRETS, accepts, derive, raw_parameters, verify};

const NOW: u64 = 1_790_000_000;

/// A small generator with a seed.
fn seeded(mut state: u64) -> impl FnMut(&mut [u8]) -> Result<(), Infallible> {
    move |bytes| {
        for byte in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
        Ok(())
    }
}

fn settings(algorithm: Algorithm) -> Settings {
    let (cost, memory_cost, key_length) = match algorithm {
        Algorithm::Scrypt => (4, 2, 32),
        Algorithm::Argon2id => (1, 16, 32),
        Algorithm::Sha384 | Algorithm::Pbkdf2Sha384 => (3, 0, 48),
        Algorithm::Sha512 | Algorithm::Pbkdf2Sha512 => (3, 0, 64),
        Algorithm::Sha256 | Algorithm::Pbkdf2Sha256 => (3, 0, 32),
    };
    Settings { algorithm, cost, memory_cost, parallelism: 2, key_length, ttl_seconds: 600 }
}

fn any_algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(Algorithm::ALL.as_slice())
}

fn deterministic(secrets: &Secrets<'_>, algorithm: Algorithm, last: u32, seed: u64) -> Issued {
    let derive = |parameters: &Parameters, counter| Ok(derive(parameters, counter));
    issue_deterministic(secrets, &settings(algorithm), &(3..=last), NOW, &mut seeded(seed), derive).unwrap()
}

/// Reads the challenge as a client does, and tries every counter.
fn solve(issued: &Issued) -> (u32, Vec<u8>) {
    let challenge = issued.to_json();
    let document: Value = serde_json::from_str(member(&challenge, "parameters").unwrap()).unwrap();
    let parameters = Parameters::parse(&raw_parameters(&document)).unwrap();
    assert_eq!(parameters, issued.parameters);
    let key = |counter| (counter, derive(&parameters, counter));
    (0..).map(key).find(|(_, key)| hex(key).starts_with(&parameters.key_prefix)).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The payload's JSON, of which a test changes a part.
fn document(issued: &Issued, counter: u32, key: &[u8]) -> Value {
    let text = payload(&issued.parameters_json, Some(&issued.signature), counter, key, Some(1.0));
    serde_json::from_slice(&Base64::decode_vec(&text).unwrap()).unwrap()
}

/// Section 7 of the protocol's description as it is written, in the order of its section 12.
fn reference_verify(secrets: &Secrets<'_>, payload: &Value, now: f64) -> Result<(), Refusal> {
    let parameters = &payload["challenge"]["parameters"];
    // Without one there would be no replay key.
    if !parameters["nonce"].is_string() {
        return Err(Refusal::Invalid);
    }
    // `serde_json` sorts names as bytes, which for ASCII is the order of UTF-16.
    let signature = secrets.hmac.sign(secrets.signature, parameters.to_string().as_bytes());
    if payload["challenge"]["signature"] != signature {
        return Err(Refusal::Invalid);
    }
    // A time before 1970, or one that JSON numbers cannot tell from the next, is none.
    let is_time = |at: &f64| (0.0..=9_007_199_254_740_991.0).contains(at);
    let expires_at = parameters["expiresAt"].as_f64().filter(is_time).ok_or(Refusal::Invalid)?;
    if expires_at <= now {
        return Err(Refusal::Expired);
    }
    let read = Parameters::parse(&raw_parameters(parameters)).map_err(|_| Refusal::Invalid)?;
    if !accepts(&read) {
        return Err(Refusal::Invalid);
    }
    let solution = &payload["solution"];
    let counter = solution["counter"].as_u64().and_then(|counter| u32::try_from(counter).ok());
    let counter = counter.ok_or(Refusal::Invalid)?;
    let key = solution["derivedKey"].as_str().ok_or(Refusal::Invalid)?;
    // Section 12 asks for both, whether there is a key signature or not.
    if key.len() != 2 * read.key_length as usize || !key.starts_with(&read.key_prefix) {
        return Err(Refusal::Invalid);
    }
    let is_right = match (parameters["keySignature"].as_str(), secrets.key) {
        (Some(signature), Some(secret)) => {
            let bytes: Option<Vec<u8>> = (0..key.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(key.get(at..at + 2)?, 16).ok())
                .collect();
            let bytes = bytes.ok_or(Refusal::Invalid)?;
            hex(&bytes) == key && secrets.hmac.sign(secret, &bytes) == signature
        }
        _ => hex(&derive(&read, counter)) == key,
    };
    if is_right { Ok(()) } else { Err(Refusal::Invalid) }
}

/// A change of one value of the payload. Some change nothing that matters.
fn change(payload: &mut Value, path: &str, value: &Value) {
    if let Some(place) = payload.pointer_mut(path) {
        *place = value.clone();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_issued_challenge_is_solved_and_accepted(algorithm in any_algorithm(), seed: u64, with_key: bool) {
        let secrets = Secrets { key: SECRETS.key.filter(|_| with_key), ..SECRETS };
        let issued = deterministic(&secrets, algorithm, 12, seed);
        prop_assert_eq!(issued.parameters_json.contains("keySignature"), with_key);
        prop_assert_eq!(canonical(&issued.parameters_json), Some(issued.parameters_json.clone()));
        let (counter, key) = solve(&issued);
        prop_assert!((3..=12).contains(&counter));
        prop_assert_eq!(issued.parameters.key_prefix.len(), key.len());

        let json = document(&issued, counter, &key).to_string();
        let verified = verify(&secrets, &json, NOW).unwrap();
        prop_assert_eq!(verified.expires_at_seconds, NOW + 600);
        prop_assert_eq!(verify(&secrets, &json, NOW + 599), Ok(verified));
        prop_assert_eq!(verify(&secrets, &json, NOW + 600), Err(Refusal::Expired));
        let other = Secrets { signature: b"another secret", ..secrets };
        prop_assert_eq!(verify(&other, &json, NOW + 600), Err(Refusal::Invalid));
        let other = Secrets { key: Some(b"another secret"), ..secrets };
        prop_assert_eq!(verify(&other, &json, NOW).is_ok(), !with_key);
    }

    #[test]
    fn a_probabilistic_challenge_has_one_replay_key(algorithm in any_algorithm(), seed: u64, digit in "[0-9A-F]") {
        let issued =
            issue_probabilistic(&SECRETS, &settings(algorithm), &digit, NOW, &mut seeded(seed)).unwrap();
        let (counter, key) = solve(&issued);
        let verified = verify(&SECRETS, &document(&issued, counter, &key).to_string(), NOW).unwrap();
        // Another solution of the same challenge.
        let solves = |counter: &u32| {
            hex(&derive(&issued.parameters, *counter)).starts_with(&issued.parameters.key_prefix)
        };
        let second = (counter + 1..).find(solves).unwrap();
        let json = document(&issued, second, &derive(&issued.parameters, second)).to_string();
        prop_assert_eq!(verify(&SECRETS, &json, NOW), Ok(verified));
        // A counter beside it is no solution, even with its own key.
        let wrong = (0..).find(|counter| !solves(counter)).unwrap();
        let json = document(&issued, wrong, &derive(&issued.parameters, wrong)).to_string();
        prop_assert_eq!(verify(&SECRETS, &json, NOW), Err(Refusal::Invalid));
    }

    #[test]
    fn a_changed_payload_is_judged_as_by_the_reference(
        seed: u64, with_key: bool, resign: bool, now in NOW - 5..NOW + 605,
        path in prop::sample::select(&[
            "/challenge/parameters/algorithm", "/challenge/parameters/cost", "/challenge/parameters/expiresAt",
            "/challenge/parameters/keyLength", "/challenge/parameters/keyPrefix", "/challenge/parameters/keySignature",
            "/challenge/parameters/nonce", "/challenge/parameters/salt", "/challenge/signature", "/solution/counter",
            "/solution/derivedKey", "/solution/time",
        ][..]),
        value in prop_oneof![
            Just(json!(null)), Just(json!(0)), Just(json!(5)), Just(json!(-1)), Just(json!(3.5)), Just(json!(1e300)),
            Just(json!("")), Just(json!("0")), Just(json!("00ff")), Just(json!("SHA-256")), Just(json!("AB")),
            Just(json!([])), Just(json!({"a": 1})), Just(json!(true)), Just(json!(NOW + 300)), Just(json!(4_294_967_296_u64)),
        ],
    ) {
        let secrets = Secrets { key: SECRETS.key.filter(|_| with_key), ..SECRETS };
        let issued = deterministic(&secrets, Algorithm::Pbkdf2Sha256, 6, seed);
        let (counter, key) = solve(&issued);
        let mut payload = document(&issued, counter, &key);
        change(&mut payload, path, &value);
        if resign && path != "/challenge/signature" {
            // As if the secret's owner had issued it, so that the later checks are reached.
            let parameters = payload["challenge"]["parameters"].to_string();
            if canonical(&parameters).as_deref() == Some(&*parameters) {
                let signature = secrets.hmac.sign(secrets.signature, parameters.as_bytes());
                payload["challenge"]["signature"] = signature.into();
            }
        }
        let judged = verify(&secrets, &payload.to_string(), now).map(|_| ());
        let expected = reference_verify(&secrets, &payload, now as f64);
        prop_assert_eq!(judged, expected, "{}", payload);
    }

    /// Members in any order, white space, and unknown members beside the parameters make no difference.
    #[test]
    fn spelling_makes_no_difference(seed: u64, order in Just((0..9).collect::<Vec<usize>>()).prop_shuffle(), space in "[ \t\n]{0,2}") {
        let issued = deterministic(&SECRETS, Algorithm::Sha256, 6, seed);
        let (counter, key) = solve(&issued);
        let expected = verify(&SECRETS, &document(&issued, counter, &key).to_string(), NOW).unwrap();
        let parameters: Map<String, Value> = serde_json::from_str(&issued.parameters_json).unwrap();
        let members: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{space}\"{name}\"{space}:{value}")).collect();
        let shuffled: Vec<&str> = order.iter().filter_map(|&at| members.get(at)).map(|text| &**text).collect();
        let json = format!(
            r#"{{"solution":{{"took":1,"counter":{counter}.0,"derivedKey":"{}"}},{space}"challenge":{{"codeChallenge":[],"parameters":{{{}}},"signature":"{}"}}}}"#,
            hex(&key), shuffled.join(","), issued.signature,
        );
        prop_assert_eq!(verify(&SECRETS, &json, NOW), Ok(expected));
    }

    /// Nothing that comes in the header makes it panic.
    #[test]
    fn any_header_is_judged(json in "\\PC{0,80}", header in "\\PC{0,80}") {
        _ = read_header(&header);
        _ = read_header(&Base64::encode_string(json.as_bytes()));
        let challenge = format!(r#"{{"challenge":{{"parameters":{{"nonce":"00",{json}}}}},"solution":{{}}}}"#);
        _ = verify(&SECRETS, &challenge, NOW);
        _ = member(&json, "a");
    }
}

#[test]
fn parameters_are_read_strictly() {
    let valid = json!({
        "algorithm": "SCRYPT", "nonce": "00ff", "salt": "", "cost": 16, "memoryCost": 8, "parallelism": null,
        "keyLength": null, "keyPrefix": "0aF", "expiresAt": 5.5, "data": {},
    });
    let parse = |value: &Value| Parameters::parse(&raw_parameters(value));
    let read = parse(&valid).unwrap();
    assert_eq!((read.key_length, read.parallelism, &*read.key_prefix), (32, 1, "0af"));
    assert_eq!((&*read.nonce, &*read.salt, read.expires_at), (&[0, 255][..], &[][..], Some(5.5)));
    for (member, wrong) in [
        ("nonce", json!([null, "", "0", "0g", 1])),
        ("salt", json!([null, "0", "zz"])),
        ("cost", json!([null, 0, -1, 1, 1.5, 3, 12, "16", 4_294_967_296_u64, 1e300])),
        ("memoryCost", json!([null, 0, 0.5, "8", 1_u64 << 30])),
        ("parallelism", json!([0, 1.5, "1", [], 1 << 28])),
        ("keyLength", json!([0, 1025, 31.5, "32"])),
        ("keyPrefix", json!([null, "", "zz", "0 ", 0, "0".repeat(65)])),
        ("expiresAt", json!([-1, 1e300, "5", true])),
    ] {
        for wrong in wrong.as_array().unwrap() {
            let mut changed = valid.clone();
            changed[member] = wrong.clone();
            let Err(ParametersError::Malformed(named)) = parse(&changed) else { panic!("{changed}") };
            assert!(
                named == member || (member == "parallelism" && named == "memoryCost"),
                "{changed}: {named}"
            );
        }
    }
    for name in ["scrypt", "SHA-1", "sha-256", "PBKDF2", ""] {
        let raw = RawParameters { algorithm: Some(name.into()), ..raw_parameters(&valid) };
        assert_eq!(Parameters::parse(&raw), Err(ParametersError::UnknownAlgorithm), "{name}");
    }
    let mut argon2id = valid.clone();
    for (member, value) in [("algorithm", "ARGON2ID"), ("salt", "0011223344556677"), ("keyPrefix", "0")] {
        argon2id[member] = value.into();
    }
    assert!(parse(&argon2id).is_ok());
    for (member, wrong) in
        [("salt", json!("00112233445566")), ("keyLength", json!(3)), ("memoryCost", json!(7))]
    {
        let mut changed = argon2id.clone();
        changed[member] = wrong;
        assert_eq!(parse(&changed), Err(ParametersError::Malformed(member)));
    }
    // A digest is never longer than it is, and neither is a prefix of it.
    let mut sha = valid.clone();
    for (member, value) in
        [("algorithm", json!("SHA-256")), ("keyLength", json!(64)), ("keyPrefix", json!("0".repeat(64)))]
    {
        sha[member] = value;
    }
    assert_eq!(parse(&sha).unwrap().key_length, 32);
    sha["keyPrefix"] = "0".repeat(65).into();
    assert_eq!(parse(&sha), Err(ParametersError::Malformed("keyPrefix")));
}

#[test]
fn settings_are_checked() {
    for algorithm in Algorithm::ALL {
        assert_eq!(settings(algorithm).check(), Ok(()));
        assert_eq!(
            Settings { cost: 0, ..settings(algorithm) }.check(),
            Err(ParametersError::Malformed("cost"))
        );
    }
    let scrypt = settings(Algorithm::Scrypt);
    assert_eq!(Settings { cost: 6, ..scrypt }.check(), Err(ParametersError::Malformed("cost")));
    let argon2id = settings(Algorithm::Argon2id);
    assert_eq!(
        Settings { parallelism: 3, ..argon2id }.check(),
        Err(ParametersError::Malformed("memoryCost"))
    );
    let sha = settings(Algorithm::Sha256);
    assert_eq!(Settings { key_length: 33, ..sha }.check(), Err(ParametersError::Malformed("keyLength")));
}

#[test]
fn the_header_s_shape_decides() {
    let header = |json: &str| Base64::encode_string(json.as_bytes());
    let issued = deterministic(&SECRETS, Algorithm::Sha256, 6, 1);
    let (counter, key) = solve(&issued);
    let v2 = payload(&issued.parameters_json, Some(&issued.signature), counter, &key, None);
    let v1 = header(r#"{"algorithm":"SHA-256","challenge":"ab","number":1,"salt":"c","signature":"d"}"#);
    for header in [&v2, &wrapped_header(&v2), v2.trim_end_matches('=')] {
        assert!(matches!(read_header(header), Ok(Payload::V2(_))), "{header}");
    }
    for text in [&v1, &wrapped_header(&v1)] {
        assert!(matches!(read_header(text), Ok(Payload::V1(inner)) if inner == v1), "{text}");
    }
    assert_eq!(read_header("").unwrap_err(), Refusal::Required);
    let long = "0".repeat(MAX_HEADER_BYTES + 4);
    for header in [
        &*wrapped_header(&wrapped_header(&v2)),
        "e30=",
        "!",
        &long,
        &header("[1]"),
        &header(r#"{"challenge":null,"solution":null,"test":true}"#),
        &header(r#"{"challenge":{"parameters":{"nonce":"00"}}}"#),
        &header(r#"{"challenge":{"parameters":[]},"solution":{}}"#),
        &header(r#"{"challenge":"a","solution":{}}"#),
        &header(r#"{"payload":5}"#),
    ] {
        assert_eq!(read_header(header).unwrap_err(), Refusal::Invalid, "{header}");
    }
}

/// `accepts` comes before any key is derived.
#[test]
fn parameters_that_are_not_accepted_derive_no_key() {
    let secrets = Secrets { key: None, ..SECRETS };
    let issued = deterministic(&secrets, Algorithm::Sha256, 6, 1);
    let (counter, key) = solve(&issued);
    let text = payload(&issued.parameters_json, Some(&issued.signature), counter, &key, None);
    let Ok(Payload::V2(payload)) = read_header(&text) else { panic!("{text}") };
    let mut asked = 0;
    let judged = payload.verify(
        &secrets,
        NOW,
        |parameters| {
            asked += 1;
            parameters.cost > 3
        },
        |_, _| panic!("no key is derived"),
    );
    assert_eq!((judged, asked), (Err(Refusal::Invalid), 1));
}

/// Every counter of the range comes up, none much more often than its share.
#[test]
fn counters_are_drawn_evenly() {
    let mut counts = [0; 7];
    for seed in 0..4000 {
        let derive = |_: &Parameters, counter: u32| {
            counts[counter as usize] += 1;
            Ok::<_, Infallible>(vec![0; 32])
        };
        let settings = settings(Algorithm::Sha256);
        issue_deterministic(&SECRETS, &settings, &(3..=6), NOW, &mut seeded(seed), derive).unwrap();
    }
    assert_eq!(counts[..3], [0; 3]);
    assert!(counts[3..].iter().all(|count| (900..1100).contains(count)), "{counts:?}");
}

#[test]
fn a_failing_generator_or_derivation_fails_the_issue() {
    let settings = settings(Algorithm::Sha256);
    let mut fails = |_: &mut [u8]| Err("no entropy");
    assert_eq!(issue_probabilistic(&SECRETS, &settings, "0", NOW, &mut fails), Err("no entropy"));
    let mut fills = |_: &mut [u8]| Ok(());
    let derive = |_: &Parameters, _| Err("no memory");
    assert_eq!(issue_deterministic(&SECRETS, &settings, &(0..=9), NOW, &mut fills, derive), Err("no memory"));
}
