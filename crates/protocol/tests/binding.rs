//! Challenges that are bound to an app and a network: both versions carry the binding where it is signed.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod support;
mod v2_support;

use base64ct::{Base64, Encoding};
use proptest::prelude::*;
use saltmine_protocol::v2::{Algorithm, Prepared, Settings, canonical, member, payload};
use saltmine_protocol::{
    Binding, Challenge, IssueParams, Payload, RawChallenge, Refusal, issue_bound, read_header, verify,
};
use std::convert::Infallible;
use support::{NOW, SECRET, digest, sign};
use v2_support::{SECRETS, derive};

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

fn bound(app: Option<&str>, address: Option<&str>) -> Binding {
    Binding { app: app.map(Into::into), address: address.map(Into::into) }
}

fn v1(binding: &Binding) -> Challenge {
    let params = IssueParams { max_number: 50, ttl_seconds: 300, now_seconds: NOW };
    issue_bound(SECRET, params, binding, &mut seeded(7)).unwrap()
}

/// The header of the solution, as a client that reads the challenge's JSON sends it.
fn v1_solution(challenge: &Challenge) -> String {
    let read = Challenge::parse(RawChallenge {
        algorithm: Some(challenge.algorithm_name().into()),
        challenge: Some(challenge.challenge().into()),
        max_number: Some(50.0),
        salt: Some(challenge.salt().into()),
        signature: Some(challenge.signature().into()),
        expires_at_ms: None,
    })
    .unwrap();
    assert_eq!(read.expires_at_seconds(), Some(NOW + 300), "a client finds the expiry");
    let matches = |number: &u64| digest("SHA-256", &format!("{}{number}", read.salt())) == read.challenge();
    read.solution((0..=50).find(matches).unwrap()).to_header()
}

/// A solution whose salt is chosen by the test, signed as the server signs.
fn v1_signed(salt: &str) -> String {
    let challenge = digest("SHA-256", &format!("{salt}7"));
    let signature = sign("SHA-256", SECRET, &challenge);
    let json = format!(
        r#"{{"algorithm":"SHA-256","challenge":"{challenge}","number":7,"salt":"{salt}","signature":"{signature}"}}"#
    );
    Base64::encode_string(json.as_bytes())
}

#[test]
fn version_1_has_it_in_the_salt() {
    let app = "app_0123456789abcdef";
    for (binding, parameters) in [
        (bound(None, None), ""),
        (bound(Some(app), None), "app=app_0123456789abcdef&"),
        (bound(None, Some("192.0.2.0/24")), "address=192.0.2.0/24&"),
        (bound(Some(app), Some("2001:db8::/56")), "address=2001:db8::/56&app=app_0123456789abcdef&"),
    ] {
        let challenge = v1(&binding);
        assert_eq!(&challenge.salt()[24..], format!("?{parameters}expires={}&", NOW + 300));
        assert_eq!(verify(SECRET, &v1_solution(&challenge), NOW).unwrap().binding, binding);
    }
}

#[test]
fn version_1_refuses_a_salt_that_is_bound_twice_or_to_nothing() {
    let expires = NOW + 300;
    let verified = |parameters: &str| {
        verify(SECRET, &v1_signed(&format!("ab?{parameters}expires={expires}&")), NOW).map(|it| it.binding)
    };
    assert_eq!(verified("app=a&"), Ok(bound(Some("a"), None)));
    assert_eq!(verified("application=a&Address=b&"), Ok(Binding::NONE));
    for parameters in
        ["app=a&app=a&", "app=a&app&", "app=&", "app&", "address=a&address=b&", "app=a%20b&", "app=ä&"]
    {
        assert_eq!(verified(parameters), Err(Refusal::Invalid), "{parameters}");
    }
}

fn settings() -> Settings {
    Settings {
        algorithm: Algorithm::Pbkdf2Sha256,
        cost: 2,
        memory_cost: 0,
        parallelism: 1,
        key_length: 32,
        ttl_seconds: 300,
    }
}

