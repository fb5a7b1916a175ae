//! URLs that a response names, relative to the challenge's.

use alloc::string::String;

use super::concat;

/// Resolves a reference (RFC 3986, 5.2) against an absolute URL. Dot segments are left to the runtime, which removes
/// them from every URL that it requests. A reference without a query gets that of `base`, which is what ALTCHA's widget
/// does.
pub(super) fn resolve(reference: &str, base: &str) -> String {
    let (location, query) = base.find('?').map_or((base, ""), |at| base.split_at(at));
    let scheme = location.find("//").unwrap_or_default();
    let mut slashes = location.match_indices('/').map(|(at, _)| at).filter(|at| *at > scheme + 1);
    let path = slashes.next().unwrap_or(location.len());
    let folder = slashes.last().unwrap_or(path);
    let upto = |at: usize| location.get(..at).unwrap_or_default();
    let query = if reference.contains('?') { "" } else { query };
    if reference.starts_with("https://") || reference.starts_with("http://") {
        concat(&[reference, query])
    } else if reference.starts_with("//") {
        concat(&[upto(scheme), reference, query])
    } else if reference.starts_with('/') {
        concat(&[upto(path), reference, query])
    } else {
        concat(&[upto(folder), "/", reference, query])
    }
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
