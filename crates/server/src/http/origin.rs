use crate::{Error, WebClient};
use axum::http::{HeaderMap, header};

/// Refuses a request that does not come from one of the app's pages.
///
/// Browsers set `Origin` on every cross-origin request and on every POST; a request without it is refused even where
/// any origin is allowed.
pub(super) fn require_allowed(web_client: &WebClient, headers: &HeaderMap) -> Result<(), Error> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return Err(Error::OriginNotAllowed);
    };
    let origin = origin.to_str().map_err(|_| Error::OriginNotAllowed)?;
    let allowed = web_client.allowed_domains.iter().any(|domain| domain.allows(origin));
    if allowed { Ok(()) } else { Err(Error::OriginNotAllowed) }
}
