use super::client_address;
use crate::lock::lock;
use crate::suggestion::did_you_mean;
use crate::{AppState, Error};
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

/// When a client whose large body was refused may try again.
const RETRY_AFTER_SECONDS: u64 = 5;

/// The memory for all large bodies at the same time, in bytes.
const LARGE_BODIES_BYTES: usize = 64 << 20;

/// The part of it that one address may use.
const LARGE_BODIES_OF_ADDRESS: usize = 16 << 20;

/// The longest body that is accepted whatever other bodies take, in bytes.
const SHORT_BODY_BYTES: usize = 64 << 10;

/// A JSON body. An error names the invalid member.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Error> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(is_json) {
            return Err(Error::BodyNotJson);
        }
        let is_run_api = request.uri().path().starts_with("/run/");
        let (bytes, _reservation) = receive(request, state).await?;
        let bytes = if is_run_api { with_whole_characters(bytes) } else { bytes };
        // Serde would also accept an array of the members' values.
        let is_object = bytes.trim_ascii_start().starts_with(b"{");
        let no_object = || Error::field("body", "must be an object");
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            match error.inner().classify() {
                serde_json::error::Category::Data if !is_object => no_object(),
                serde_json::error::Category::Data => member_error(&path, &error.inner().to_string()),
                _ => Error::BodyMalformed(error.into_inner().to_string()),
            }
        })?;
        json.end().map_err(|error| Error::BodyMalformed(error.to_string()))?;
        if is_object { Ok(Self(value)) } else { Err(no_object()) }
    }
}

/// The memory for large bodies of requests. A client may send them slowly on many connections: beyond this memory, large
/// bodies are refused, and the short ones of usual messages are accepted.
#[derive(Clone, Default)]
pub(crate) struct BodyMemory(Arc<Mutex<BodyBytes>>);

/// The bytes of large bodies that are being received or read.
#[derive(Default)]
struct BodyBytes {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The part of the memory that one body takes, until it is dropped.
struct Reservation {
    memory: BodyMemory,
    address: IpAddr,
    received: usize,
    reserved: usize,
    is_refused: bool,
}

impl Reservation {
    /// Adds received bytes. Returns whether there is memory for them.
    fn add(&mut self, bytes: usize) -> bool {
        self.received += bytes;
        if self.received <= SHORT_BODY_BYTES {
            return true;
        }
        let mut all = lock(&self.memory.0);
        let of_address = all.by_address.entry(self.address).or_default();
        // Also the bytes before: the body is in one piece in the end.
        let more = self.received - self.reserved;
        if *of_address + more > LARGE_BODIES_OF_ADDRESS {
            self.is_refused = true;
            return false;
        }
        *of_address += more;
        all.total += more;
        self.reserved += more;
        self.is_refused = all.total > LARGE_BODIES_BYTES;
        !self.is_refused
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.reserved == 0 {
            return;
        }
        let mut all = lock(&self.memory.0);
        all.total -= self.reserved;
        if let Some(of_address) = all.by_address.get_mut(&self.address) {
            *of_address -= self.reserved;
            if *of_address == 0 {
                all.by_address.remove(&self.address);
            }
        }
    }
}

/// Receives a body, and keeps the memory for it reserved until the reservation is dropped.
async fn receive(request: Request, state: &AppState) -> Result<(Bytes, Arc<Mutex<Reservation>>), Error> {
    let (parts, body) = request.into_parts();
    let address = super::key(client_address::of(state, &parts.headers, &parts.extensions));
    let memory = state.body_memory.clone();
    let reservation = Reservation { memory, address, received: 0, reserved: 0, is_refused: false };
    let reservation = Arc::new(Mutex::new(reservation));
    let counting = reservation.clone();
    let counted = body.into_data_stream().map(move |chunk| {
        let chunk = chunk.map_err(std::io::Error::other)?;
        let has_memory = lock(&counting).add(chunk.len());
        has_memory.then_some(chunk).ok_or_else(|| std::io::Error::from(std::io::ErrorKind::OutOfMemory))
    });
    // With the limit of the route.
    let bytes = Bytes::from_request(Request::from_parts(parts, Body::from_stream(counted)), state);
    let bytes = tokio::time::timeout(state.settings.body_timeout, bytes).await;
    if lock(&reservation).is_refused {
        return Err(Error::BodiesBusy { retry_after_seconds: RETRY_AFTER_SECONDS });
    }
    let bytes = bytes.map_err(|_| Error::BodyTimedOut)?.map_err(|rejection| {
        match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => Error::BodyTooLarge,
            _ => Error::BodyMalformed("the connection ended too early".to_owned()),
        }
    })?;
    Ok((bytes, reservation))
}

/// Replaces escapes of half a character by U+FFFD, as encoders of UTF-8 do. JavaScript writes them for a text that was
/// cut within an emoji, and serde rejects them.
fn with_whole_characters(bytes: Bytes) -> Bytes {
    let code = |at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut halves = Vec::new();
    let mut at = 0;
    while let Some(next) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += next;
        at += match code(at) {
            Some(0xd800..0xdc00) if matches!(code(at + 6), Some(0xdc00..0xe000)) => 12,
            Some(0xd800..0xe000) => {
                halves.push(at + 2);
                6
            }
            // Any other escape, such as that of a backslash.
            _ => 2,
        };
    }
    if halves.is_empty() {
        return bytes;
    }
    let mut whole = bytes.to_vec();
    for half in halves {
        whole[half..half + 4].copy_from_slice(b"fffd");
    }
    whole.into()
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Returns the error for the member at `path`, from the message of serde.
fn member_error(path: &str, text: &str) -> Error {
    // The position in the text is removed: it does not help a program that builds the body.
    let problem = text.rsplit_once(" at line ").map_or(text, |(problem, _)| problem);
    if let Some(error) = unknown_member(path, problem) {
        return error;
    }
    let missing = problem.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match (path, missing) {
        (".", None) => Error::field("body", problem),
        (_, None) => Error::field(path, problem),
        (".", Some(member)) => Error::field(member, "is required"),
        (_, Some(member)) => Error::field(format!("{path}.{member}"), "is required"),
    }
}

/// Returns the error for an unknown member of a management body, with the member that was probably meant.
fn unknown_member(path: &str, problem: &str) -> Option<Error> {
    let (name, expected) = problem.strip_prefix("unknown field `")?.split_once('`')?;
    let known = expected.split('`').skip(1).step_by(2);
    let suggestion = did_you_mean(name, known);
    let is_named = path == name || path.ends_with(&format!(".{name}"));
    let field = match path {
        "." => name.to_owned(),
        path if is_named => path.to_owned(),
        path => format!("{path}.{name}"),
    };
    Some(Error::field(field, format!("is not a known member{suggestion}")))
}

#[cfg(test)]
mod tests {
    use super::with_whole_characters;

    #[test]
    fn halves_of_characters_are_replaced() {
        for (json, expected) in [
            (r#"{"a":"b"}"#, r#"{"a":"b"}"#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\uDE00\uD83D\ud83d\uDE00""#, r#""\ufffd\ufffd\ud83d\uDE00""#),
            (r#""\\ud83d \n\u00e9\u+12f""#, r#""\\ud83d \n\u00e9\u+12f""#),
            (r#""\ud8"#, r#""\ud8"#),
            ("\\", "\\"),
        ] {
            assert_eq!(with_whole_characters(json.to_owned().into()), expected.as_bytes());
        }
    }
}
