//! `allowedDomains` against the `Origin` of a browser. Input: an entry, a line feed, an origin.

use crate::server::allowed_domain::AllowedDomain;
use url::Url;

/// Checks one case.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (entry, origin) = text.split_once('\n').unwrap_or((text, "https://docs.example.com"));
    let Ok(domain) = entry.parse::<AllowedDomain>() else { return };

    assert_eq!(domain.to_string(), entry, "it is kept as it was written");
    let stored = serde_json::to_string(&domain).expect("it can be stored");
    assert_eq!(serde_json::from_str::<AllowedDomain>(&stored).expect("and read"), domain);

    assert_eq!(domain.allows(origin), naive_allows(entry, origin), "{entry:?} {origin:?}");
    if entry != "*" {
        neighbours(&domain, entry);
    }
}

/// The host of an entry as a URL has it, whether what is below belongs to it, and its port.
fn naive_entry(entry: &str) -> (String, bool, Option<u16>) {
    let (below, rest) = entry.strip_prefix("*.").map_or((false, entry), |rest| (true, rest));
    // Such as `[::1]`, which has colons of its own.
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !rest.ends_with(']') => (host, port.parse().ok()),
        _ => (rest, None),
    };
    let url = Url::parse(&format!("http://{host}/")).expect("an entry's host is one");
    (url.host_str().expect("with a name").to_owned(), below, port)
}

/// The host and the port of an origin that a browser would write, but in any case and with any port written out.
fn naive_origin(origin: &str) -> Option<(String, u16)> {
    let url = Url::parse(origin).ok()?;
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let lower = origin.to_ascii_lowercase();
    let rest = lower.strip_prefix(url.scheme())?.strip_prefix("://")?.strip_prefix(host)?;
    let is_port = rest.strip_prefix(':').is_some_and(|digits| digits.parse() == Ok(port));
    // No name of DNS has other characters, though a URL may: `'` or `$`.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_plain);
    let is_host = host.starts_with('[') || host.split('.').all(is_label);
    let is_web = matches!(url.scheme(), "http" | "https") && is_host && host.len() <= 253 && port != 0;
    (is_web && (rest.is_empty() || is_port)).then(|| (host.to_owned(), port))
}

fn naive_allows(entry: &str, origin: &str) -> bool {
    if entry == "*" {
        return !origin.is_empty();
    }
    let (host, below, port) = naive_entry(entry);
    naive_origin(origin).is_some_and(|(given_host, given_port)| {
        let is_below = below && given_host.ends_with(&format!(".{host}"));
        (given_host == host || is_below) && port.is_none_or(|port| port == given_port)
    })
}

/// Checks the origins next to an entry: its own host, its subdomains, and hosts that only look like it.
fn neighbours(domain: &AllowedDomain, entry: &str) {
    let (host, below, port) = naive_entry(entry);
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    assert!(domain.allows(&format!("https://{host}{port}")), "{entry:?}");
    assert!(
        domain.allows(&format!("HTTP://{}{port}", host.to_ascii_uppercase())) || port == ":443",
        "{entry:?}"
    );
    // A longer name may be none.
    if host.len() < 250 {
        assert_eq!(domain.allows(&format!("https://a.{host}{port}")), below, "{entry:?}");
    }
    // A host that the entry's cannot be an end of.
    let evil = if host.ends_with('e') { "evil.invalid" } else { "evil.example" };
    for look_alike in [
        format!("https://a{host}{port}"),
        format!("https://a.a{host}{port}"),
        format!("https://{host}.{evil}{port}"),
        format!("https://{evil}{port}/{host}"),
        format!("https://{evil}{port}#.{host}"),
        format!("https://{host}@{evil}{port}"),
        format!("https://{host}{port}@{evil}"),
        format!("https://{evil}\\.{host}{port}"),
        format!("https://user@{host}{port}"),
        format!("https://{host}{port}/"),
        format!("https://{host}.{port}"),
        format!("https://.{host}{port}"),
        format!("ftp://{host}{port}"),
        format!("//{host}{port}"),
        format!("{host}{port}"),
        format!(" https://{host}{port}"),
        format!("https://{host}{port}, https://{evil}"),
        "null".into(),
        String::new(),
    ] {
        assert!(!domain.allows(&look_alike), "{entry:?} {look_alike:?}");
    }
}
