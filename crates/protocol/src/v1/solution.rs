use super::Challenge;
use crate::{JsonObject, base64};
use alloc::string::String;

/// A solved challenge: the number, and the challenge as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Solution<'a> {
    challenge: &'a Challenge,
    number: u64,
}

impl<'a> Solution<'a> {
    pub(crate) fn new(challenge: &'a Challenge, number: u64) -> Self {
        Self { challenge, number }
    }

    /// The number that was found.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The value of [`SOLUTION_HEADER`](crate::SOLUTION_HEADER): base64, with padding, of compact JSON.
    #[must_use]
    pub fn to_header(&self) -> String {
        let challenge = self.challenge;
        let json = JsonObject::new()
            .text("algorithm", challenge.algorithm_name())
            .text("challenge", challenge.challenge())
            .number("number", self.number)
            .text("salt", challenge.salt())
            .text("signature", challenge.signature())
            .finish();
        base64::encode(json.as_bytes())
    }
}
