use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A secret text. Neither `Debug` nor a log shows it, and its memory is overwritten when it is dropped.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// Returns the bytes of the secret.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.reveal().as_bytes()
    }

    /// Returns the text itself, for the code that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns whether `other` is this secret, in constant time: the function compares digests, so that the time does not
    /// depend on the length either.
    #[must_use]
    pub fn matches(&self, other: &str) -> bool {
        Sha256::digest(self.reveal()).ct_eq(&Sha256::digest(other)).into()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_does_not_show_it() {
        let shown = format!("{:?}", Secret::from("correct horse"));
        assert!(!shown.contains("correct"), "{shown}");
    }

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
