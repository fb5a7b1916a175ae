use super::rate_limit::{self, WithinLimit};
use super::session::enabled_app;
use super::{client_address, list, origin, pow, price};
use crate::defaults::CLIENTS_MAX_NUMBER;
use crate::limits::scaled;
use crate::proof_of_work::Requester;
use crate::{AppState, Error, PowBinding, PowVersion, ProofOfWork};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use saltmine_protocol::{Binding, Challenge, IssueParams};
use utoipa::ToSchema;

/// A challenge: find `number` with `0 <= number <= maxnumber` and `hex(SHA-256(salt + number)) == challenge`.
#[derive(ToSchema)]
#[schema(as = Challenge)]
#[allow(dead_code, reason = "describes saltmine_protocol::Challenge, which is what is sent")]
pub(super) struct ChallengeDescription {
    /// The digest, always SHA-256.
    #[schema(example = "SHA-256")]
    algorithm: String,
    /// The digest to find, in hex.
    challenge: String,
    /// The largest number to try.
    #[schema(example = 50_000)]
    maxnumber: u64,
    /// The salt to hash and to send back unchanged. Its `expires` is the Unix time when the challenge expires; `app` and
    /// `address` are the binding.
    #[schema(example = "0123456789abcdef01234567?expires=1790000000&")]
    salt: String,
    /// The server's signature of `challenge`, in hex.
    signature: String,
}

/// A challenge of ALTCHA version 2: find the `counter` whose derived key begins with `keyPrefix`.
#[derive(ToSchema)]
#[schema(as = ChallengeV2)]
#[allow(dead_code, reason = "describes saltmine_protocol::v2::Issued, which is what is sent")]
pub(super) struct ChallengeV2Description {
    parameters: ParametersDescription,
    /// The server's signature of the canonical JSON of `parameters`, in hex.
    signature: String,
}

/// The parameters of a challenge of version 2. Send them back unchanged.
#[derive(ToSchema)]
#[schema(as = ChallengeParameters, rename_all = "camelCase")]
#[allow(dead_code, reason = "a part of `ChallengeV2Description`")]
struct ParametersDescription {
    /// The key derivation: `PBKDF2/SHA-256`, `SHA-256`, `SCRYPT` or `ARGON2ID`.
    #[schema(example = "PBKDF2/SHA-256")]
    algorithm: String,
    /// Iterations; for scrypt N, for Argon2id the number of passes.
    #[schema(example = 5000)]
    cost: u32,
    /// The binding of the challenge.
    data: Option<BindingDescription>,
    /// The Unix time when the challenge expires.
    #[schema(example = 1_790_000_000)]
    expires_at: u64,
    /// The length of the derived key, in bytes.
    #[schema(example = 32)]
    key_length: u32,
    /// The hex that the derived key begins with.
    key_prefix: String,
    /// The server's signature of the derived key, in hex.
    key_signature: String,
    /// The block size of scrypt, or the KiB of Argon2id. Absent for other algorithms.
    memory_cost: Option<u32>,
    /// The start of the password, in hex.
    nonce: String,
    /// The lanes of scrypt and Argon2id. Absent for other algorithms.
    parallelism: Option<u32>,
    /// The salt of the key derivation, in hex.
    salt: String,
}

#[derive(ToSchema)]
#[schema(as = ChallengeBinding)]
#[allow(dead_code, reason = "a part of `ParametersDescription`")]
struct BindingDescription {
    /// The network from which a solution is accepted.
    #[schema(example = "192.0.2.0/24")]
    address: Option<String>,
    /// The app for which a solution is accepted.
    app: Option<String>,
}

#[derive(ToSchema)]
#[schema(as = AppChallenge)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes a response")]
pub(super) enum AppChallengeDescription {
    V1(ChallengeDescription),
    V2(ChallengeV2Description),
}

/// Issues a challenge of version 1 that is bound to no app, for clients that know no other route. The challenge is not
/// stored: its signature proves that this server issued it.
#[utoipa::path(
    get,
    path = "/run/auth/pow/challenge",
    tag = "session",
    responses(
        (status = 200, description = "A challenge to solve", body = ChallengeDescription),
        (status = 400, description = "This server issues challenges only for an app"),
        (status = 404, description = "Proof of work is off: open the session without it"),
        (status = 429, description = "Too many requests from this address",
            headers(("retry-after" = u64, description = "Seconds until the next request is accepted"))),
    )
)]
pub(super) async fn issue_challenge(
    _: WithinLimit,
    State(state): State<AppState>,
    parts: Parts,
) -> Result<impl IntoResponse, Error> {
    let settings = state.settings.proof_of_work.as_ref().ok_or(Error::PowDisabled)?;
    if !settings.has_unbound_route() {
        return Err(Error::PowAppRequired);
    }
    let prefix = price::prefix_of(&state, &parts.headers, &parts.extensions);
    let factor = price::of_challenge(&state, None, prefix).await;
    issue_v1(&state, settings, factor, &Binding::NONE)
}

