//! The judge of `X-Inkeep-Challenge-Solution`, held against a naive one. Input: a letter, and what it stands for.
//!
//! | letter | the rest |
//! | --- | --- |
//! | `h` | a header |
//! | `j` | a header's JSON |
//! | `s` | the same, to be signed first as if this server had issued it, with any salt and anything for a number |
//! | `m` | changes to the header of a real solution |

use crate::naive;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use saltmine_protocol::{Challenge, MAX_HEADER_BYTES, RawChallenge, Refusal, Verified, verify};
use serde_json::{Value, json};

/// That of the vectors in `tests/vectors/altcha-v1.json`.
const SECRET: &[u8] = b"a-test-hmac-key-that-is-at-least-32-chars";
const NOW_SECONDS: u64 = 1_790_000_000;
const MEMBERS: [&str; 5] = ["algorithm", "challenge", "number", "salt", "signature"];

const REAL_SALT: &str = "0123456789abcdef01234567?expires=1790000300&";
const REAL_NUMBER: u64 = 31_415;

/// Checks one case.
pub fn run(data: &[u8]) {
    let Some((letter, rest)) = data.split_first() else { return };
    match letter % 4 {
        0 => drop(std::str::from_utf8(rest).map(judge)),
        2 => judge(&BASE64_STANDARD.encode(rest)),
        3 => drop(sign(rest).map(|json| judge(&BASE64_STANDARD.encode(json)))),
        _ => change(rest),
    }
}

/// Both judges say the same, and what holds can be written again.
fn judge(header: &str) {
    let expected = naive_verify(header);
    assert_eq!(
        verify(SECRET, header, NOW_SECONDS),
        expected.as_ref().map(|solution| solution.verified.clone()).map_err(|refusal| *refusal)
    );
    if let Ok(solution) = expected {
        let once = solution.header();
        // Where what was one byte is written as `\u007f` it may no longer fit.
        if once.len() <= MAX_HEADER_BYTES {
            assert_eq!(verify(SECRET, &once, NOW_SECONDS), Ok(solution.verified.clone()));
            assert_eq!(once, naive_verify(&once).expect("it is the same solution").header());
        }
    }
}

#[derive(Debug)]
struct Accepted {
    algorithm: String,
    challenge: String,
    number: u64,
    salt: String,
    signature: String,
    verified: Verified,
}

impl Accepted {
    /// As a client of ours sends it.
    fn header(&self) -> String {
        let challenge = Challenge::parse(RawChallenge {
            algorithm: Some(self.algorithm.clone()),
            challenge: Some(self.challenge.clone()),
            max_number: None,
            salt: Some(self.salt.clone()),
            signature: Some(self.signature.clone()),
            expires_at_ms: None,
        });
        challenge.expect("a client takes what a server signs").solution(self.number).to_header()
    }
}

fn naive_verify(header: &str) -> Result<Accepted, Refusal> {
    match header.len() {
        0 => return Err(Refusal::Required),
        1..=MAX_HEADER_BYTES => {}
        _ => return Err(Refusal::Invalid),
    }
    let accepted = naive_read(header).ok_or(Refusal::Invalid)?;
    let ended = accepted.verified.expires_at_seconds <= NOW_SECONDS;
    if ended { Err(Refusal::Expired) } else { Ok(accepted) }
}

/// Returns the solution of a challenge of this server, expired or not.
fn naive_read(header: &str) -> Option<Accepted> {
    // Complete padding, or none: one `=` of two is neither.
    let padding = header.len() - header.trim_end_matches('=').len();
    if padding != 0 && !header.len().is_multiple_of(4) {
        return None;
    }
    let any_padding = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let json = GeneralPurpose::new(&base64::alphabet::STANDARD, any_padding).decode(header).ok()?;
    let members = naive::members(&json, &MEMBERS)?;
    let text = |name: &str| naive::string(members.get(name));
    let (algorithm, challenge, salt, signature) =
        (text("algorithm")?, text("challenge")?, text("salt")?, text("signature")?);
    let spelled = members.get("number")?.get();
    let number = naive::canonical(spelled)?;
    let [expires] = naive::values(&salt, "expires")[..] else { return None };
    let expires_at_seconds = naive::canonical(expires)?;
    let replay_key = naive::sha256(&format!("{salt}{spelled}"));
    let holds = salt.ends_with('&')
        && algorithm.eq_ignore_ascii_case("SHA-256")
        && challenge == naive::hex(&replay_key)
        && signature == naive::hex(&naive::hmac(SECRET, challenge.as_bytes()));
    let verified = Verified { replay_key, expires_at_seconds, binding: naive::binding(&salt)? };
    holds.then_some(Accepted { algorithm, challenge, number, salt, signature, verified })
}

/// The document with the challenge and the signature that belong to its salt and its number, however that is written.
fn sign(json: &[u8]) -> Option<Vec<u8>> {
    let members = naive::members(json, &MEMBERS)?;
    let salt = naive::string(members.get("salt"))?;
    let number = members.get("number")?.get();
    // A careless server would hash the value of a string.
    let digits = naive::string(members.get("number")).unwrap_or_else(|| number.to_owned());
    let challenge = naive::hex(&naive::sha256(&format!("{salt}{digits}")));
    let algorithm = naive::string(members.get("algorithm")).unwrap_or_else(|| "SHA-256".into());
    let signature = naive::hex(&naive::hmac(SECRET, challenge.as_bytes()));
    let [algorithm, challenge, salt, signature] = [algorithm, challenge, salt, signature].map(Value::from);
    Some(format!(r#"{{"algorithm":{algorithm},"challenge":{challenge},"number":{number},"salt":{salt},"signature":{signature}}}"#).into_bytes())
}

/// Spoils the real solution: whatever is still accepted is that one.
fn change(changes: &[u8]) {
    let challenge = naive::hex(&naive::sha256(&format!("{REAL_SALT}{REAL_NUMBER}")));
    let signature = naive::hex(&naive::hmac(SECRET, challenge.as_bytes()));
    let real = json!({
        "algorithm": "SHA-256", "challenge": challenge, "number": REAL_NUMBER, "salt": REAL_SALT, "signature": signature,
    });
    let json = naive::changed(real.to_string().into_bytes(), changes);
    let header = BASE64_STANDARD.encode(json);
    judge(&header);
    if let Ok(accepted) = naive_verify(&header) {
        assert_eq!((&*accepted.salt, accepted.number), (REAL_SALT, REAL_NUMBER));
        assert_eq!((accepted.challenge, accepted.signature), (challenge, signature));
    }
}
