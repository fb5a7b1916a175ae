//! The protocol once more, written naively: what the tests compare with.
#![allow(dead_code, unreachable_pub, reason = "each test file includes it whole and uses a part")]

use base64ct::{Base64, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::fmt::Write;

pub const SECRET: &[u8] = b"a-test-hmac-key-that-is-at-least-32-chars";
pub const NOW: u64 = 1_790_000_000;
pub const SALT: &str = "0123456789abcdef01234567?expires=1790000300&";

pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub fn digest(algorithm: &str, text: &str) -> String {
    match algorithm {
        "SHA-1" => hex(Sha1::digest(text)),
        "SHA-256" => hex(Sha256::digest(text)),
        "SHA-384" => hex(Sha384::digest(text)),
        "SHA-512" => hex(Sha512::digest(text)),
        other => panic!("{other}"),
    }
}

pub fn sign(algorithm: &str, key: &[u8], text: &str) -> String {
    match algorithm {
        "SHA-1" => hex(Hmac::<Sha1>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes()),
        "SHA-256" => {
            hex(Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes())
        }
        "SHA-384" => {
            hex(Hmac::<Sha384>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes())
        }
        "SHA-512" => {
            hex(Hmac::<Sha512>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes())
        }
        other => panic!("{other}"),
    }
}

/// A solution whose parts can be spoiled one by one. `number` is JSON text, not yet a number.
#[derive(Clone, Debug)]
pub struct Parts {
    pub algorithm: String,
    pub challenge: String,
    pub number: String,
    pub salt: String,
    pub signature: String,
}

impl Parts {
    /// The solution that an honest client sends for a challenge that this secret signed.
    pub fn honest(salt: &str, number: u64) -> Self {
        Self::signed("SHA-256", salt, &number.to_string())
    }

    /// The same for any text after the salt.
    pub fn signed(algorithm: &str, salt: &str, number: &str) -> Self {
        let challenge = digest(algorithm, &format!("{salt}{number}"));
        let signature = sign(algorithm, SECRET, &challenge);
        Self { algorithm: algorithm.into(), challenge, number: number.into(), salt: salt.into(), signature }
    }

    pub fn json(&self) -> String {
        format!(
            r#"{{"algorithm":{},"challenge":{},"number":{},"salt":{},"signature":{}}}"#,
            Value::from(&*self.algorithm),
            Value::from(&*self.challenge),
            self.number,
            Value::from(&*self.salt),
            Value::from(&*self.signature),
        )
    }

    pub fn header(&self) -> String {
        Base64::encode_string(self.json().as_bytes())
    }
}
