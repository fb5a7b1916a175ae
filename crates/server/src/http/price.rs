//! The difficulty of a challenge, and the counters of its app and its address.

use super::client_address;
use crate::AppState;
use crate::limits::AddressPrefix;
use axum::http::{Extensions, HeaderMap};

/// Counts a challenge for an app, or for none, and returns the multiple of the configured work that it requires.
pub(super) async fn of_challenge(
    state: &AppState,
    app: Option<&str>,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> f64 {
    let prefix = AddressPrefix::of(client_address::of(state, headers, extensions));
    state.limits.price(app, prefix, state.clock.elapsed()).await
}

/// Counts a session of an app.
pub(super) async fn count_session(state: &AppState, app: &str, headers: &HeaderMap, extensions: &Extensions) {
    let prefix = AddressPrefix::of(client_address::of(state, headers, extensions));
    state.limits.count_session(app, prefix, state.clock.elapsed()).await;
}
