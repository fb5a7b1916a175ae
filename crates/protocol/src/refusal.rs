use core::fmt;

/// Why a session was refused for its proof of work, in the words of the protocol.
///
/// [`verify`](crate::verify) tells `Required`, `Invalid` and `Expired`; `Replayed` is for whoever keeps the spent
/// challenges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No solution was sent.
    Required,
    /// What was sent solves no challenge of this server.
    Invalid,
    /// It solves one that has ended.
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
