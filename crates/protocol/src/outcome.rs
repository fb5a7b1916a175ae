use crate::Binding;
use core::fmt;

/// A valid solution. It is not spent yet: the caller stores `replay_key` once, atomically, or refuses the solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Identifies the challenge: the same for every spelling of its solution. Keys of versions 1 and 2 never meet.
    pub replay_key: [u8; 32],
    /// When the challenge expires, in Unix seconds: until then the key must be stored.
    pub expires_at_seconds: u64,
    /// What the challenge is bound to: the caller refuses a solution that is used for anything else.
    pub binding: Binding,
}

/// Why a request was refused for its proof of work, in the terms of the protocol.
///
/// Verification returns `Required`, `Invalid` and `Expired`; `Replayed` is for the caller, which stores the spent
/// challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No solution was sent.
    Required,
    /// The solution solves no challenge of this server.
    Invalid,
    /// It solves one that has expired.
    Expired,
    /// It solves one that was solved before.
    Replayed,
}

impl Refusal {
    /// The stable code that clients switch on.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Required => "pow_required",
            Self::Invalid => "pow_invalid",
            Self::Expired => "pow_expired",
            Self::Replayed => "pow_replayed",
        }
    }

    /// The sentence that people read.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Required => "Proof-of-work challenge solution is required.",
            Self::Invalid => "Proof-of-work challenge solution is invalid.",
            Self::Expired => "Proof-of-work challenge has expired. Please request a new challenge.",
            Self::Replayed => "Proof-of-work challenge solution has already been used.",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl core::error::Error for Refusal {}
