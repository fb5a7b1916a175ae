//! The client's address of a request, from the headers of trusted proxies.

use crate::AppState;
use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Returns the address to count a request by.
pub(super) fn of(state: &AppState, headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
    behind(&state.settings.trusted_proxies, peer(extensions), headers)
}

/// Returns whether a request comes directly from a trusted proxy, whose headers about the request are then used.
pub(super) fn is_from_trusted_proxy(state: &AppState, extensions: &Extensions) -> bool {
    is_trusted(&state.settings.trusted_proxies, peer(extensions))
}

/// Returns the address at the other end of the connection.
fn peer(extensions: &Extensions) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)).to_canonical()
}

/// Each proxy appends the address that sent it the request. Read from the last one backwards, the first address that is
/// not that of a trusted proxy is the client's. The entries before it are not trustworthy.
fn behind(trusted: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
    let mut address = peer;
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !is_trusted(trusted, address) {
            return address;
        }
        match parse(entry.trim()) {
            Some(earlier) => address = earlier,
            None => return address,
        }
    }
    address
}

/// Returns whether the address is that of a trusted proxy.
pub(crate) fn is_trusted(trusted: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|network| network.contains(&address))
}

/// Parses an address, with or without a port.
fn parse(entry: &str) -> Option<IpAddr> {
    let address = entry.parse().ok().or_else(|| Some(entry.parse::<SocketAddr>().ok()?.ip()));
    address
        .or_else(|| entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
        .map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::behind;
    use axum::http::HeaderMap;

    fn address(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        behind(&trusted, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(address("203.0.113.1", &["198.51.100.1"]), "203.0.113.1");
        assert_eq!(address("192.0.2.8", &["198.51.100.1"]), "192.0.2.8");
        assert_eq!(address("192.0.2.7", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(address("fd00::1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(address("10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn what_the_client_wrote_itself_is_passed_over() {
        assert_eq!(address("10.0.0.1", &["1.1.1.1, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &["1.1.1.1", "198.51.100.1, 10.9.9.9"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &["10.2.2.2, 10.3.3.3"]), "10.2.2.2");
        assert_eq!(address("10.0.0.1", &["1.1.1.1, nonsense"]), "10.0.0.1");
        assert_eq!(address("10.0.0.1", &["1.1.1.1, nonsense, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(address("10.0.0.1", &[""]), "10.0.0.1");
    }

    #[test]
    fn ports_and_brackets_do_not_matter() {
        assert_eq!(address("10.0.0.1", &["198.51.100.1:4711"]), "198.51.100.1");
        assert_eq!(address("10.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(address("10.0.0.1", &["[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(address("10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
    }
}
