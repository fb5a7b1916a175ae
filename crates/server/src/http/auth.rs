//! Authentication: of users and API keys on the run API, of the operator on the management API.

use super::request_handler::{log_app, log_visitor};
use super::session::enabled_app;
use super::{client_address, origin, pow, rate_limit};
use crate::api_keys::ApiKeySecret;
use crate::audit::ManagementRole;
use crate::conversations::Visitor;
use crate::limits::{LimitReport, Quota, Subjects};
use crate::proof_of_work::Purpose;
use crate::user_tokens::{self, SignedInUser};
use crate::{App, AppState, Error, PowScope};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use saltmine_protocol::APP_ID_HEADER;

/// The visitor behind a request, or the server with an API key.
///
/// A visitor's app is there, the page may use it, and the token is a valid one: a signed-in user's, or an anonymous one
/// for this app. An API key stands for itself: it has no app, no origin and no proof of work.
pub(super) struct Caller {
    pub(super) visitor: Visitor,
    /// The agent to answer; without one it is the server's own.
    pub(super) agent_id: Option<String>,
    /// The app's instructions for the agent.
    pub(super) prompt: Option<String>,
    /// Whose quotas the request uses; those of nobody with an API key, whose owner is the operator.
    pub(super) quotas: Option<(Subjects, LimitReport)>,
    /// What the app's owner says about a signed-in user, as JSON for the agent.
    pub(super) user_claims: Option<String>,
    kind: CallerKind,
}

enum CallerKind {
    /// With what the solution of a message is for, where one is required.
    Anonymous(Purpose),
    SignedIn,
    ApiKey,
}

impl Caller {
    /// Adds what the request stores to the quota of stored bytes.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]
    pub(super) async fn take_stored_bytes(&self, state: &AppState, bytes: usize) -> Result<(), Error> {
        let Some((subjects, report)) = &self.quotas else { return Ok(()) };
        state.limits.take(Quota::StoredBytes, subjects, bytes as u64, report).await
    }

    /// Returns whether the caller is a person on a page, who speaks for nobody else.
    pub(super) fn is_visitor(&self) -> bool {
        !matches!(self.kind, CallerKind::ApiKey)
    }

    /// Checks the solution of a message, where every request requires a proof of work.
    pub(super) async fn require_solution(&self, state: &AppState, headers: &HeaderMap) -> Result<(), Error> {
        match (&state.settings.proof_of_work, &self.kind) {
            (Some(settings), CallerKind::Anonymous(purpose)) if settings.scope == PowScope::Request => {
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
            user_claims: None,
            kind: CallerKind::ApiKey,
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
        let app = enabled_app(state, app_id.to_str().map_err(|_| Error::AppNotFound)?).await?;
        let user = authenticate(state, &app, token, headers)?;
        let (user_id, issued_at_seconds, user_claims, kind) = match user {
            User::SignedIn(SignedInUser { sub, issued_at_seconds, claims }) => {
                let claims = (!claims.is_empty()).then(|| serde_json::Value::from(claims).to_string());
                (sub, issued_at_seconds, claims, CallerKind::SignedIn)
            }
            User::Anonymous(sub, issued_at_seconds) => {
                let purpose = pow::purpose(state, &app, headers, &parts.extensions);
                (sub, issued_at_seconds, None, CallerKind::Anonymous(purpose))
            }
        };
        log_app(&app.id);
        log_visitor(&user_id);
        if state.store.is_session_revoked(&app.id, &user_id, issued_at_seconds).await? {
            return Err(Error::TokenInvalid);
        }
        let subjects = Subjects { app: app.id.clone(), visitor: user_id.clone(), address };
        state.limits.count_request(&subjects, &report).await?;
        Ok(Self {
            visitor: Visitor { client_id: app.id.clone(), user_id },
            agent_id: app.default_agent_id.clone(),
            prompt: app.prompt.clone(),
            quotas: Some((subjects, report)),
            user_claims,
            kind,
        })
    }
}

/// A person on a page.
enum User {
    SignedIn(SignedInUser),
    /// With the `sub` and the `iat` of the token.
    Anonymous(String, u64),
}

/// Returns the user behind a request for a web client. The first check that fails decides.
fn authenticate(
    state: &AppState,
    app: &App,
    token: Option<&str>,
    headers: &HeaderMap,
) -> Result<User, Error> {
    let web_client = app.web_client()?;
    let now = state.clock.now_seconds();
    let has_keys = !web_client.public_keys.is_empty();
    let signed_in = token.filter(|_| has_keys).map(|token| user_tokens::verify(web_client, token, now));
    origin::require_allowed(web_client, headers)?;
    let token = token.ok_or(Error::TokenMissing)?;
    match signed_in {
        Some(Ok(user)) => return Ok(User::SignedIn(user)),
        Some(Err(error)) if !web_client.allow_anonymous => return Err(error.into()),
        Some(Err(error)) => tracing::debug!(app = app.id, %error, "the token is no signed-in user's"),
        // A session of an app that no longer takes anonymous visitors is of no use either.
        None if !web_client.allow_anonymous => return Err(Error::AnonymousNotAllowed),
        None => {}
    }
    let claims = state.tokens.verify(token, now).ok_or(Error::TokenInvalid)?;
    if claims.app == app.id {
        Ok(User::Anonymous(claims.sub, claims.iat))
    } else {
        Err(Error::TokenAppMismatch)
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
