//! A salt is random hex, then optional parameters: `<random>?name=value&name=value&`.

use crate::decimal::parse_canonical;

/// The values of every parameter called `expires`, as written. Over bytes: `str`'s searchers are large.
fn expires(salt: &str) -> impl Iterator<Item = &[u8]> {
    let salt = salt.as_bytes();
    let random = salt.iter().position(|byte| *byte == b'?').unwrap_or(salt.len());
    let parameters = salt.get(random + 1..).unwrap_or_default();
    parameters.split(|byte| *byte == b'&').filter_map(|parameter| {
        let value = parameter.strip_prefix(b"expires")?;
        if value.is_empty() { Some(value) } else { value.strip_prefix(b"=") }
    })
}

/// When the challenge ends, in Unix seconds, as far as a client can tell: it takes salts of any form.
pub(crate) fn expires_at_seconds(salt: &str) -> Option<u64> {
    expires(salt).next().and_then(parse_canonical)
}

/// The same for the server, which takes only the form that it issues: exactly one `expires`, and `&` at the end.
///
/// That last `&` parts the salt from the number: digits of one cannot be passed off as digits of the other
/// (CVE-2025-68113).
#[cfg(feature = "verify")]
pub(crate) fn sealed_expires_at_seconds(salt: &str) -> Option<u64> {
    let mut all = expires(salt);
    let (first, second) = (all.next()?, all.next());
    if second.is_some() || !salt.ends_with('&') {
        return None;
    }
    parse_canonical(first)
}
