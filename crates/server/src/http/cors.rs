//! The CORS headers of the run API: the widget is on the pages of the app's owner.

use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use std::time::Duration;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// The time that a browser may cache the response to a preflight. Chromium caches it for at most two hours.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Headers that a page may read.
const EXPOSED: [HeaderName; 9] = [
    header::DATE,
    header::RETRY_AFTER,
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-conversation-id"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
];

/// Lets any page read the responses. Handlers check the origin, and the developer of a page must be able to read the
/// error. The server uses no cookie or other credential of the browser, so a response contains nothing that another
/// client could not fetch.
///
/// A preflight allows every requested header: the page's owner may add headers to the widget's requests.
pub(super) fn layer() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED)
        .max_age(MAX_AGE)
}

/// Adds `authorization` to the headers that a preflight allows, if the request did not name it: a browser may use the
/// cached response for a later request with `authorization`.
pub(super) fn allow_authorization(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_METHODS) {
        let allowed = headers.get_all(header::ACCESS_CONTROL_ALLOW_HEADERS).iter();
        let mut names = allowed.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        if !names.any(|name| name.trim().eq_ignore_ascii_case(header::AUTHORIZATION.as_str())) {
            headers.append(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static(header::AUTHORIZATION.as_str()),
            );
        }
    }
    response
}
