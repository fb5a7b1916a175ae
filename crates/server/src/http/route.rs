//! The route of a request, for the metrics: paths have ids in them, and there may be any number of those.

use axum::extract::{MatchedPath, Request};
use std::sync::{Arc, OnceLock};

/// Goes with a request, and is filled by the route that takes it.
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
        // No route is within another.
        let _ = route.0.set(path.clone());
    }
    request
}
