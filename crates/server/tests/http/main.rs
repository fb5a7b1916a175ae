//! The router from outside: raw requests in, raw answers out, each test with a database of its own.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a helper of a test fails the test, and is for the tests"
)]

mod apps;
mod challenge;
mod chat;
mod cors;
mod openapi;
mod problem;
mod proof_of_work;
mod rate_limit;
mod serve;
mod session;
mod spent;
mod static_files;
mod support;
