//! A salt is random hex, then optional parameters: `<random>?name=value&name=value&`.

#[cfg(feature = "verify")]
use crate::Binding;
#[cfg(feature = "verify")]
use crate::binding::is_plain;
use crate::decimal::parse_canonical;

/// Returns the values of every parameter of this name, as written. Over bytes: `str`'s searchers are large.
fn values<'a>(salt: &'a str, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
    let salt = salt.as_bytes();
    let random = salt.iter().position(|byte| *byte == b'?').unwrap_or(salt.len());
    let parameters = salt.get(random + 1..).unwrap_or_default();
    parameters.split(|byte| *byte == b'&').filter_map(move |parameter| {
        let value = parameter.strip_prefix(name.as_bytes())?;
        if value.is_empty() { Some(value) } else { value.strip_prefix(b"=") }
    })
}

/// Returns when the challenge expires, in Unix seconds, for the client: it accepts salts of any form.
pub(crate) fn expires_at_seconds(salt: &str) -> Option<u64> {
    values(salt, "expires").next().and_then(parse_canonical)
}

/// Returns the same for the server, which accepts only its own form: exactly one `expires`, and `&` at the end.
///
/// The last `&` separates the salt from the number: digits of one cannot be moved to the other (CVE-2025-68113).
#[cfg(feature = "verify")]
pub(crate) fn sealed_expires_at_seconds(salt: &str) -> Option<u64> {
    let mut all = values(salt, "expires");
    let (first, second) = (all.next()?, all.next());
    if second.is_some() || !salt.ends_with('&') {
        return None;
    }
    parse_canonical(first)
}

/// Returns the values that the challenge is bound to, for the server: `None` unless each parameter occurs at most once,
/// in the form that is issued.
#[cfg(feature = "verify")]
pub(crate) fn binding(salt: &str) -> Option<Binding> {
    let value = |name| {
        let mut all = values(salt, name);
        let Some(first) = all.next() else { return Some(None) };
        let value = core::str::from_utf8(first).ok().filter(|value| is_plain(value))?;
        all.next().is_none().then(|| Some(value.into()))
    };
    Some(Binding { app: value("app")?, address: value("address")? })
}
