//! The client that a browser runs, in a Web Worker where it can: fetch the challenge, solve it, request
//! the session.
//!
//! [`flow`] decides and does no I/O: it is a state machine whose inputs are responses, the time, chance and search
//! results, and whose outputs are the next things to do. It is tested natively, in microseconds. [`edge`] is the
//! door that the npm package calls: its worker does what each step asks for (`fetch`, a timer) and comes back with
//! what happened. So the module needs no runtime for futures, which would double it, and is the same where there is
//! no WebAssembly and it runs as JavaScript.
//!
//! There is no serde, no text formatting and no panic with words in here: failures cross to JavaScript as
//! stable codes, and their sentences live in the npm package.

#![cfg_attr(all(target_arch = "wasm32", feature = "module"), no_std)]

extern crate alloc;

pub mod failure;
pub mod flow;

pub mod edge;
pub mod form;
#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod module;
mod step;
