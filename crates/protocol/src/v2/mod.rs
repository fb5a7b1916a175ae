//! ALTCHA version 2: find the `counter` whose derived key begins with a prefix.
//!
//! A client reads [`Parameters`], searches, and writes its solution with [`payload`]; the text of the challenge's
//! `parameters` goes back as it was received ([`member`]). A server issues with `issue_deterministic` or
//! `issue_probabilistic` (feature `issue`) and verifies with `Payload::verify` (feature `verify`). This crate derives no
//! keys: the caller passes a function that does, such as `saltmine_solver::kdf::derive`.

mod algorithm;
#[cfg(feature = "verify")]
mod canonical;
#[cfg(any(feature = "issue", feature = "verify"))]
mod hmac;
#[cfg(feature = "issue")]
mod issue;
mod member;
mod parameters;
mod solution;
#[cfg(feature = "verify")]
mod verify;

pub use algorithm::Algorithm;
#[cfg(feature = "verify")]
pub use canonical::canonical;
#[cfg(any(feature = "issue", feature = "verify"))]
pub use hmac::{HmacAlgorithm, Secrets};
#[cfg(feature = "issue")]
pub use issue::{Issued, Prepared, Settings, issue_deterministic, issue_probabilistic};
pub use member::member;
pub use parameters::{MAX_KEY_LENGTH, Parameters, ParametersError, RawParameters};
pub use solution::{payload, wrapped_header};
#[cfg(feature = "verify")]
pub use verify::Payload;
