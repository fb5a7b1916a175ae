//! The failure that a response with an unexpected status causes.

use super::{Json, Kind, Response};
use crate::failure::{Code, Failure};

/// Returns the failure of a response.
pub(super) fn failure_of<J: Json>(kind: Kind, response: &Response<J>) -> Failure {
    let member = |name| response.body.as_ref().and_then(|body| body.text(name));
    let detail = member("detail");
    let is_used = matches!(kind, Kind::Session | Kind::Verification);
    let by_detail = || detail.as_deref().filter(|_| is_used).and_then(of_detail);
    let code = match response.status {
        400 => {
            of_reason(&member("reason").unwrap_or_default()).or_else(by_detail).unwrap_or(Code::BadRequest)
        }
        401 => Code::AnonymousNotAllowed,
        403 => by_detail().unwrap_or(Code::OriginNotAllowed),
        404 if kind == Kind::Session => Code::AppNotFound,
        429 => Code::RateLimited,
        402..=499 => Code::BadRequest,
        // A success or redirect that is not 200 is a response that the protocol does not have.
        0..=399 => Code::ResponseMalformed,
        _ => Code::ServerError,
    };
    Failure {
        code,
        status: Some(response.status),
        field: None,
        request_id: response.request_id.clone().or_else(|| member("requestId")),
        retry_after_ms: response.retry_after_ms.map(|ms| ms.max(0.0)),
        detail,
    }
}

/// Reads the `reason` of the problem document.
fn of_reason(reason: &str) -> Option<Code> {
    [Code::PowRequired, Code::PowInvalid, Code::PowExpired, Code::PowReplayed]
        .into_iter()
        .find(|code| code.as_str() == reason)
}

/// Reads the description of servers that send no reason. Deployed clients compare the same words.
fn of_detail(detail: &str) -> Option<Code> {
    let has = |word: &str| detail.as_bytes().windows(word.len()).any(|part| part == word.as_bytes());
    if has("Bot protection") || has("hallenge") || has("Proof-of-work") {
        Some(if has("required") {
            Code::PowRequired
        } else if has("expired") {
            Code::PowExpired
        } else if has("already") {
            Code::PowReplayed
        } else {
            Code::PowInvalid
        })
    } else {
        None
    }
}
