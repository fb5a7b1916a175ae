use crate::Binding;
use core::fmt;

/// A valid solution. The caller stores `replay_key` atomically, and refuses the solution if it is stored already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Identifies the challenge: the same for every spelling of its solution. Keys of versions 1 and 2 are never equal.
    pub replay_key: [u8; 32],
    /// The expiry of the challenge, in Unix seconds: until then the key must be stored.
    pub expires_at_seconds: u64,
    /// The values that the challenge is bound to: the caller rejects a solution that is used for anything else.
    pub binding: Binding,
}

/// The reason why a proof of work was refused.
///
/// Verification returns `Required`, `Invalid` and `Expired`; `Replayed` is for the caller, which stores the spent
/// challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No solution was sent.
    Required,
    /// The solution does not solve a challenge of this server.
    Invalid,
    /// The challenge has expired.
    Expired,
    /// The challenge was solved before.
    Replayed,
}

impl Refusal {
    /// Returns the stable code, for clients to compare.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Required => "pow_required",
            Self::Invalid => "pow_invalid",
            Self::Expired => "pow_expired",
            Self::Replayed => "pow_replayed",
        }
    }

    /// Returns the message for people.
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
