use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// A secret text. Neither `Debug` nor a log shows it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The bytes to compute with.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Returns the text itself, for the code that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `other` is this secret, in constant time: digests are compared, so that not
    /// even the length shows.
    #[must_use]
    pub fn matches(&self, other: &str) -> bool {
        Sha256::digest(&self.0).ct_eq(&Sha256::digest(other)).into()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn only_the_same_text_matches() {
        let secret = Secret::from("correct horse");
        assert!(secret.matches("correct horse"));
        for other in ["", "correct", "correct horse ", "Correct horse", "correct hors\0"] {
            assert!(!secret.matches(other), "{other}");
        }
    }

    #[test]
    fn it_is_not_shown() {
        assert!(!format!("{:?}", Secret::from("correct horse")).contains("horse"));
    }
}
