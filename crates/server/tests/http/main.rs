//! Tests of the router with raw requests and raw responses, each with its own database.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a helper of a test fails the test, and is for the tests"
)]

mod adaptive_price;
mod agent;
mod api_keys;
mod apps;
mod apps_crud;
mod audit_log;
mod challenge;
mod chat;
mod chat_completions;
mod context;
mod conversations;
mod cors;
#[path = "../shared/database.rs"]
mod database;
mod database_faults;
mod demo_keys;
mod health;
mod injection;
mod openapi;
mod operation;
mod origins;
mod pow_binding;
mod pow_scope;
mod pow_v2;
mod pow_versions;
mod problem;
mod proof_of_work;
mod quotas;
mod random_solutions;
mod rate_limit;
mod revocations;
mod rotation;
mod serve;
mod session;
mod signed_in;
#[path = "../shared/solution.rs"]
mod solution;
mod spent;
mod static_files;
mod support;
mod tokens;
mod user_keys;
mod visitor;
mod visitor_data;
mod widget_events;
mod widget_requests;
