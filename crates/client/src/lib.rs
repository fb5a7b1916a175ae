//! The client that a browser runs, in a Web Worker where it can: fetch the challenge, solve it, request
//! the session.
//!
//! [`flow`] decides and does no I/O: it is a state machine whose inputs are responses, the time and search
//! results, and whose outputs are the next things to do. It is tested natively, in microseconds. `edge`
//! (wasm only) does what the flow asks for with `fetch`, and is the door that the npm package calls.
//!
//! There is no serde, no text formatting and no panic with words in here: failures cross to JavaScript as
//! stable codes, and their sentences live in the npm package.

#![cfg_attr(all(target_arch = "wasm32", feature = "module"), no_std)]

extern crate alloc;

pub mod failure;
pub mod flow;

#[cfg(target_arch = "wasm32")]
pub mod edge;
#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod module;
