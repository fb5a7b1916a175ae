use crate::mac::{ISSUED, digest, sign};
use crate::{Algorithm, Refusal, decimal, hex, salt};
use alloc::string::String;
use alloc::vec::Vec;
use base64ct::{Base64, Base64Unpadded, Encoding};
use serde::Deserialize;
use serde_json::value::RawValue;
use subtle::ConstantTimeEq;

/// The longest header that is looked into, in bytes. One that we ask for has about 400.
pub const MAX_HEADER_BYTES: usize = 4096;

/// A solution that holds. It is not spent yet: the caller stores `replay_key`, once, or refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The recomputed digest: the same for every spelling of the solution.
    pub replay_key: [u8; 32],
    /// When the challenge ends, in Unix seconds: until then the key must be remembered.
    pub expires_at_seconds: u64,
}

/// The header's JSON. Members that other clients add are passed over; one of these twice is refused.
#[derive(Deserialize)]
struct Document<'a> {
    algorithm: String,
    challenge: String,
    #[serde(borrow)]
    number: &'a RawValue,
    salt: String,
    signature: String,
}

/// Judges the value of [`SOLUTION_HEADER`](crate::SOLUTION_HEADER) at `now_seconds` (Unix time).
///
/// A solution may be spelled in many ways and is one all the same, see [`Verified::replay_key`].
///
/// ```
/// use saltmine_protocol::{Refusal, verify};
/// assert_eq!(verify(b"secret", "", 1_790_000_000), Err(Refusal::Required));
/// assert_eq!(verify(b"secret", "e30=", 1_790_000_000), Err(Refusal::Invalid));
/// ```
///
/// # Errors
///
/// [`Refusal::Expired`] only if the challenge was one of ours; before that it is [`Refusal::Invalid`].
pub fn verify(secret: &[u8], header: &str, now_seconds: u64) -> Result<Verified, Refusal> {
    if header.is_empty() {
        return Err(Refusal::Required);
    }
    if header.len() > MAX_HEADER_BYTES {
        return Err(Refusal::Invalid);
    }
    let json = decode(header).ok_or(Refusal::Invalid)?;
    let document = parse(&json).ok_or(Refusal::Invalid)?;
    let number = decimal::parse_canonical(document.number.get().as_bytes()).ok_or(Refusal::Invalid)?;
    let expires_at_seconds = salt::sealed_expires_at_seconds(&document.salt).ok_or(Refusal::Invalid)?;
    if Algorithm::from_name(&document.algorithm) != Some(ISSUED) {
        return Err(Refusal::Invalid);
    }

    let replay_key = digest(&document.salt, number);
    let challenge = hex::encode(&replay_key);
    let signature = sign(secret, &challenge);
    let authentic = document.challenge.as_bytes().ct_eq(challenge.as_bytes())
        & document.signature.as_bytes().ct_eq(signature.as_bytes());
    if !bool::from(authentic) {
        return Err(Refusal::Invalid);
    }
    if expires_at_seconds <= now_seconds {
        return Err(Refusal::Expired);
    }
    Ok(Verified { replay_key, expires_at_seconds })
}

/// Standard base64, its padding complete or left out.
fn decode(header: &str) -> Option<Vec<u8>> {
    let decoded =
        if header.ends_with('=') { Base64::decode_vec(header) } else { Base64Unpadded::decode_vec(header) };
    decoded.ok()
}

fn parse(json: &[u8]) -> Option<Document<'_>> {
    // Serde would also take an array of the members' values.
    json.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(json).ok())?
}
