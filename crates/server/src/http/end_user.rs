//! Who calls the run API.

use super::origin;
use super::session::enabled_app;
use crate::{App, AppState, Claims, Error};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use saltmine_protocol::APP_ID_HEADER;

/// The visitor behind a request: the app is there, the token is good and for this app, and the page may use it.
pub(super) struct EndUser {
    pub(super) app: App,
    pub(super) claims: Claims,
}

impl FromRequestParts<AppState> for EndUser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let headers = &parts.headers;
        let app_id = headers.get(APP_ID_HEADER).ok_or(Error::AppIdMissing)?;
        let app = enabled_app(state, app_id.to_str().map_err(|_| Error::AppNotFound)?).await?;
        // Who no longer wants anonymous visitors means those of yesterday too.
        let web_client = app.anonymous_web_client()?;
        let token = bearer(headers).ok_or(Error::TokenMissing)?;
        let claims = state.tokens.verify(token, state.clock.now_seconds()).ok_or(Error::TokenInvalid)?;
        if claims.app != app.id {
            return Err(Error::TokenAppMismatch);
        }
        origin::require_allowed(web_client, headers)?;
        Ok(Self { app, claims })
    }
}

/// The token of `Authorization: Bearer <token>`, the scheme in any case (RFC 9110).
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}
