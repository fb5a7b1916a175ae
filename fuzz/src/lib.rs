//! Untrusted input, and the properties that must be true for all of it. Each target is a plain function over bytes:
//! libFuzzer calls it with generated input (`npm run fuzz`), `tests/replay.rs` with the corpus in the repository.

pub mod challenge;
pub mod flow;
pub mod origin;
pub mod solution_header;
pub mod token;

mod body;
mod naive;
mod server;

// Under the names that they know each other by.
use server::App;
use server::secret::Secret;

/// A target: its name, which is that of its binary and of its folder in `corpus/`, and what it does with a case.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 5] = [
    ("challenge", challenge::run),
    ("flow", flow::run),
    ("origin", origin::run),
    ("solution_header", solution_header::run),
    ("token", token::run),
];
