//! Drawing challenges.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod support;

use proptest::prelude::*;
use saltmine_protocol::{Challenge, IssueParams, Refusal, issue, verify};
use std::convert::Infallible;
use support::{NOW, SECRET, digest, sign};

/// A small generator with a seed: good enough to spread, and the same every time.
fn seeded(mut state: u64) -> impl FnMut(&mut [u8]) -> Result<(), Infallible> {
    move |bytes| {
        for byte in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
        Ok(())
    }
}

fn generate(max_number: u64, seed: u64) -> Challenge {
    let params = IssueParams { max_number, ttl_seconds: 300, now_seconds: NOW };
    issue(SECRET, params, &mut seeded(seed)).unwrap()
}

fn solve(challenge: &Challenge) -> Option<u64> {
    (0..=challenge.max_number())
        .find(|number| digest("SHA-256", &format!("{}{number}", challenge.salt())) == challenge.challenge())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_issued_challenge_can_be_solved_and_is_accepted(max in 1_u64..300, seed: u64) {
        let challenge = generate(max, seed);
        prop_assert_eq!(challenge.algorithm_name(), "SHA-256");
        prop_assert_eq!(challenge.max_number(), max);
        prop_assert_eq!(challenge.expires_at_seconds(), Some(NOW + 300));
        prop_assert_eq!(challenge.signature(), sign("SHA-256", SECRET, challenge.challenge()));
        let nonce = challenge.salt().strip_suffix(&format!("?expires={}&", NOW + 300)).unwrap();
        prop_assert!(nonce.len() == 24 && nonce.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));

        let number = solve(&challenge).unwrap();
        prop_assert!((1..=max).contains(&number));
        let header = challenge.solution(number).to_header();
        let verified = verify(SECRET, &header, NOW).unwrap();
        prop_assert_eq!(verified.expires_at_seconds, NOW + 300);
        prop_assert_eq!(verify(SECRET, &header, NOW + 300), Err(Refusal::Expired));
        prop_assert_eq!(verify(b"another secret", &header, NOW), Err(Refusal::Invalid));
    }
}

/// Every number occurs, none much more often than its share: of six thousand numbers in 1..=6, about a thousand each.
#[test]
fn numbers_are_evenly_distributed() {
    let mut counts = [0; 7];
    for seed in 0..6000 {
        counts[solve(&generate(6, seed)).unwrap() as usize] += 1;
    }
    assert_eq!(counts[0], 0);
    for count in &counts[1..] {
        assert!((850..1150).contains(count), "{counts:?}");
    }
}

#[test]
fn an_impossible_largest_number_is_taken_into_range() {
    assert_eq!(generate(0, 1).max_number(), 1);
    assert_eq!(generate(u64::MAX, 1).max_number(), saltmine_protocol::MAX_NUMBER);
}

#[test]
fn salts_differ() {
    let salts: std::collections::HashSet<_> =
        (0..1000).map(|seed| generate(1, seed).salt().to_owned()).collect();
    assert_eq!(salts.len(), 1000);
}

#[test]
fn a_failing_generator_fails_the_challenge() {
    let params = IssueParams { max_number: 1, ttl_seconds: 1, now_seconds: NOW };
    assert_eq!(issue(SECRET, params, &mut |_: &mut [u8]| Err("no entropy")), Err("no entropy"));
}
