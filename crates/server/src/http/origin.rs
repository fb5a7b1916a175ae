use crate::{Error, WebClient};
use axum::http::{HeaderMap, header};

/// Refuses a request that does not come from one of the app's pages.
///
/// Browsers set `Origin` on every cross-origin request and on every POST. On a GET to the page's own origin they set
/// only `Sec-Fetch-Site`, which no script can set: the origin is then the request's `Host`. Any other request without an
/// origin is refused, even if any origin is allowed.
pub(super) fn require_allowed(web_client: &WebClient, headers: &HeaderMap) -> Result<(), Error> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let origin = match (origins.next(), origins.next()) {
        (Some(origin), None) => origin,
        (None, _) if headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin") => {
            return require_own_host(web_client, headers);
        }
        _ => return Err(Error::OriginNotAllowed),
    };
    let origin = origin.to_str().map_err(|_| Error::OriginNotAllowed)?;
    let allowed = web_client.allowed_domains.iter().any(|domain| domain.allows(origin));
    if allowed { Ok(()) } else { Err(Error::OriginNotAllowed) }
}

/// Checks the host that the request was sent to. The scheme is not known behind a proxy: both are accepted.
fn require_own_host(web_client: &WebClient, headers: &HeaderMap) -> Result<(), Error> {
    let host =
        headers.get(header::HOST).and_then(|host| host.to_str().ok()).ok_or(Error::OriginNotAllowed)?;
    let origins = ["https", "http"].map(|scheme| format!("{scheme}://{host}"));
    let mut domains = web_client.allowed_domains.iter();
    let allowed = domains.any(|domain| origins.iter().any(|origin| domain.allows(origin)));
    if allowed { Ok(()) } else { Err(Error::OriginNotAllowed) }
}
