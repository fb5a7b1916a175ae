//! Challenges of both versions, as they are read from a response.

use alloc::boxed::Box;
use alloc::string::String;

use saltmine_protocol::{Challenge as ChallengeV1, JsonObject, RawChallenge, double};

use super::{Json, json_text};
use crate::failure::{Code, Failure};

/// A challenge of either version of ALTCHA.
#[derive(Clone, Debug)]
pub enum Challenge {
    /// Version 1: a number whose hash is known.
    V1(Box<ChallengeV1>),
    /// Version 2: a counter whose derived key has a known prefix.
    V2(ChallengeV2),
}

/// A challenge of version 2, which is searched elsewhere.
#[derive(Clone, Debug)]
pub struct ChallengeV2 {
    /// `{"parameters":…,"signature":…}` with the values as they were received: they are signed.
    pub text: String,
    /// `parameters.expiresAt`, in Unix seconds.
    pub expires_at_seconds: Option<f64>,
}

impl Challenge {
    /// Reads a challenge of either version.
    pub(super) fn read<J: Json>(body: &J, max_number: u64) -> Result<Self, Failure> {
        let Some(parameters) = body.object("parameters") else {
            return read_challenge(body, max_number).map(Self::V1);
        };
        let source = body.source();
        let Some(raw) = json_text::member(&source, "parameters") else {
            return Err(Failure { field: Some("parameters"), ..Code::ChallengeMalformed.into() });
        };
        let mut text = JsonObject::new().raw("parameters", raw);
        if let Some(signature) = json_text::member(&source, "signature") {
            text = text.raw("signature", signature);
        }
        let expires_at_seconds = parameters.number("expiresAt").filter(|seconds| *seconds > 0.0);
        Ok(Self::V2(ChallengeV2 { text: text.finish(), expires_at_seconds }))
    }

    /// Returns when it expires, in Unix milliseconds of the server's clock.
    pub(super) fn expires_at_ms(&self) -> Option<f64> {
        let seconds = match self {
            Self::V1(challenge) => double(challenge.expires_at_seconds()?),
            Self::V2(challenge) => challenge.expires_at_seconds?,
        };
        Some(seconds * 1_000.0)
    }
}

/// Reads a challenge of version 1 strictly and compares it with the caller's limit.
///
/// # Errors
/// `challenge_malformed`, `algorithm_unsupported`, `maxnumber_too_large`.
pub fn read_challenge<J: Json>(body: &J, max_number: u64) -> Result<Box<ChallengeV1>, Failure> {
    let challenge = Box::new(ChallengeV1::parse(RawChallenge {
        algorithm: body.text("algorithm"),
        challenge: body.text("challenge"),
        max_number: body.number("maxnumber"),
        salt: body.text("salt"),
        signature: body.text("signature"),
        expires_at_ms: body.number("expiresAt"),
    })?);
    if challenge.max_number() > max_number {
        return Err(Code::MaxNumberTooLarge.into());
    }
    Ok(challenge)
}
