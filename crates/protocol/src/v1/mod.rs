//! ALTCHA version 1: find the `number` whose digest after the salt is the challenge.

mod algorithm;
mod challenge;
#[cfg(feature = "issue")]
mod issue;
#[cfg(any(feature = "issue", feature = "verify"))]
mod mac;
mod salt;
mod solution;
#[cfg(feature = "verify")]
mod verify;

pub use algorithm::Algorithm;
pub use challenge::{Challenge, ChallengeError, DEFAULT_MAX_NUMBER, Field, RawChallenge};
#[cfg(feature = "issue")]
pub use issue::{IssueParams, issue, issue_bound};
pub use solution::Solution;
#[cfg(feature = "verify")]
pub use verify::verify;
