use super::rate_limit::{self, WithinLimit};
use super::session::enabled_app;
use super::{list, origin, price};
use crate::limits::scaled;
use crate::{AppState, Error, PowVersion};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use saltmine_protocol::{Challenge, IssueParams};
use utoipa::ToSchema;

/// A challenge: find `number` with `0 <= number <= maxnumber` and `hex(SHA-256(salt + number)) == challenge`.
#[derive(ToSchema)]
#[schema(as = Challenge)]
#[allow(dead_code, reason = "describes saltmine_protocol::Challenge, which is what is sent")]
pub(super) struct ChallengeDescription {
    /// The digest: this server issues SHA-256.
    #[schema(example = "SHA-256")]
    algorithm: String,
    /// The digest to find, in hex.
    challenge: String,
    /// The largest number to try.
    #[schema(example = 50_000)]
    maxnumber: u64,
    /// To be hashed and sent back byte for byte. Its `expires` is the Unix time when the challenge ends.
    #[schema(example = "0123456789abcdef01234567?expires=1790000000&")]
    salt: String,
    /// The server's signature of `challenge`, in hex.
    signature: String,
}

/// A new challenge. It is not stored: its signature tells that it is one of ours.
#[utoipa::path(
    get,
    path = "/run/auth/pow/challenge",
    tag = "session",
    responses(
        (status = 200, description = "A challenge to solve", body = ChallengeDescription),
        (status = 404, description = "Proof of work is off: go on without it"),
        (status = 429, description = "Too many requests from this address",
            headers(("retry-after" = u64, description = "When the next one will be taken, in seconds"))),
    )
)]
pub(super) async fn issue_challenge(
    _: WithinLimit,
    State(state): State<AppState>,
    parts: Parts,
) -> Result<impl IntoResponse, Error> {
    let factor = price::of_challenge(&state, None, &parts.headers, &parts.extensions).await;
    issue_v1(&state, factor)
}

/// Issues a challenge for an app: what newer widgets ask for.
#[utoipa::path(
    get,
    path = "/run/auth/challenge",
    tag = "session",
    params(
        ("appId" = String, Query, description = "The app's id"),
        ("endpointClass" = Option<String>, Query, description = "Ignored"),
    ),
    responses(
        (status = 200, description = "A challenge to solve", body = ChallengeDescription),
        (status = 400, description = "The app is not a web client"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "Proof of work is off, or there is no such app"),
        (status = 422, description = "A parameter is given twice"),
        (status = 429, description = "Too many requests from this address",
            headers(("retry-after" = u64, description = "When the next one will be taken, in seconds"))),
    )
)]
pub(super) async fn issue_app_challenge(
    State(state): State<AppState>,
    parts: Parts,
) -> Result<impl IntoResponse, Error> {
    let proof_of_work = state.settings.proof_of_work.as_ref().ok_or(Error::PowDisabled)?;
    let parameters = list::parameters(&parts.uri)?;
    let app = enabled_app(&state, parameters.get("appId").map_or("", String::as_str)).await?;
    origin::require_allowed(app.web_client()?, &parts.headers)?;
    rate_limit::require(&state, &parts).await?;
    let factor = price::of_challenge(&state, Some(&app.id), &parts.headers, &parts.extensions).await;
    match proof_of_work.version {
        PowVersion::V1 => issue_v1(&state, factor),
    }
}

fn issue_v1(state: &AppState, factor: f64) -> Result<impl IntoResponse + use<>, Error> {
    let proof_of_work = state.settings.proof_of_work.as_ref().ok_or(Error::PowDisabled)?;
    let params = IssueParams {
        max_number: scaled(proof_of_work.max_number, factor, saltmine_protocol::MAX_NUMBER),
        ttl_seconds: proof_of_work.ttl_seconds,
        now_seconds: state.clock.now_seconds(),
    };
    let mut random = |bytes: &mut [u8]| state.random.fill(bytes);
    let challenge: Challenge = saltmine_protocol::issue(proof_of_work.secret.as_bytes(), params, &mut random)
        .map_err(Error::Random)?;
    state.metrics.challenges_issued.inc();
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(challenge)))
}
