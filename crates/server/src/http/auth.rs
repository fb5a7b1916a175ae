//! Authentication: of users and API keys on the run API, of the operator on the management API.

use super::request_handler::{log_app, log_visitor};
use super::session::enabled_app;
use super::{client_address, origin, pow, rate_limit};
use crate::api_keys::ApiKeySecret;
use crate::audit::ManagementRole;
use crate::conversations::Visitor;
use crate::limits::{LimitReport, Subjects};
use crate::proof_of_work::Purpose;
use crate::{AppState, Error, PowScope};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use saltmine_protocol::APP_ID_HEADER;

/// The visitor behind a request, or the server with an API key.
///
/// A visitor's app is there, the token is good and for this app, and the page may use it. An API key stands for
/// itself: it has no app, no origin and no proof of work.
pub(super) struct Caller {
    pub(super) visitor: Visitor,
    /// The agent to answer; without one it is the server's own.
    pub(super) agent_id: Option<String>,
    /// The app's instructions for the agent.
    pub(super) prompt: Option<String>,
    /// Whose quotas the request uses; those of nobody with an API key, whose owner is the operator.
    pub(super) quotas: Option<(Subjects, LimitReport)>,
    /// What the solution of a message is for, where one could be asked for.
    purpose: Option<Purpose>,
}

impl Caller {
    /// Returns whether the caller is a person on a page, who speaks for nobody else.
    pub(super) fn is_visitor(&self) -> bool {
        self.purpose.is_some()
    }

    /// Takes the solution that a message costs where every request has its price.
    pub(super) async fn pay(&self, state: &AppState, headers: &HeaderMap) -> Result<(), Error> {
        match (&state.settings.proof_of_work, &self.purpose) {
            (Some(settings), Some(purpose)) if settings.scope == PowScope::Request => {
                pow::require_solution(state, settings, purpose, headers).await
            }
            _ => Ok(()),
        }
    }

    async fn with_api_key(state: &AppState, secret: ApiKeySecret) -> Result<Self, Error> {
        let key = state.store.find_api_key(&secret.hash()).await?.ok_or(Error::ApiKeyInvalid)?;
        let now = state.clock.now();
        if key.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::ApiKeyExpired);
        }
        if let Err(error) = state.store.touch_api_key(&key, now).await {
            // The key is good all the same.
            tracing::warn!(%error, key = key.id, "could not note that the API key was used");
        }
        log_visitor(&key.id);
        Ok(Self {
            visitor: Visitor { client_id: key.id.clone(), user_id: key.id },
            agent_id: Some(key.agent_id),
            prompt: None,
            quotas: None,
            purpose: None,
        })
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let headers = &parts.headers;
        let token = bearer(headers);
        if let Some(token) = token.filter(|token| ApiKeySecret::has_prefix(token)) {
            let secret = ApiKeySecret::parse(token).ok_or(Error::ApiKeyInvalid)?;
            return Self::with_api_key(state, secret).await;
        }
        let report = rate_limit::report(parts);
        let address = super::key(client_address::of(state, headers, &parts.extensions));
        // Before the database is asked.
        state.limits.count_address(address, &report).await?;
        let app_id = headers.get(APP_ID_HEADER).ok_or(Error::AppIdMissing)?;
        // First, since it asks no database.
        let token = token.ok_or(Error::TokenMissing)?;
        let claims = state.tokens.verify(token, state.clock.now_seconds()).ok_or(Error::TokenInvalid)?;
        let app = enabled_app(state, app_id.to_str().map_err(|_| Error::AppNotFound)?).await?;
        // Who no longer wants anonymous visitors means those of yesterday too.
        let web_client = app.anonymous_web_client()?;
        if claims.app != app.id {
            return Err(Error::TokenAppMismatch);
        }
        origin::require_allowed(web_client, headers)?;
        log_app(&app.id);
        log_visitor(&claims.sub);
        if state.store.is_session_revoked(&app.id, &claims.sub, claims.iat).await? {
            return Err(Error::TokenInvalid);
        }
        let subjects = Subjects { app: app.id.clone(), visitor: claims.sub.clone(), address };
        state.limits.count_request(&subjects, &report).await?;
        let visitor = Visitor { client_id: app.id.clone(), user_id: claims.sub };
        Ok(Self {
            visitor,
            agent_id: app.default_agent_id.clone(),
            prompt: app.prompt.clone(),
            quotas: Some((subjects, report)),
            purpose: Some(pow::purpose(state, &app, headers, &parts.extensions)),
        })
    }
}

/// The token of `Authorization: Bearer <token>`, the scheme in any case (RFC 9110).
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// Refuses a call of the management API without the management key. Without a configured key, every call is refused.
pub(super) async fn require_management_key(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = bearer(request.headers());
    let is =
        |key: &Option<crate::Secret>| key.as_ref().zip(given).is_some_and(|(key, given)| key.matches(given));
    let role = if is(&state.settings.management_key) {
        ManagementRole::Full
    } else if is(&state.settings.management.read_key) {
        ManagementRole::ReadOnly
    } else {
        return Error::ManagementKey.into_response();
    };
    if role == ManagementRole::ReadOnly && !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Error::ManagementKeyReadOnly.into_response();
    }
    request.extensions_mut().insert(role);
    next.run(request).await
}
