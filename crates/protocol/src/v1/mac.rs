//! The two digests of a SHA-256 challenge, the only kind that this crate issues.

use super::Algorithm;
use crate::{decimal, hex};
use alloc::string::String;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub(crate) const ISSUED: Algorithm = Algorithm::Sha256;

/// `H(salt + decimal(number))`
pub(crate) fn digest(salt: &str, number: u64) -> [u8; 32] {
    let mut decimal = String::new();
    decimal::push_canonical(&mut decimal, number);
    Sha256::new().chain_update(salt).chain_update(decimal).finalize().into()
}

/// `hex(HMAC-H(secret, challenge))`, over the challenge's hex text.
pub(crate) fn sign(secret: &[u8], challenge: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    hex::encode(&mac.chain_update(challenge).finalize().into_bytes())
}
