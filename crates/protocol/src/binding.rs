//! The values that a challenge is bound to.

use alloc::string::String;

/// The app and the network that a challenge is bound to. The server signs them with the challenge; the verifier
/// compares them with the request.
///
/// In version 1 they are parameters of the salt (`app` and `address`), in version 2 members of `data` with these names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    /// The id of the app for which a solution is valid; `None`: any app.
    pub app: Option<String>,
    /// The network from which a solution is valid, such as `192.0.2.0/24`; `None`: any network.
    pub address: Option<String>,
}

impl Binding {
    /// A challenge that is bound to nothing.
    pub const NONE: Self = Self { app: None, address: None };

    /// The names and values, in the order of their names.
    #[cfg(feature = "issue")]
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let members = [("address", &self.address), ("app", &self.app)];
        members.into_iter().filter_map(|(name, value)| {
            let value = value.as_deref()?;
            assert!(is_plain(value), "a challenge cannot be bound to the {name} {value:?}");
            Some((name, value))
        })
    }
}

/// Whether a value can be written into a salt without an escape, and is not empty.
pub(crate) fn is_plain(value: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
    !value.is_empty() && value.bytes().all(is_plain)
}
