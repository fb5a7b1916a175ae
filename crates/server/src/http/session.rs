use super::end_user::bearer;
use super::origin;
use super::problem::Problem;
use crate::{App, AppState, Error};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use jiff::Timestamp;
use saltmine_protocol::{Refusal, SOLUTION_HEADER};
use serde::Serialize;
use utoipa::ToSchema;

/// A session: send the token as `Authorization: Bearer …`, with the app's id in `X-Inkeep-App-Id`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    /// A JWT (HS256).
    token: String,
    /// When the token ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// Opens an anonymous session, or lengthens one: with a valid token of the same app its user stays the same.
#[utoipa::path(
    post,
    path = "/auth/apps/{appId}/anonymous-session",
    tag = "session",
    params(
        ("appId" = String, Path, description = "The app's id"),
        ("X-Inkeep-Challenge-Solution" = Option<String>, Header,
            description = "The solution of a challenge: base64 of its JSON with `number`; required if the server gives challenges"),
        ("Authorization" = Option<String>, Header, description = "The token of a session to lengthen, `Bearer …`"),
    ),
    responses(
        (status = 200, description = "A session", body = Session),
        (status = 400, description = "The app is not a web client, or the proof of work is missing, wrong, over or spent",
            body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The app takes no anonymous visitors", body = Problem,
            content_type = "application/problem+json"),
        (status = 403, description = "The page's origin is not allowed", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "No such app", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests from this address", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub(super) async fn open_session(
    State(state): State<AppState>,
    Path(app_id): Path<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Error> {
    let app = enabled_app(&state, &app_id).await?;
    origin::require_allowed(app.anonymous_web_client()?, &headers)?;
    // Last, since it spends the challenge: a request that is refused for another reason keeps it.
    require_proof_of_work(&state, &headers).await?;

    let now = state.clock.now_seconds();
    let known = bearer(&headers).and_then(|token| state.tokens.verify(token, now));
    let sub = match known.filter(|claims| claims.app == app.id) {
        Some(claims) => claims.sub,
        None => format!("anon_{}", state.random.uuid().map_err(Error::Random)?),
    };
    let claims = state.tokens.claims(sub, &app, now);
    let token = state.tokens.sign(&claims).map_err(Error::Token)?;
    if let Err(error) = state.store.touch_app(&app.id, state.clock.now()).await {
        // The session is good all the same.
        tracing::warn!(%error, app = app.id, "could not note that the app was used");
    }
    let expires_at = i64::try_from(claims.exp).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let session = Session { token, expires_at: expires_at.unwrap_or(Timestamp::MAX) };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(session)))
}

/// The app with this id, unless it is unknown or disabled, which look the same from outside.
pub(super) async fn enabled_app(state: &AppState, id: &str) -> Result<App, Error> {
    state.store.find_app(id).await?.filter(|app| app.enabled).ok_or(Error::AppNotFound)
}

async fn require_proof_of_work(state: &AppState, headers: &HeaderMap) -> Result<(), Error> {
    let Some(proof_of_work) = &state.settings.proof_of_work else {
        return Ok(());
    };
    let mut solutions = headers.get_all(SOLUTION_HEADER).iter();
    let solution = solutions.next().ok_or(Refusal::Required)?.to_str().map_err(|_| Refusal::Invalid)?;
    if solutions.next().is_some() {
        return Err(Refusal::Invalid.into());
    }
    let now = state.clock.now_seconds();
    let verified = saltmine_protocol::verify(proof_of_work.secret.as_bytes(), solution, now)?;
    if state.store.spend_challenge(&verified.replay_key, verified.expires_at_seconds).await? {
        Ok(())
    } else {
        Err(Refusal::Replayed.into())
    }
}
