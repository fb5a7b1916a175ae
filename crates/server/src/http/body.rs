use crate::suggestion::did_you_mean;
use crate::{AppState, Error};
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;

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
        let bytes = Bytes::from_request(request, state);
        let bytes = tokio::time::timeout(state.settings.body_timeout, bytes).await;
        let bytes = bytes.map_err(|_| Error::BodyTimedOut)?.map_err(|rejection| {
            match rejection.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Error::BodyTooLarge,
                _ => Error::BodyMalformed("it ended too early".to_owned()),
            }
        })?;
        let bytes = if is_run_api { with_whole_characters(bytes) } else { bytes };
        // Serde would also take an array of the members' values.
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

/// Replaces escapes of half a character by U+FFFD, as encoders of UTF-8 do. JavaScript writes them for a text that was
/// cut within an emoji, and serde takes them for a fault of the JSON.
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

/// What is wrong with the member at `path`, from the words of serde.
fn member_error(path: &str, text: &str) -> Error {
    // Where it is in the text helps no one who builds a body by program.
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
