//! The route of a request, for the metrics: paths contain ids, of which there may be any number.

use axum::extract::{MatchedPath, Request};
use std::sync::{Arc, OnceLock};

/// The route of a request, filled when a route matches.
#[derive(Clone, Default)]
pub(super) struct Route(Arc<OnceLock<MatchedPath>>);

impl Route {
    pub(super) fn label(&self) -> &str {
        self.0.get().map_or("other", MatchedPath::as_str)
    }
}

/// Stores the matched path in the request's [`Route`]. The layer is added only to routes.
pub(super) fn note(request: Request) -> Request {
    let extensions = request.extensions();
    if let (Some(route), Some(path)) = (extensions.get::<Route>(), extensions.get::<MatchedPath>()) {
        // Routes are not nested.
        let _ = route.0.set(path.clone());
    }
    request
}
