use crate::suggestion::did_you_mean;
use crate::{AppState, Error};
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// When a client whose large body was refused may try again.
const RETRY_AFTER_SECONDS: u64 = 5;

/// The memory for all large bodies at the same time, in KiB.
const LARGE_BODIES_KIB: usize = 64 * 1024;

/// The longest body that is accepted whatever other bodies take, in KiB.
const SHORT_BODY_KIB: usize = 64;

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
        let _memory = state.body_memory.reserve(request.headers())?;
        let bytes = Bytes::from_request(request, state);
        let bytes = tokio::time::timeout(state.settings.body_timeout, bytes).await;
        let bytes = bytes.map_err(|_| Error::BodyTimedOut)?.map_err(|rejection| {
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Error::BodyTooLarge,
                _ => Error::BodyMalformed("the connection ended too early".to_owned()),
            }
        })?;
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

/// The memory for large bodies of requests. A client may send one slowly, on as many connections as it has: beyond this
/// memory, large bodies are refused, and the short ones of usual messages are not.
pub(crate) struct BodyMemory(Arc<Semaphore>);

impl Default for BodyMemory {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LARGE_BODIES_KIB)))
    }
}

impl BodyMemory {
    /// Reserves memory for a body of the length that its head names, or of any length, until the result is dropped.
    /// A short body takes none.
    fn reserve(&self, headers: &HeaderMap) -> Result<Option<OwnedSemaphorePermit>, Error> {
        let length =
            headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let kib = length.unwrap_or(usize::MAX).min(super::CHAT_BODY_BYTES).div_ceil(1024);
        if kib <= SHORT_BODY_KIB {
            return Ok(None);
        }
        let permits = u32::try_from(kib).unwrap_or(u32::MAX);
        self.0
            .clone()
            .try_acquire_many_owned(permits)
            .map(Some)
            .map_err(|_| Error::BodiesBusy { retry_after_seconds: RETRY_AFTER_SECONDS })
    }
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
