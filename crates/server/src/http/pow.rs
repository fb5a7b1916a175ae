//! The solution of a challenge in the header of a request.

use crate::{AppState, Error, ProofOfWork};
use axum::http::HeaderMap;
use base64ct::{Base64, Encoding};
use saltmine_protocol::{MAX_HEADER_BYTES, Refusal, SOLUTION_HEADER, Verified};
use serde::Deserialize;
use std::borrow::Cow;

/// Takes the request's solution and spends its challenge, or says what is wrong with it.
pub(super) async fn require_solution(
    state: &AppState,
    settings: &ProofOfWork,
    headers: &HeaderMap,
) -> Result<(), Error> {
    let spent = spend(state, settings, headers).await;
    match &spent {
        Ok(()) => _ = state.metrics.challenges_spent.inc(),
        Err(Error::Pow(refusal)) => state.metrics.refused(refusal.reason()),
        Err(_) => {}
    }
    spent
}

async fn spend(state: &AppState, settings: &ProofOfWork, headers: &HeaderMap) -> Result<(), Error> {
    let mut solutions = headers.get_all(SOLUTION_HEADER).iter();
    let solution = solutions.next().ok_or(Refusal::Required)?.to_str().map_err(|_| Refusal::Invalid)?;
    if solutions.next().is_some() {
        return Err(Refusal::Invalid.into());
    }
    let verified = verify(settings, &open(solution), state.clock.now_seconds())?;
    if state.store.spend_challenge(&verified.replay_key, verified.expires_at_seconds).await? {
        Ok(())
    } else {
        Err(Refusal::Replayed.into())
    }
}

/// By the first secret; by the second if the first does not know the challenge.
fn verify(settings: &ProofOfWork, solution: &str, now_seconds: u64) -> Result<Verified, Refusal> {
    let by = |secret: &crate::Secret| saltmine_protocol::verify(secret.as_bytes(), solution, now_seconds);
    match (by(&settings.secret), &settings.second_secret) {
        (Err(Refusal::Invalid), Some(second)) => by(second),
        (result, _) => result,
    }
}

/// The header of newer widgets: base64 of this JSON.
#[derive(Deserialize)]
struct Envelope {
    /// What older clients send without an envelope.
    payload: String,
}

/// Returns the payload of an envelope, or the header itself if it is none. It is opened once: an envelope inside of
/// another is no solution.
fn open(header: &str) -> Cow<'_, str> {
    if header.len() > MAX_HEADER_BYTES {
        // Refused for its size, before anything is decoded.
        return header.into();
    }
    let envelope = Base64::decode_vec(header).ok().and_then(|json| serde_json::from_slice(&json).ok());
    envelope.map_or(header.into(), |Envelope { payload }| payload.into())
}
