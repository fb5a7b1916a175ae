use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use std::path::Path;
use tower_http::services::ServeDir;

/// Serves the files of a folder at every address that no route has.
pub(super) fn serve(router: Router, folder: Option<&Path>) -> Router {
    let Some(folder) = folder else {
        return router;
    };
    let files = Router::new().fallback_service(ServeDir::new(folder)).layer(middleware::from_fn(set_caching));
    router.fallback_service(files)
}

/// Files under `/assets/` have the hash of their content in their name; the others are asked for anew.
async fn set_caching(request: Request, next: Next) -> Response {
    let is_asset = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await;
    // A file that is missing now may be there after the next deployment.
    let caching = if is_asset && !response.status().is_client_error() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
