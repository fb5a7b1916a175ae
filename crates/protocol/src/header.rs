//! The request header that carries a solution of either version.

use crate::{Refusal, base64, v2};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The longest header that is decoded, in bytes. Usual headers have 400 bytes (version 1) or 950 (version 2).
pub const MAX_HEADER_BYTES: usize = 4096;

/// A solution that is not verified yet, by its version of ALTCHA.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Base64 of the JSON of a solution of version 1, as [`v1::verify`](crate::v1::verify) takes it.
    V1(String),
    /// A solution of version 2.
    V2(Box<v2::Payload>),
}

/// The members that distinguish the versions. None of them may occur twice; others are ignored.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow)]
    payload: Option<Cow<'a, str>>,
    #[serde(borrow)]
    number: Option<&'a RawValue>,
    #[serde(borrow)]
    challenge: Option<&'a RawValue>,
    #[serde(borrow)]
    solution: Option<&'a RawValue>,
}

/// Reads the value of [`SOLUTION_HEADER`](crate::SOLUTION_HEADER), which is base64 of a solution, or base64 of
/// `{"payload":"…"}` around one.
///
/// ```
/// use saltmine_protocol::{Refusal, read_header};
/// assert_eq!(read_header("").unwrap_err(), Refusal::Required);
/// assert_eq!(read_header("e30=").unwrap_err(), Refusal::Invalid);
/// ```
///
/// # Errors
///
/// [`Refusal::Required`] for an empty header or `payload`, [`Refusal::Invalid`] for a header longer than
/// [`MAX_HEADER_BYTES`] and for a value that has the form of neither version.
pub fn read_header(header: &str) -> Result<Payload, Refusal> {
    if header.is_empty() {
        return Err(Refusal::Required);
    }
    if header.len() > MAX_HEADER_BYTES {
        return Err(Refusal::Invalid);
    }
    let outer = base64::decode(header).ok_or(Refusal::Invalid)?;
    let shape: Shape<'_> = object(&outer).ok_or(Refusal::Invalid)?;
    let payload = match shape.payload {
        None => by_shape(header, &shape),
        Some(inner) if inner.is_empty() => return Err(Refusal::Required),
        Some(inner) => by_inner_shape(&inner),
    };
    payload.ok_or(Refusal::Invalid)
}

/// Unwraps once only: a wrapper around a wrapper has the form of neither version.
fn by_inner_shape(payload: &str) -> Option<Payload> {
    by_shape(payload, &object(&base64::decode(payload)?)?)
}

fn by_shape(payload: &str, shape: &Shape<'_>) -> Option<Payload> {
    let challenge = shape.challenge?.get();
    if shape.number.is_some() && challenge.starts_with('"') {
        return Some(Payload::V1(payload.into()));
    }
    v2::Payload::from_members(challenge, shape.solution?.get()).map(|payload| Payload::V2(Box::new(payload)))
}

/// Reads a JSON object. Serde would also take an array of the members' values.
pub(crate) fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    json.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(json).ok())?
}
