use crate::Secret;
use hmac::{Hmac, KeyInit, Mac};
use saltmine_protocol::v2::{HmacAlgorithm, Secrets};
use sha2::Sha256;
use std::fmt::Write;

/// The labels from which the keys of version 2 are derived. Version 1 signs the hex of a digest with the secret itself, so
/// that none of its signatures is one of these keys.
const SIGNATURE_LABEL: &str = "saltmine ALTCHA v2 signature";
const KEY_SIGNATURE_LABEL: &str = "saltmine ALTCHA v2 key signature";

/// The keys of version 2, derived from the secret of version 1: lower-case hex of HMAC-SHA-256(secret, label), as text, the
/// form of secrets in `altcha-lib`.
#[derive(Clone)]
pub(crate) struct V2Keys {
    signature: String,
    key_signature: String,
}

impl V2Keys {
    pub(crate) fn derive(secret: &Secret) -> Self {
        Self { signature: key(secret, SIGNATURE_LABEL), key_signature: key(secret, KEY_SIGNATURE_LABEL) }
    }

    #[cfg(test)]
    pub(super) fn of(signature: String, key_signature: String) -> Self {
        Self { signature, key_signature }
    }

    pub(crate) fn secrets(&self) -> Secrets<'_> {
        Secrets {
            signature: self.signature.as_bytes(),
            key: Some(self.key_signature.as_bytes()),
            hmac: HmacAlgorithm::Sha256,
        }
    }
}

fn key(secret: &Secret, label: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.chain_update(label).finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::V2Keys;

    #[test]
    fn every_key_is_another() {
        let [first, second] = ["one secret", "another secret"].map(|secret| V2Keys::derive(&secret.into()));
        let mut keys = vec![
            "one secret",
            "another secret",
            &first.signature,
            &first.key_signature,
            &second.signature,
            &second.key_signature,
        ];
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 6);
        // Computed with `openssl dgst -sha256 -hmac "one secret"`.
        assert_eq!(first.signature, SIGNATURE);
    }

    const SIGNATURE: &str = "a75464db87bb66055f963a449e88f711c7538eeccf1fa482a248d9da6ed3d059";
}
