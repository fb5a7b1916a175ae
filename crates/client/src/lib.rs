//! Gets an anonymous session token for a chat widget: requests the challenge, solves it, requests the session.
//!
//! [`flow`] is a state machine without I/O: its inputs are responses, the time, random numbers and search results, and
//! its outputs are the next steps. It is tested natively, in microseconds. On WebAssembly the
//! `edge` drives it with `fetch`, timers and `AbortSignal` of the runtime: a Web Worker, a page, a service worker, Node,
//! Deno or Bun. Its exports are [`session`], [`solve`] and [`search`], with the TypeScript types beside them.
//!
//! The npm package `saltmine` runs this module in a Web Worker. It is built without serde, text formatting and messages
//! of panics: failures reach JavaScript as stable codes, and the npm package has their messages.
#![cfg_attr(feature = "app", doc = "")]
#![cfg_attr(
    feature = "app",
    doc = "Rust web applications (Leptos, Yew, Dioxus) use [`Client`], which the feature `app` adds."
)]
#![cfg_attr(all(target_arch = "wasm32", feature = "module"), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod failure;
pub mod flow;

#[cfg(all(target_arch = "wasm32", feature = "app"))]
mod app;
#[cfg(target_arch = "wasm32")]
mod edge;
#[cfg(all(target_arch = "wasm32", feature = "module"))]
mod module;

#[cfg(all(target_arch = "wasm32", feature = "app"))]
pub use app::{Client, ClientError, Session};
#[cfg(target_arch = "wasm32")]
pub use edge::{Host, Object, SearchOptions, SessionOptions, search, session, solve};
