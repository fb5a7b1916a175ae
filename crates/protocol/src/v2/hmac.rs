use crate::hex;
use alloc::string::String;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

/// The hash function of both signatures. It is not part of a challenge: issuer and verifier agree on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HmacAlgorithm {
    /// HMAC-SHA-256
    #[default]
    Sha256,
    /// HMAC-SHA-384
    Sha384,
    /// HMAC-SHA-512
    Sha512,
}

impl HmacAlgorithm {
    /// Returns the lower-case hex of HMAC(secret, message).
    #[must_use]
    pub fn sign(self, secret: &[u8], message: &[u8]) -> String {
        match self {
            Self::Sha256 => sign::<Hmac<Sha256>>(secret, message),
            Self::Sha384 => sign::<Hmac<Sha384>>(secret, message),
            Self::Sha512 => sign::<Hmac<Sha512>>(secret, message),
        }
    }
}

fn sign<M: Mac + KeyInit>(secret: &[u8], message: &[u8]) -> String {
    let mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes a key of any length");
    hex::encode(&mac.chain_update(message).finalize().into_bytes())
}

/// The secrets of an issuer and verifier. Neither may be empty.
#[derive(Clone, Copy)]
pub struct Secrets<'a> {
    /// Signs the parameters of a challenge.
    pub signature: &'a [u8],
    /// Signs the derived key of a deterministic challenge, so that its verification derives no key.
    pub key: Option<&'a [u8]>,
    /// The hash function of both.
    pub hmac: HmacAlgorithm,
}

impl Secrets<'_> {
    #[cfg(any(feature = "issue", feature = "verify"))]
    pub(crate) fn sign_parameters(&self, canonical: &str) -> String {
        self.hmac.sign(self.signature, canonical.as_bytes())
    }
}

impl core::fmt::Debug for Secrets<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Secrets").field("hmac", &self.hmac).finish_non_exhaustive()
    }
}
