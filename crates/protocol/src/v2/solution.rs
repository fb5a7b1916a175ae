use crate::{JsonObject, base64, decimal, hex, whole};
use alloc::string::String;

/// Writes the payload that solves a challenge: base64, with padding, of
/// `{"challenge":{"parameters":…,"signature":…},"solution":{"counter":…,"derivedKey":…,"time":…}}`.
///
/// `parameters` is the JSON text of the challenge's member, as [`member`](super::member) returns it; `time_ms` is the
/// duration of the search, in milliseconds.
#[must_use]
pub fn payload(
    parameters: &str,
    signature: Option<&str>,
    counter: u32,
    derived_key: &[u8],
    time_ms: Option<f64>,
) -> String {
    let mut challenge = JsonObject::new().raw("parameters", parameters);
    if let Some(signature) = signature {
        challenge = challenge.text("signature", signature);
    }
    let mut solution =
        JsonObject::new().number("counter", u64::from(counter)).text("derivedKey", &hex::encode(derived_key));
    if let Some(time_ms) = time_ms {
        solution = solution.raw("time", &one_decimal(time_ms));
    }
    let json =
        JsonObject::new().raw("challenge", &challenge.finish()).raw("solution", &solution.finish()).finish();
    base64::encode(json.as_bytes())
}

/// Writes the value of [`SOLUTION_HEADER`](crate::SOLUTION_HEADER) around a payload: base64 of `{"payload":"…"}`.
#[must_use]
pub fn wrapped_header(payload: &str) -> String {
    base64::encode(JsonObject::new().text("payload", payload).finish().as_bytes())
}

fn one_decimal(number: f64) -> String {
    let tenths = whole(number * 10.0 + 0.5);
    let mut text = String::new();
    decimal::push_canonical(&mut text, tenths / 10);
    text.push('.');
    decimal::push_canonical(&mut text, tenths % 10);
    text
}
