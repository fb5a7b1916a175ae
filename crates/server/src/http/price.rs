//! The difficulty of a challenge, and the counters of its app and its address.

use super::client_address;
use crate::AppState;
use crate::limits::AddressPrefix;
use axum::http::{Extensions, HeaderMap};

/// Counts a challenge for an app, or for none, and returns the multiple of the configured work that it requires.
pub(super) async fn of_challenge(state: &AppState, app: Option<&str>, prefix: AddressPrefix) -> f64 {
    state.limits.price(app, prefix, state.clock.elapsed()).await
}

/// Returns the network of the client.
pub(super) fn prefix_of(state: &AppState, headers: &HeaderMap, extensions: &Extensions) -> AddressPrefix {
    AddressPrefix::of(client_address::of(state, headers, extensions))
}

/// Counts a session of an app.
pub(super) async fn count_session(state: &AppState, app: &str, headers: &HeaderMap, extensions: &Extensions) {
    let prefix = prefix_of(state, headers, extensions);
    state.limits.count_session(app, prefix, state.clock.elapsed()).await;
}
