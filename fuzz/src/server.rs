//! The server's judges, by their files: as a dependency it would bring its database and its HTTP along, two hundred crates
//! more to build under a sanitizer.
#![allow(dead_code, reason = "the server uses more of them")]

#[path = "../../crates/server/src/allowed_domain.rs"]
pub(crate) mod allowed_domain;
#[path = "../../crates/server/src/secret.rs"]
pub(crate) mod secret;
#[path = "../../crates/server/src/token.rs"]
pub(crate) mod token;

/// The members of an app that `token.rs` uses.
pub(crate) struct App {
    pub(crate) tenant_id: String,
    pub(crate) project_id: String,
    pub(crate) id: String,
}
