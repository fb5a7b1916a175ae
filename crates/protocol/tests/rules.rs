//! Every rule of section 3 of the protocol as a property: of anything that breaks it, nothing is accepted.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod support;

use base64ct::{Base64, Base64Unpadded, Encoding};
use proptest::prelude::*;
use saltmine_protocol::{MAX_HEADER_BYTES, MAX_NUMBER, Refusal, Verified, verify};
use support::{NOW, Parts, SALT, SECRET};

fn judge(parts: &Parts) -> Result<Verified, Refusal> {
    verify(SECRET, &parts.header(), NOW)
}

/// Parameters of a salt that are neither an expiry nor a binding, which has tests of its own (`binding.rs`).
fn others() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[b-df-z]{1,4}=[a-z0-9]{0,6}", 0..4)
}

/// A salt with these parameters, sealed by its last `&`.
fn salt(random: &str, parameters: &[String]) -> String {
    format!("{random}?{}&", parameters.join("&"))
}

/// The same JSON object with its members in another order, and with white space between all tokens.
fn respell(parts: &Parts, order: &[usize], space: &str, more: &str) -> String {
    let Parts { algorithm, challenge, number, salt, signature } = parts;
    let members = [
        format!("\"algorithm\"{space}:{space}\"{algorithm}\""),
        format!("\"challenge\"{space}:{space}\"{challenge}\""),
        format!("\"number\"{space}:{space}{number}"),
        format!("\"salt\"{space}:{space}\"{salt}\""),
        format!("\"signature\"{space}:{space}\"{signature}\""),
        more.to_owned(),
    ];
    let members: Vec<_> = order.iter().map(|&at| &*members[at]).filter(|member| !member.is_empty()).collect();
    format!("{space}{{{space}{}{space}}}{space}", members.join(&format!("{space},{space}")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn one_expiry_anywhere_among_the_parameters_holds(
        random in "[0-9a-f]{24}", others in others(), at: prop::sample::Index, ahead in 1_u64..100_000, number in 0..=MAX_NUMBER,
    ) {
        let mut parameters = others;
        parameters.insert(at.index(parameters.len() + 1), format!("expires={}", NOW + ahead));
        let verified = judge(&Parts::honest(&salt(&random, &parameters), number));
        prop_assert_eq!(verified.map(|verified| verified.expires_at_seconds), Ok(NOW + ahead));
    }

    #[test]
    fn no_expiry_is_refused(random in "[0-9a-f]{24}", others in others(), number in 0..=MAX_NUMBER) {
        prop_assert_eq!(judge(&Parts::honest(&salt(&random, &others), number)), Err(Refusal::Invalid));
    }

    #[test]
    fn several_expiries_are_refused(
        random in "[0-9a-f]{24}", others in others(),
        places in prop::collection::vec((any::<prop::sample::Index>(), 0_u64..100_000), 2..4),
    ) {
        let mut parameters = others;
        for (at, ahead) in places {
            parameters.insert(at.index(parameters.len() + 1), format!("expires={}", NOW + ahead));
        }
        prop_assert_eq!(judge(&Parts::honest(&salt(&random, &parameters), 7)), Err(Refusal::Invalid));
    }

    #[test]
    fn a_salt_without_its_end_is_refused(
        random in "[0-9a-f]{24}", others in others(), end in "[^&]?|&[a-z0-9=]{1,8}|&[^&]", number in 0..=MAX_NUMBER,
    ) {
        let parameters = [others, vec![format!("expires={}", NOW + 300)]].concat();
        let sealed = salt(&random, &parameters);
        let unsealed = format!("{}{end}", sealed.strip_suffix('&').unwrap());
        prop_assert_eq!(judge(&Parts::honest(&unsealed, number)), Err(Refusal::Invalid));
    }

    #[test]
    fn an_expiry_holds_until_its_second(expires in 1_u64..4_000_000_000, now in 0_u64..4_000_000_000) {
        let parts = Parts::honest(&format!("00?expires={expires}&"), 7);
        for now in [now, expires - 1, expires] {
            let judged = verify(SECRET, &parts.header(), now);
            if now < expires {
                prop_assert_eq!(judged.map(|verified| verified.expires_at_seconds), Ok(expires));
            } else {
                prop_assert_eq!(judged, Err(Refusal::Expired));
            }
        }
    }

    #[test]
    fn any_other_algorithm_is_refused(
        name in "\\PC{0,12}|[sS\u{17f}][hH][aA][-_ ]?(1|224|256|384|512)? ?", other in "SHA-(1|384|512)",
    ) {
        let of_its_own = Parts::signed(&other, SALT, "7");
        prop_assert_eq!(judge(&of_its_own), Err(Refusal::Invalid));
        let of_ours = Parts { algorithm: other, ..Parts::honest(SALT, 7) };
        prop_assert_eq!(judge(&of_ours), Err(Refusal::Invalid));

        prop_assume!(!name.eq_ignore_ascii_case("SHA-256"));
        let parts = Parts { algorithm: name, ..Parts::honest(SALT, 7) };
        prop_assert_eq!(judge(&parts), Err(Refusal::Invalid));
    }

    #[test]
    fn the_algorithm_has_no_case(upper in prop::collection::vec(any::<bool>(), 7)) {
        let name: String = "sha-256"
            .chars()
            .zip(upper)
            .map(|(letter, upper)| if upper { letter.to_ascii_uppercase() } else { letter })
            .collect();
        let parts = Parts { algorithm: name, ..Parts::honest(SALT, 7) };
        prop_assert!(judge(&parts).is_ok());
    }

    #[test]
    fn one_changed_character_of_digest_or_signature_is_refused(
        of_signature: bool, at in prop_oneof![0_usize..64, Just(0), Just(63)], number in 0..=MAX_NUMBER,
        character in "[0-9a-fA-F]|\\PC",
    ) {
        let honest = Parts::honest(SALT, number);
        let text = if of_signature { &honest.signature } else { &honest.challenge };
        let (before, here, after) = (&text[..at], &text[at..=at], &text[at + 1..]);
        let other_case = here.to_ascii_uppercase();
        for changed in [
            format!("{before}{character}{after}"),
            format!("{before}{other_case}{after}"),
            format!("{before}{after}"),
            format!("{before}{character}{here}{after}"),
            format!("{text}{character}"),
        ] {
            if changed == *text {
                continue;
            }
            let mut parts = honest.clone();
            *(if of_signature { &mut parts.signature } else { &mut parts.challenge }) = changed;
            prop_assert_eq!(judge(&parts), Err(Refusal::Invalid), "{:?}", parts);
        }
    }

    #[test]
    fn another_secret_s_signature_is_refused(secret in prop::collection::vec(any::<u8>(), 32..48)) {
        prop_assume!(secret != SECRET);
        let mut parts = Parts::honest(SALT, 7);
        parts.signature = support::sign("SHA-256", &secret, &parts.challenge);
        prop_assert_eq!(judge(&parts), Err(Refusal::Invalid));
    }

    /// Not even a right solution is looked into, and whatever is over the limit is refused.
    #[test]
    fn a_header_over_the_limit_is_refused(over in 1_usize..64, byte in 32_u8..127) {
        let right = Parts::honest(SALT, 7).json();
        let padded = format!("{right:<width$}", width = MAX_HEADER_BYTES / 4 * 3 + 3 * over);
        prop_assert_eq!(verify(SECRET, &Base64::encode_string(padded.as_bytes()), NOW), Err(Refusal::Invalid));
        let any = String::from(char::from(byte)).repeat(MAX_HEADER_BYTES + over);
        prop_assert_eq!(verify(SECRET, &any, NOW), Err(Refusal::Invalid));
    }

    #[test]
    fn a_solution_has_one_replay_key(
        number in 0..=MAX_NUMBER,
        order in Just(vec![0_usize, 1, 2, 3, 4, 5]).prop_shuffle(),
        space in "[ \t\r\n]{0,3}",
        more in prop_oneof![Just(""), Just("\"took\":12.5"), Just("\"maxnumber\":50000"), Just("\"took\":{\"number\":1}")],
        padded: bool,
    ) {
        let parts = Parts::honest(SALT, number);
        let json = respell(&parts, &order, &space, more);
        let header = if padded {
            Base64::encode_string(json.as_bytes())
        } else {
            Base64Unpadded::encode_string(json.as_bytes())
        };
        prop_assert_eq!(verify(SECRET, &header, NOW), judge(&parts));
        prop_assert!(judge(&parts).is_ok());
    }
}
