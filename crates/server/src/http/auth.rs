//! Authentication: of users and API keys on the run API, of the operator on the management API.

use super::request_handler::{log_app, log_visitor};
use super::session::enabled_app;
use super::{client_address, origin, pow, rate_limit};
use crate::api_keys::{ApiKey, ApiKeySecret};
use crate::audit::ManagementRole;
use crate::conversations::Visitor;
use crate::limits::{LimitReport, Quota, Subjects};
use crate::lock::lock;
use crate::proof_of_work::Purpose;
use crate::user_tokens::{self, SignedInUser};
use crate::{App, AppState, Error, PowScope};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use saltmine_protocol::APP_ID_HEADER;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Mutex;

/// The visitor behind a request, or the server with an API key.
///
/// A visitor's app exists, the page may use it, and the token is valid: a signed-in user's, or an anonymous one for this
/// app. An API key needs no app, no origin and no proof of work.
pub(super) struct Caller {
    pub(super) visitor: Visitor,
    /// The id of the agent that replies; `None`: the server's default agent.
    pub(super) agent_id: Option<String>,
    /// The app's instructions for the agent.
    pub(super) prompt: Option<String>,
    /// The subjects whose quotas the request uses. `None` with an API key, whose owner is the operator.
    pub(super) quotas: Option<(Subjects, LimitReport)>,
    /// The claims of a signed-in user's token, from the app's owner, as JSON for the agent.
    pub(super) user_claims: Option<String>,
    kind: CallerKind,
}

enum CallerKind {
    /// With the purpose of a message's solution.
    Anonymous(Purpose),
    SignedIn,
    ApiKey,
}

impl Caller {
    /// Adds the bytes that the request stores to the quota of stored bytes.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaExceeded`]
    pub(super) async fn take_stored_bytes(&self, state: &AppState, bytes: usize) -> Result<(), Error> {
        let Some((subjects, report)) = &self.quotas else { return Ok(()) };
        state.limits.take(Quota::StoredBytes, subjects, bytes as u64, report).await
    }

    /// Returns whether the caller is a visitor of a page, and not an API key.
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

    async fn with_api_key(
        state: &AppState,
        secret: ApiKeySecret,
        address: IpAddr,
        report: &LimitReport,
    ) -> Result<Self, Error> {
        let hash = secret.hash();
        // A valid key is never refused for the sake of others at the same address, once this instance has seen it.
        if !state.known_api_keys.has(&hash) {
            state.limits.require_known_keys(address, report).await?;
        }
        let now = state.clock.now();
        let error = match state.store.find_api_key(&hash).await? {
            Some(key) if key.expires_at.is_none_or(|at| at > now) => {
                state.known_api_keys.add(hash);
                return Ok(Self::of_api_key(state, key).await);
            }
            Some(_) => Error::ApiKeyExpired,
            None => Error::ApiKeyInvalid,
        };
        state.known_api_keys.remove(&hash);
        state.limits.count_unknown_key(address).await;
        Err(error)
    }

    async fn of_api_key(state: &AppState, key: ApiKey) -> Self {
        let now = state.clock.now();
        if state.apps.claim_touch(&key.id)
            && let Err(error) = state.store.touch_api_key(&key, now).await
        {
            // The key is valid even so.
            tracing::warn!(%error, key = key.id, "could not store the last use of the API key");
        }
        log_visitor(&key.id);
        Self {
            visitor: Visitor { client_id: key.id.clone(), user_id: key.id },
            agent_id: Some(key.agent_id),
            prompt: None,
            quotas: None,
            user_claims: None,
            kind: CallerKind::ApiKey,
        }
    }
}

/// The hashes of API keys that the database has returned. Requests with them are not limited by address: a backend sends
/// those of all its users from one.
#[derive(Default)]
pub(crate) struct KnownApiKeys(Mutex<HashSet<[u8; 32]>>);

impl KnownApiKeys {
    /// Beyond this number all are forgotten: those in use are soon known again.
    const MAX: usize = 10_000;

    fn has(&self, hash: &[u8; 32]) -> bool {
        lock(&self.0).contains(hash)
    }

    fn remove(&self, hash: &[u8; 32]) {
        lock(&self.0).remove(hash);
    }

    fn add(&self, hash: [u8; 32]) {
        let mut hashes = lock(&self.0);
        if hashes.len() >= Self::MAX {
            hashes.clear();
        }
        hashes.insert(hash);
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let headers = &parts.headers;
        let token = bearer(headers);
        let report = rate_limit::report(parts);
        let address = super::key(client_address::of(state, headers, &parts.extensions));
        if let Some(token) = token.filter(|token| ApiKeySecret::has_prefix(token)) {
            let secret = ApiKeySecret::parse(token).ok_or(Error::ApiKeyInvalid)?;
            return Self::with_api_key(state, secret, address, &report).await;
        }
        // Before any query of the database.
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

/// A visitor of a page.
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
        Some(Err(error)) => {
            tracing::debug!(app = app.id, %error, "the token is not a valid token of a signed-in user");
        }
        // An app that no longer allows anonymous sessions accepts no earlier ones either.
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

/// Returns the token of `Authorization: Bearer <token>`, with the scheme in any case (RFC 9110).
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
    request.extensions_mut().insert(role);
    next.run(request).await
}

/// Refuses a call that may change something, if it has the key that only reads. The audit log has recorded it by then.
pub(super) async fn refuse_changes_by_read_key(request: Request, next: Next) -> Response {
    let is_read_only = request.extensions().get() == Some(&ManagementRole::ReadOnly);
    if is_read_only && !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Error::ManagementKeyReadOnly.into_response();
    }
    next.run(request).await
}
