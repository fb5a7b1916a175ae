//! The solution of a challenge in the header of a request.

use super::client_address;
use crate::proof_of_work::Purpose;
use crate::{App, AppState, Error, PowVersion, ProofOfWork};
use axum::http::{Extensions, HeaderMap};
use saltmine_protocol::{Payload, Refusal, SOLUTION_HEADER, Verified, read_header};

/// Returns the purpose of a request's challenge or solution.
pub(super) fn purpose(state: &AppState, app: &App, headers: &HeaderMap, extensions: &Extensions) -> Purpose {
    Purpose::new(app, client_address::of(state, headers, extensions))
}

/// Verifies the request's solution and marks its challenge as used, or returns the reason why the solution is invalid.
pub(super) async fn require_solution(
    state: &AppState,
    settings: &ProofOfWork,
    purpose: &Purpose,
    headers: &HeaderMap,
) -> Result<(), Error> {
    let spent = spend(state, settings, purpose, headers).await;
    match &spent {
        Ok(()) => _ = state.metrics.challenges_spent.inc(),
        Err(Error::Pow(refusal)) => state.metrics.refused(refusal.reason()),
        Err(_) => {}
    }
    spent
}

async fn spend(
    state: &AppState,
    settings: &ProofOfWork,
    purpose: &Purpose,
    headers: &HeaderMap,
) -> Result<(), Error> {
    let mut solutions = headers.get_all(SOLUTION_HEADER).iter();
    let solution = solutions.next().ok_or(Refusal::Required)?.to_str().map_err(|_| Refusal::Invalid)?;
    if solutions.next().is_some() {
        return Err(Refusal::Invalid.into());
    }
    let verified = verify(state, settings, purpose, solution)?;
    if !purpose.satisfies(&verified.binding, settings.is_binding_required) {
        return Err(Refusal::Invalid.into());
    }
    if state.store.spend_challenge(&verified.replay_key, verified.expires_at_seconds).await? {
        Ok(())
    } else {
        Err(Refusal::Replayed.into())
    }
}

fn verify(
    state: &AppState,
    settings: &ProofOfWork,
    purpose: &Purpose,
    solution: &str,
) -> Result<Verified, Refusal> {
    let now = state.clock.now_seconds();
    let accepts = |version| settings.accepts(version, purpose.version);
    match (read_header(solution)?, &state.issuer) {
        (Payload::V1(solution), _) if accepts(PowVersion::V1) => verify_v1(settings, &solution, now),
        (Payload::V2(payload), Some(issuer)) if accepts(PowVersion::V2) => issuer.verify(&payload, now),
        _ => Err(Refusal::Invalid),
    }
}

/// Verifies with the first secret, and with the second one if the first did not sign the challenge.
fn verify_v1(settings: &ProofOfWork, solution: &str, now_seconds: u64) -> Result<Verified, Refusal> {
    let by = |secret: &crate::Secret| saltmine_protocol::verify(secret.as_bytes(), solution, now_seconds);
    match (by(&settings.secret), &settings.second_secret) {
        (Err(Refusal::Invalid), Some(second)) => by(second),
        (result, _) => result,
    }
}
