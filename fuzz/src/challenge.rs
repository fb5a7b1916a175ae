//! The challenge's two readers: the protocol's, and the client's over what JavaScript hands it. Input: the JSON of a
//! challenge.
//!
//! They share the judgement and differ in the reading of numbers: what is no whole number, is negative or has 10^21 and
//! more is no number at all to the client. No such `maxnumber` is accepted by either; such an `expiresAt` (half a
//! millisecond, say) is passed over by the client, and rounded by the protocol.

use crate::body::Body;
use crate::naive;
use saltmine_client::failure::{Code, Failure};
use saltmine_client::flow::{Json as _, read_challenge};
use saltmine_protocol::{Algorithm, Challenge, ChallengeError, DEFAULT_MAX_NUMBER, MAX_NUMBER, RawChallenge};

/// Checks one case.
pub fn run(data: &[u8]) {
    let Some(body) = Body::read(data) else { return any_number(data) };
    let expected = judge(&body);
    let parsed = Challenge::parse(raw(&body));
    assert_eq!(parsed.as_ref().map(|_| ()), expected.as_ref().map(|_| ()));
    if let (Ok(challenge), Ok(expected)) = (&parsed, &expected) {
        is_as_received(challenge, &body);
        assert_eq!((challenge.max_number(), challenge.expires_at_seconds()), *expected);
    }

    for ceiling in [0, 50_000, DEFAULT_MAX_NUMBER, MAX_NUMBER] {
        let wanted = match &parsed {
            Ok(challenge) if challenge.max_number() > ceiling => Err(Code::MaxNumberTooLarge.into()),
            Ok(challenge) => Ok(challenge),
            Err(error) => Err(Failure::from(*error)),
        };
        assert_eq!(read_challenge(&body, ceiling).as_deref().map_err(Clone::clone), wanted);
    }
}

fn raw(body: &Body) -> RawChallenge {
    RawChallenge {
        algorithm: body.text("algorithm"),
        challenge: body.text("challenge"),
        max_number: body.number("maxnumber"),
        salt: body.text("salt"),
        signature: body.text("signature"),
        expires_at_ms: body.number("expiresAt"),
    }
}

/// `maxnumber` and the end in seconds of a challenge that must be taken, or why it must not be.
fn judge(body: &Body) -> Result<(u64, Option<u64>), ChallengeError> {
    use saltmine_protocol::Field::{Challenge, MaxNumber, Salt, Signature};
    let malformed = ChallengeError::Malformed;
    let name = body.text("algorithm").ok_or(malformed(saltmine_protocol::Field::Algorithm))?;
    let digits = match &*name.to_ascii_uppercase() {
        "SHA-1" => 40,
        "SHA-256" => 64,
        "SHA-384" => 96,
        "SHA-512" => 128,
        _ => return Err(ChallengeError::UnknownAlgorithm),
    };
    let is_digest = |text: &String| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    body.text("challenge").filter(is_digest).ok_or(malformed(Challenge))?;
    let max_number = body.number("maxnumber").unwrap_or(DEFAULT_MAX_NUMBER as f64);
    if max_number.is_nan() || max_number > MAX_NUMBER as f64 {
        return Err(malformed(MaxNumber));
    }
    let salt = body.text("salt").ok_or(malformed(Salt))?;
    body.text("signature").filter(is_digest).ok_or(malformed(Signature))?;
    let beside = body.number("expiresAt").filter(|ms| *ms <= MAX_NUMBER as f64).map(|ms| ms as u64 / 1000);
    let expires = naive::values(&salt, "expires").first().and_then(|text| naive::canonical(text));
    Ok((max_number as u64, expires.or(beside)))
}

/// Checks that the values that are hashed, compared and sent back are the received ones.
fn is_as_received(challenge: &Challenge, body: &Body) {
    let member = |name| body.text(name).expect("it was read");
    assert_eq!(challenge.algorithm_name(), member("algorithm"));
    assert_eq!(challenge.challenge(), member("challenge"));
    assert_eq!(challenge.salt(), member("salt"));
    assert_eq!(challenge.signature(), member("signature"));
    assert_eq!(naive::hex(challenge.digest()), member("challenge").to_ascii_lowercase());
    assert_eq!(Algorithm::from_name(challenge.algorithm_name()), Some(challenge.algorithm()));

    let written = serde_json::to_vec(challenge).expect("a challenge can be written");
    let again = Challenge::parse(raw(&Body::read(&written).expect("as an object"))).expect("and read again");
    assert_eq!(serde_json::to_vec(&again).ok(), Some(written));
}

/// A `maxnumber` of any bits, which JSON cannot spell.
fn any_number(data: &[u8]) {
    let Some((bits, _)) = data.split_first_chunk() else { return };
    let number = f64::from_bits(u64::from_le_bytes(*bits));
    let digest = Some("0".repeat(64));
    let parsed = Challenge::parse(RawChallenge {
        algorithm: Some("SHA-256".into()),
        challenge: digest.clone(),
        max_number: Some(number),
        salt: Some(String::new()),
        signature: digest,
        expires_at_ms: Some(number),
    });
    let whole = number >= 0.0 && number <= MAX_NUMBER as f64 && number.fract() == 0.0;
    assert_eq!(parsed.as_ref().map(Challenge::max_number).ok(), whole.then_some(number as u64));
    if let Ok(challenge) = parsed {
        assert_eq!(challenge.expires_at_seconds(), Some(number as u64 / 1000));
    }
}
