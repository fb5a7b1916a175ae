use super::mac::{ISSUED, digest, sign};
use super::{Algorithm, salt};
use crate::header::object;
use crate::{MAX_HEADER_BYTES, Refusal, Verified, base64, decimal, hex};
use alloc::string::String;
use serde::Deserialize;
use serde_json::value::RawValue;
use subtle::ConstantTimeEq;

/// The header's JSON. Members that other clients add are ignored; a repeated member of these is refused.
#[derive(Deserialize)]
struct Document<'a> {
    algorithm: String,
    challenge: String,
    #[serde(borrow)]
    number: &'a RawValue,
    salt: String,
    signature: String,
}

/// Verifies the value of [`SOLUTION_HEADER`](crate::SOLUTION_HEADER) at `now_seconds` (Unix time).
///
/// All spellings of a solution have one [`Verified::replay_key`], which is the recomputed digest.
///
/// ```
/// use saltmine_protocol::{Refusal, verify};
/// assert_eq!(verify(b"secret", "", 1_790_000_000), Err(Refusal::Required));
/// assert_eq!(verify(b"secret", "e30=", 1_790_000_000), Err(Refusal::Invalid));
/// ```
///
/// # Errors
///
/// [`Refusal::Expired`] only if this secret signed the challenge; otherwise [`Refusal::Invalid`].
pub fn verify(secret: &[u8], header: &str, now_seconds: u64) -> Result<Verified, Refusal> {
    if header.is_empty() {
        return Err(Refusal::Required);
    }
    if header.len() > MAX_HEADER_BYTES {
        return Err(Refusal::Invalid);
    }
    let json = base64::decode(header).ok_or(Refusal::Invalid)?;
    let document: Document<'_> = object(&json).ok_or(Refusal::Invalid)?;
    let number = decimal::parse_canonical(document.number.get().as_bytes()).ok_or(Refusal::Invalid)?;
    let expires_at_seconds = salt::sealed_expires_at_seconds(&document.salt).ok_or(Refusal::Invalid)?;
    let binding = salt::binding(&document.salt).ok_or(Refusal::Invalid)?;
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
    Ok(Verified { replay_key, expires_at_seconds, binding })
}