#[test]
fn version_2_has_it_in_the_signed_data() {
    for (binding, data) in [
        (bound(None, None), None),
        (bound(Some("app_1"), None), Some(r#"{"app":"app_1"}"#)),
        (bound(Some("app_1"), Some("192.0.2.0/24")), Some(r#"{"address":"192.0.2.0/24","app":"app_1"}"#)),
    ] {
        let mut counter = 0;
        let prepared = Prepared::new(&settings(), &(3..=9), &mut seeded(1), |parameters, drawn| {
            counter = drawn;
            Ok::<_, Infallible>(derive(parameters, drawn))
        });
        let prepared = prepared.unwrap();
        assert!(!format!("{prepared:?}").contains("key:"), "the key is the solution");
        let issued = prepared.sign(&SECRETS, NOW + 300, &binding);
        assert_eq!(canonical(&issued.parameters_json).as_deref(), Some(&*issued.parameters_json));
        assert_eq!(member(&issued.parameters_json, "data"), data);

        let key = derive(&issued.parameters, counter);
        let text = payload(&issued.parameters_json, Some(&issued.signature), counter, &key, None);
        let Ok(Payload::V2(payload)) = read_header(&text) else { panic!("{text}") };
        let verified = payload.verify(&SECRETS, NOW, |_| true, |_, _| panic!("no key is derived")).unwrap();
        assert_eq!((verified.binding, verified.expires_at_seconds), (binding, NOW + 300));
    }
}

/// Verifies a solution whose parameters have these data.
fn v2_with(data: &str) -> Result<Binding, Refusal> {
    let prepared = Prepared::new(&settings(), &(3..=3), &mut seeded(1), |parameters, counter| {
        Ok::<_, Infallible>(derive(parameters, counter))
    });
    let issued = prepared.unwrap().sign(&SECRETS, NOW + 300, &Binding::NONE);
    let key = derive(&issued.parameters, 3);
    let parameters = issued.parameters_json.replacen("{", &format!("{{\"data\":{data},"), 1);
    let signature = SECRETS.hmac.sign(SECRETS.signature, canonical(&parameters).unwrap().as_bytes());
    let text = payload(&parameters, Some(&signature), 3, &key, None);
    let Ok(Payload::V2(payload)) = read_header(&text) else { panic!("{text}") };
    payload.verify(&SECRETS, NOW, |_| true, |_, _| None).map(|verified| verified.binding)
}

#[test]
fn version_2_refuses_data_that_bind_to_something_else_than_a_name() {
    assert_eq!(v2_with(r#"{"app":"a","other":{"app":1}}"#), Ok(bound(Some("a"), None)));
    for unbound in ["{}", "null", "7", r#"["app"]"#, r#""app""#, r#"{"app":null,"address":null}"#] {
        assert_eq!(v2_with(unbound), Ok(Binding::NONE), "{unbound}");
    }
    for invalid in
        [r#"{"app":7}"#, r#"{"app":""}"#, r#"{"app":["a"]}"#, r#"{"app":"a b"}"#, r#"{"address":true}"#]
    {
        assert_eq!(v2_with(invalid), Err(Refusal::Invalid), "{invalid}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A changed character of the binding is a changed signature.
    #[test]
    fn a_binding_cannot_be_changed(at in 0_usize..20, seed: u64) {
        let binding = bound(Some("app_0123456789abcdef"), Some("192.0.2.0/24"));
        let change = |text: &str| {
            let start = text.find("app_").unwrap() + at;
            let other = if text.as_bytes()[start] == b'x' { "y" } else { "x" };
            format!("{}{other}{}", &text[..start], &text[start + 1..])
        };
        let header = v1_solution(&v1(&binding));
        let json = String::from_utf8(Base64::decode_vec(&header).unwrap()).unwrap();
        prop_assert!(verify(SECRET, &header, NOW).is_ok());
        prop_assert_eq!(verify(SECRET, &Base64::encode_string(change(&json).as_bytes()), NOW), Err(Refusal::Invalid));

        let prepared = Prepared::new(&settings(), &(0..=5), &mut seeded(seed), |parameters, counter| {
            Ok::<_, Infallible>(derive(parameters, counter))
        });
        let issued = prepared.unwrap().sign(&SECRETS, NOW + 300, &binding);
        let text = payload(&change(&issued.parameters_json), Some(&issued.signature), 0, &[0; 32], None);
        let Ok(Payload::V2(payload)) = read_header(&text) else { panic!("{text}") };
        prop_assert_eq!(payload.verify(&SECRETS, NOW, |_| true, |_, _| None), Err(Refusal::Invalid));
    }
}

#[test]
#[should_panic(expected = "cannot be bound to the app")]
fn a_name_that_would_need_an_escape_is_refused() {
    v1(&bound(Some("a&expires=1"), None));
}
