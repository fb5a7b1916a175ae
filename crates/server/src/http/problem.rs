//! Errors as the client sees them: problem details (RFC 9457), and the members for older clients.

use crate::Error;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// An error, in both forms that clients read.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    /// The text of the status.
    #[schema(example = "Bad Request")]
    title: &'static str,
    /// The status.
    #[schema(example = 400)]
    status: u16,
    /// The message for people.
    detail: String,
    /// The class of the error.
    #[schema(example = "bad_request")]
    code: &'static str,
    /// The id of the request in the server's log, the same as the header `X-Request-Id`.
    request_id: String,
    /// The stable reason, for programs.
    #[schema(example = "pow_expired")]
    reason: &'static str,
    /// The invalid member of the body, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    error: LegacyProblem,
}

/// The form that older clients read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LegacyProblem {
    /// The same as `code`.
    code: &'static str,
    /// The same as `detail`.
    message: String,
}

/// Writes the body of an error response, also of one that a layer created without a body.
pub(super) fn render(response: Response, request_id: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let error = response.extensions().get::<Arc<Error>>().cloned();
    let error = error.unwrap_or_else(|| Arc::new(Error::of_status(status)));
    let problem = Problem::new(&error, request_id);
    let json = serde_json::to_vec(&problem).expect("texts and numbers are always JSON");

    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match &*error {
        Error::RateLimited { retry_after_seconds }
        | Error::QuotaExceeded { retry_after_seconds, .. }
        | Error::ChallengesBusy { retry_after_seconds }
        | Error::BodiesBusy { retry_after_seconds }
        | Error::TooManyReports { retry_after_seconds: Some(retry_after_seconds) } => {
            parts.headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_seconds));
        }
        // RFC 9110 requires the authentication scheme.
        _ if status == StatusCode::UNAUTHORIZED => {
            parts.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        _ => {}
    }
    Response::from_parts(parts, Body::from(json))
}

impl Problem {
    fn new(error: &Error, request_id: &str) -> Self {
        let (status, reason) = error.outward();
        let detail = match status.is_server_error() {
            // The cause is in the log, under the request's id.
            true => "Something went wrong on the server. Please try again later.".to_owned(),
            false => error.to_string(),
        };
        let code = code(status);
        Self {
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            request_id: request_id.to_owned(),
            reason,
            field: match error {
                Error::Field { field, .. } => Some(field.clone()),
                Error::UserKeyInvalid(invalid) => Some(invalid.field.to_owned()),
                _ => None,
            },
            error: LegacyProblem { code, message: detail.clone() },
            detail,
        }
    }
}

/// Returns the protocol's code of a status, or a general one.
fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::CONFLICT => "conflict",
        StatusCode::UNPROCESSABLE_ENTITY => "unprocessable_entity",
        StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
        StatusCode::BAD_GATEWAY => "bad_gateway",
        StatusCode::SERVICE_UNAVAILABLE => "service_unavailable",
        status if status.is_server_error() => "internal_server_error",
        _ => "bad_request",
    }
}