/// Issues a challenge for an app, of the version that the app requires.
#[utoipa::path(
    get,
    path = "/run/auth/challenge",
    tag = "session",
    params(
        ("appId" = String, Query, description = "The app's id"),
        ("endpointClass" = Option<String>, Query, description = "Ignored"),
    ),
    responses(
        (status = 200, description = "A challenge to solve", body = AppChallengeDescription),
        (status = 400, description = "The app is not a web client"),
        (status = 403, description = "The page's origin is not allowed"),
        (status = 404, description = "Proof of work is off, or the app does not exist"),
        (status = 422, description = "A parameter is given twice"),
        (status = 429, description = "Too many requests from this address",
            headers(("retry-after" = u64, description = "Seconds until the next request is accepted"))),
        (status = 503, description = "No challenge is available at the moment",
            headers(("retry-after" = u64, description = "Seconds until the next attempt"))),
    )
)]
pub(super) async fn issue_app_challenge(
    State(state): State<AppState>,
    parts: Parts,
) -> Result<Response, Error> {
    let settings = state.settings.proof_of_work.as_ref().ok_or(Error::PowDisabled)?;
    let parameters = list::parameters(&parts.uri)?;
    let app_id = parameters.get("appId").map_or("", String::as_str);
    if !state.apps.has(app_id) {
        // The rate limit comes after the checks of the app, and anyone can invent ids, which are looked up in the database.
        let address = client_address::of(&state, &parts.headers, &parts.extensions);
        state.limits.count_address(super::key(address), &rate_limit::report(&parts)).await?;
    }
    let app = enabled_app(&state, app_id).await?;
    origin::require_allowed(app.web_client()?, &parts.headers)?;
    rate_limit::require(&state, &parts).await?;
    let purpose = pow::purpose(&state, &app, &parts.headers, &parts.extensions);
    let binding = purpose.binding(settings.binding);
    // A challenge that is bound to no app is valid for each: its difficulty is that of all apps together.
    let priced = (settings.binding != PowBinding::Off).then_some(&*app.id);
    let prefix = price::prefix_of(&state, &parts.headers, &parts.extensions);
    let factor = price::of_challenge(&state, priced, prefix).await;
    match settings.issued(purpose.version) {
        PowVersion::V1 => issue_v1(&state, settings, factor, &binding).map(IntoResponse::into_response),
        PowVersion::V2 => issue_v2(&state, Requester { app: &app.id, prefix }, factor, &binding)
            .await
            .map(IntoResponse::into_response),
    }
}

fn issue_v1(
    state: &AppState,
    settings: &ProofOfWork,
    factor: f64,
    binding: &Binding,
) -> Result<impl IntoResponse + use<>, Error> {
    let params = IssueParams {
        // An operator may configure more: those clients then need a higher limit of their own.
        max_number: scaled(settings.max_number, factor, CLIENTS_MAX_NUMBER.max(settings.max_number)),
        ttl_seconds: settings.ttl_seconds,
        now_seconds: state.clock.now_seconds(),
    };
    let mut random = |bytes: &mut [u8]| state.random.fill(bytes);
    let challenge: Challenge =
        saltmine_protocol::issue_bound(settings.secret.as_bytes(), params, binding, &mut random)
            .map_err(Error::Random)?;
    state.metrics.challenges_issued.inc();
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(challenge)))
}

async fn issue_v2(
    state: &AppState,
    requester: Requester<'_>,
    factor: f64,
    binding: &Binding,
) -> Result<impl IntoResponse + use<>, Error> {
    let issuer = state.issuer.as_ref().ok_or(Error::PowDisabled)?;
    let challenge = issuer.issue(requester, binding, factor, || state.clock.now_seconds()).await?;
    state.metrics.challenges_issued.inc();
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_TYPE, "application/json")];
    Ok((headers, challenge))
}
