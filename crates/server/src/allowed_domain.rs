//! The pages that may use an app: compares the patterns of the app's owner with the `Origin` that a browser sends.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use url::{Host, Url};

/// One entry of an app's `allowedDomains`.
///
/// | entry | allows |
/// | --- | --- |
/// | `*` | any origin, the opaque `null` of a sandboxed frame included |
/// | `*.example.com` | `example.com` and every host below it, on any port |
/// | `docs.example.com` | that host on any port |
/// | `docs.example.com:8443` | that host on that port |
///
/// ```
/// use saltmine_server::AllowedDomain;
///
/// let docs: AllowedDomain = "*.example.com".parse().unwrap();
/// assert!(docs.allows("https://docs.example.com"));
/// assert!(!docs.allows("https://docs.example.com.evil.com"));
/// assert!("https://example.com".parse::<AllowedDomain>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AllowedDomain {
    text: String,
    pattern: Pattern,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Any,
    Host { host: Host, and_below: bool, port: Option<u16> },
}

impl AllowedDomain {
    /// Returns whether a page of this origin, the value of the `Origin` header, may use the app.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        let Pattern::Host { host, and_below, port } = &self.pattern else {
            return !origin.is_empty();
        };
        let Some(origin) = Origin::parse(origin) else {
            return false;
        };
        let host_matches = match (host, &origin.host) {
            (Host::Domain(domain), Host::Domain(given)) if *and_below => {
                given.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (host, given) => host == given,
        };
        host_matches && port.is_none_or(|port| port == origin.port)
    }
}

impl FromStr for AllowedDomain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        if text == "*" {
            return Ok(Self { text: text.to_owned(), pattern: Pattern::Any });
        }
        let (and_below, rest) = text.strip_prefix("*.").map_or((false, text), |rest| (true, rest));
        let (host, port) = split_port(rest).ok_or(InvalidDomain)?;
        // The parser of hosts reads `%41` as `A` and drops tabs, which are mistakes here.
        if host.contains(|character: char| character == '%' || character.is_whitespace()) {
            return Err(InvalidDomain);
        }
        let host = Host::parse(host).map_err(|_| InvalidDomain)?;
        let is_plain = match &host {
            Host::Domain(domain) => is_plain_domain(domain),
            // IP addresses have no subdomains.
            Host::Ipv4(_) | Host::Ipv6(_) => !and_below,
        };
        let pattern = Pattern::Host { host, and_below, port };
        if is_plain { Ok(Self { text: text.to_owned(), pattern }) } else { Err(InvalidDomain) }
    }
}

/// Splits `host` or `host:port`, where an IPv6 address is in brackets.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| digits && *port != 0)?;
            Some((host, Some(port)))
        }
        _ => Some((text, None)),
    }
}

/// Returns whether the name, in its ASCII form, has only letters, digits, `-` and `_` in labels of 1 to 63 characters.
fn is_plain_domain(domain: &str) -> bool {
    domain.len() <= 253
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
}

/// An origin of the web: `https://host` or `http://host`, with the default port if none is written.
struct Origin {
    host: Host,
    port: u16,
}

impl Origin {
    /// Reads only an origin as a browser writes it: without a path, user, query or fragment, and with the host in the
    /// browser's spelling, in upper or lower case.
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://")?;
        let is_plain =
            |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b':' | b'[' | b']');
        if !matches!(scheme, "http" | "https") || !authority.bytes().all(is_plain) {
            return None;
        }
        let url = Url::parse(&text).ok()?;
        let (host, _) = split_port(authority)?;
        // Without this check `0x7f.1` would be 127.0.0.1.
        if url.host_str()? != host {
            return None;
        }
        let host = url.host()?.to_owned();
        if matches!(&host, Host::Domain(domain) if !is_plain_domain(domain)) {
            return None;
        }
        Some(Self { host, port: url.port_or_known_default()? })
    }
}

/// The text is not an entry of `allowedDomains`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be `*`, a host such as `docs.example.com`, a host and port such as `localhost:3000`, or `*.example.com`"
)]
pub struct InvalidDomain;

impl fmt::Display for AllowedDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<AllowedDomain> for String {
    fn from(domain: AllowedDomain) -> Self {
        domain.text
    }
}

impl TryFrom<String> for AllowedDomain {
    type Error = InvalidDomain;

    fn try_from(text: String) -> Result<Self, InvalidDomain> {
        text.parse()
    }
}

#[cfg(test)]
#[path = "allowed_domain_tests.rs"]
mod tests;
