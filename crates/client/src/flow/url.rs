//! URLs that a response names, relative to the challenge's.

use alloc::string::String;

use super::concat;

/// Resolves a reference (RFC 3986, 5.2) against an absolute URL. Dot segments are left to the runtime, which removes
/// them from every URL that it requests. A reference without a query gets that of `base`, which is what ALTCHA's widget
/// does.
pub(super) fn resolve(reference: &str, base: &str) -> String {
    let place = |text: &str, wanted: u8| text.bytes().position(|byte| byte == wanted);
    let upto = |at: usize| base.get(..at).unwrap_or_default();
    let query_start = place(base, b'?').unwrap_or(base.len());
    // The authority follows the two slashes after the scheme.
    let scheme = place(base, b'/').unwrap_or_default();
    let authority = scheme + 2;
    let path = base.get(authority..query_start).and_then(|rest| place(rest, b'/'));
    let path = path.map_or(query_start, |at| authority + at);
    let folder = upto(query_start).bytes().rposition(|byte| byte == b'/').map_or(path, |at| at.max(path));
    let query =
        if place(reference, b'?').is_some() { "" } else { base.get(query_start..).unwrap_or_default() };
    let mut parts = [upto(folder), "/", reference, query];
    if reference.starts_with("https://") || reference.starts_with("http://") {
        (parts[0], parts[1]) = ("", "");
    } else if reference.starts_with("//") {
        (parts[0], parts[1]) = (upto(scheme), "");
    } else if reference.starts_with('/') {
        (parts[0], parts[1]) = (upto(path), "");
    }
    concat(&parts)
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn references_are_resolved_against_the_challenge() {
        let base = "https://api.example.com/a/v1/challenge?apiKey=k";
        for (reference, url) in [
            ("/v1/his", "https://api.example.com/v1/his?apiKey=k"),
            ("/v1/his?x=1", "https://api.example.com/v1/his?x=1"),
            ("verify", "https://api.example.com/a/v1/verify?apiKey=k"),
            ("//other.example/verify", "https://other.example/verify?apiKey=k"),
            ("http://other.example/", "http://other.example/?apiKey=k"),
        ] {
            assert_eq!(resolve(reference, base), url);
        }
        assert_eq!(resolve("/verify", "http://127.0.0.1:8787"), "http://127.0.0.1:8787/verify");
        assert_eq!(resolve("verify", "http://127.0.0.1:8787"), "http://127.0.0.1:8787/verify");
        assert_eq!(resolve("//x", ""), "//x", "a base that is none does no harm");
    }
}
