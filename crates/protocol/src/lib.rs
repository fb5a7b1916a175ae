#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod algorithm;
mod base64;
mod challenge;
mod decimal;
mod hex;
mod json;
mod salt;
mod solution;

#[cfg(feature = "issue")]
mod issue;
#[cfg(any(feature = "issue", feature = "verify"))]
mod mac;
#[cfg(feature = "verify")]
mod refusal;
#[cfg(feature = "verify")]
mod verify;

pub use algorithm::Algorithm;
pub use challenge::{Challenge, ChallengeError, DEFAULT_MAX_NUMBER, Field, RawChallenge};
pub use decimal::{MAX_NUMBER, double, whole};
pub use json::JsonObject;
pub use solution::Solution;

#[cfg(feature = "issue")]
pub use issue::{IssueParams, issue};
#[cfg(feature = "verify")]
pub use refusal::Refusal;
#[cfg(feature = "verify")]
pub use verify::{MAX_HEADER_BYTES, Verified, verify};

/// The request header that carries the solution, as [`Solution::to_header`] writes it.
pub const SOLUTION_HEADER: &str = "X-Inkeep-Challenge-Solution";

/// The request header that names the app on every call of the run API.
pub const APP_ID_HEADER: &str = "X-Inkeep-App-Id";
