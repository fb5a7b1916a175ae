#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod base64;
#[cfg(any(feature = "issue", feature = "verify"))]
mod binding;
mod decimal;
#[cfg(feature = "verify")]
mod header;
mod hex;
mod json;
#[cfg(feature = "verify")]
mod outcome;
#[cfg(feature = "issue")]
mod random;
pub mod v1;
pub mod v2;

pub use base64::encode as encode_base64;
pub use decimal::{MAX_NUMBER, double, whole};
pub use json::JsonObject;
pub use v1::{Algorithm, Challenge, ChallengeError, DEFAULT_MAX_NUMBER, Field, RawChallenge, Solution};

#[cfg(any(feature = "issue", feature = "verify"))]
pub use binding::Binding;
#[cfg(feature = "verify")]
pub use header::{MAX_HEADER_BYTES, Payload, read_header};
#[cfg(feature = "verify")]
pub use outcome::{Refusal, Verified};
#[cfg(feature = "verify")]
pub use v1::verify;
#[cfg(feature = "issue")]
pub use v1::{IssueParams, issue, issue_bound};

/// The request header that carries the solution, as [`Solution::to_header`] writes it.
pub const SOLUTION_HEADER: &str = "X-Inkeep-Challenge-Solution";

/// The request header that names the app on every call of the run API.
pub const APP_ID_HEADER: &str = "X-Inkeep-App-Id";
