use super::auth::bearer;
use super::rate_limit::WithinLimit;
use super::request_handler::{log_app, log_visitor};
use super::{origin, pow, price};
use crate::metrics::SessionKind;
use crate::{App, AppState, Error};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A session: send the token as `Authorization: Bearer …`, with the app's id in `X-Inkeep-App-Id`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    /// A JWT (HS256).
    token: String,
    /// The time when the token expires.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Opens an anonymous session, or renews one: with a valid token of the same app its user stays the same.
#[utoipa::path(
    post,
    path = "/run/auth/apps/{appId}/anonymous-session",
    tag = "session",
    params(
        ("appId" = String, Path, description = "The app's id"),
        ("X-Inkeep-Challenge-Solution" = Option<String>, Header,
            description = "The solution of a challenge, base64 of its JSON, plain or in the object `{\"payload\"}`; required if the server issues challenges"),
        ("Authorization" = Option<String>, Header, description = "The token of the session to renew, `Bearer …`"),
    ),
    responses(
        (status = 200, description = "A session", body = Session),
        (status = 400, description = "The app is not a web client, or the proof of work is missing, invalid, expired or already used"),
        (status = 401, description = "The app allows no anonymous sessions"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "The app does not exist"),
        (status = 429, description = "Too many requests from this address",
            headers(("retry-after" = u64, description = "Seconds until the next request is accepted"))),
    )
)]
pub(super) async fn open_session(
    _: WithinLimit,
    State(state): State<AppState>,
    Path(app_id): Path<String>,
    Parts { headers, extensions, .. }: Parts,
) -> Result<impl IntoResponse, Error> {
    let app = enabled_app(&state, &app_id).await?;
    log_app(&app.id);
    origin::require_allowed(app.anonymous_web_client()?, &headers)?;
    let now = state.clock.now_seconds();
    let known = bearer(&headers).and_then(|token| state.tokens.verify(token, now));
    let mut known = known.filter(|claims| claims.app == app.id);
    if let Some(claims) = &known
        && state.store.is_session_revoked(&app.id, &claims.sub, claims.iat).await?
    {
        known = None;
    }
    // A token with an `iat` before a revocation of the same second would be refused.
    let (sub, kind, first_second) = match known {
        Some(claims) => (claims.sub, SessionKind::Refreshed, claims.iat),
        None => {
            let first_second = state.apps.first_accepted_second(&app.id).await?;
            let sub = format!("anon_{}", state.random.uuid().map_err(Error::Random)?);
            (sub, SessionKind::New, first_second)
        }
    };
    // After everything that may fail, since it marks the challenge as used: a request that is refused for another reason
    // does not use it.
    if let Some(settings) = &state.settings.proof_of_work {
        let purpose = pow::purpose(&state, &app, &headers, &extensions);
        pow::require_solution(&state, settings, &purpose, &headers).await?;
    }
    price::count_session(&state, &app.id, &headers, &extensions).await;
    log_visitor(&sub);
    let mut claims = state.tokens.claims(sub, &app, now);
    claims.iat = claims.iat.max(first_second);
    let token = state.tokens.sign(&claims);
    if state.apps.claim_touch(&app.id)
        && let Err(error) = state.store.touch_app(&app.id, state.clock.now()).await
    {
        // The session is valid even so.
        tracing::warn!(%error, app = app.id, "could not store the last use of the app");
    }
    state.metrics.session(kind);
    let expires_at = i64::try_from(claims.exp).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let session = Session { token, expires_at: expires_at.unwrap_or(Timestamp::MAX) };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(session)))
}

/// Returns the app with this id. For an unknown app and for a disabled app the error is the same.
pub(super) async fn enabled_app(state: &AppState, id: &str) -> Result<Arc<App>, Error> {
    state.apps.find(id).await?.filter(|app| app.enabled).ok_or(Error::AppNotFound)
}
