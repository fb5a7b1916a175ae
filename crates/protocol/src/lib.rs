//! What goes over the wire between a saltmine client and its server: the challenge, its salt and the solution.
//!
//! Without features this crate is what a client needs: it reads a [`Challenge`] and writes a [`Solution`],
//! with neither serde nor a digest, so that it stays small in WebAssembly. The feature `issue` draws and signs
//! challenges, `verify` judges solution headers, `serde` writes a challenge as JSON.
//!
//! The proof of work is ALTCHA's, version 1: find the `number` with `hex(H(salt + number)) == challenge`.
//!
//! ```
//! use saltmine_protocol::{Challenge, RawChallenge};
//!
//! let challenge = Challenge::parse(RawChallenge {
//!     algorithm: Some("SHA-256".into()),
//!     challenge: Some("7cde6d48e0b44ce2201b89ce0676f2eeefbc8ebc83ee10cfbd22c1dceb5e9308".into()),
//!     max_number: None,
//!     salt: Some("6e2b152aa3abcd942cde1a22?expires=1852755218&".into()),
//!     signature: Some("0fcd04f1d722f5e9f98f8dc2e16d840a78c45a9225b9997fe670492aca2f6d80".into()),
//!     expires_at_ms: None,
//! })
//! .unwrap();
//! assert_eq!(challenge.expires_at_seconds(), Some(1_852_755_218));
//!
//! let header = challenge.solution(37).to_header();
//! assert!(header.starts_with("eyJhbGdvcml0aG0iOiJTSEEtMjU2Iiw"));
//! ```
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
