use super::openapi;
use crate::Error;
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use std::path::Path;
use tower_http::services::ServeDir;

/// Serves the files of a folder at every path without a route. `/docs` is the documentation in the folder; without it,
/// `/docs` redirects to the API's page.
pub(super) fn serve(router: Router, folder: Option<&Path>) -> Router {
    let has_docs = folder.is_some_and(|folder| folder.join("docs/index.html").is_file());
    let router = if has_docs {
        router
    } else {
        let to_page = get(async || Redirect::temporary(openapi::PAGE));
        router.route("/docs", to_page.clone()).route("/docs/", to_page)
    };
    let Some(folder) = folder else {
        return router;
    };
    let files = Router::new()
        .fallback_service(ServeDir::new(folder))
        .layer(middleware::from_fn(set_caching))
        .layer(middleware::from_fn(hide_dot_files));
    router.fallback_service(files)
}

/// Refuses a file whose name, or whose folder's name, begins with a dot: `.env`, `.git`. `.well-known` is public.
async fn hide_dot_files(request: Request, next: Next) -> Response {
    let is_hidden = |segment: &str| {
        let encoded = segment.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2e"));
        (segment.starts_with('.') || encoded) && segment != ".well-known"
    };
    if request.uri().path().split('/').any(is_hidden) {
        return Error::RouteNotFound.into_response();
    }
    next.run(request).await
}

/// Sets the cache headers. Files in a folder `assets` have the hash of their content in their name; browsers revalidate
/// the others.
async fn set_caching(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_asset = path.strip_prefix("/docs").unwrap_or(path).starts_with("/assets/");
    let mut response = next.run(request).await;
    // A missing file may exist after the next deployment.
    let caching = if is_asset && !response.status().is_client_error() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
