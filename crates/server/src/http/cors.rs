//! Cross-origin rules of the run API: the widget lives on its owner's pages.

use axum::http::{HeaderName, Method, header};
use saltmine_protocol::{APP_ID_HEADER, SOLUTION_HEADER};
use std::time::Duration;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// Any page may read the answers: the origin that it sends is checked by the handlers, and a refusal that the page's
/// own script cannot read would tell the developer nothing. No cookie or other credential of the browser is ever
/// taken, so that an answer holds no more than the page could fetch by itself.
pub(super) fn layer() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::list([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            name(APP_ID_HEADER),
            name(SOLUTION_HEADER),
        ]))
        .expose_headers([header::DATE, header::RETRY_AFTER, name("x-request-id"), name("x-conversation-id")])
        // The longest that Chromium keeps.
        .max_age(Duration::from_secs(2 * 60 * 60))
}

fn name(text: &str) -> HeaderName {
    text.parse().expect("the protocol's header names are valid")
}
