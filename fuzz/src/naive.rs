//! The protocol's small parts once more, written plainly: what the crates' own are held against.

use saltmine_protocol::Binding;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// HMAC-SHA-256 as RFC 2104 has it, for keys of at most a block.
pub(crate) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

/// An integer of at most 53 bits in its one spelling.
pub(crate) fn canonical(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text && *number < 1 << 53)
}

/// The values of a salt's parameters of this name.
pub(crate) fn values<'a>(salt: &'a str, name: &str) -> Vec<&'a str> {
    let Some((_, parameters)) = salt.split_once('?') else { return Vec::new() };
    let named = |parameter: &&str| parameter.split('=').next() == Some(name);
    parameters
        .split('&')
        .filter(named)
        .map(|text| text.split_once('=').map_or("", |(_, value)| value))
        .collect()
}

/// Returns the values that a salt binds its challenge to; `None` if it does so twice, or not by a plain name.
pub(crate) fn binding(salt: &str) -> Option<Binding> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
    let value = |name| match values(salt, name)[..] {
        [] => Some(None),
        [value] => (!value.is_empty() && value.chars().all(is_plain)).then(|| Some(value.to_owned())),
        _ => None,
    };
    Some(Binding { app: value("app")?, address: value("address")? })
}

/// The named members of a JSON object as they are written; `None` if it is no object, or has one of them twice.
pub(crate) fn members<'a>(json: &'a [u8], names: &[&str]) -> Option<BTreeMap<String, &'a RawValue>> {
    struct Members<'n>(&'n [&'n str]);
    impl<'de> Visitor<'de> for Members<'_> {
        type Value = Option<BTreeMap<String, &'de RawValue>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let (mut found, mut twice) = (BTreeMap::new(), false);
            while let Some(name) = map.next_key::<String>()? {
                if self.0.contains(&&*name) {
                    twice |= found.insert(name, map.next_value::<&RawValue>()?).is_some();
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok((!twice).then_some(found))
        }
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let found = reader.deserialize_map(Members(names)).ok()?;
    reader.end().ok()?;
    found
}

/// Returns the value of such a member, if it is a string.
pub(crate) fn string(member: Option<&&RawValue>) -> Option<String> {
    serde_json::from_str(member?.get()).ok()
}

/// A text with some changes: each is a place in two bytes, what to do there, and a byte for it.
pub(crate) fn changed(mut text: Vec<u8>, changes: &[u8]) -> Vec<u8> {
    for change in changes.as_chunks::<4>().0 {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % (text.len() + 1);
        match (change[2] % 4, at < text.len()) {
            (0, true) => text[at] = change[3],
            (1, true) => drop(text.remove(at)),
            (2, _) => text.truncate(at),
            _ => text.insert(at, change[3]),
        }
    }
    text
}
