//! The public keys that verify the tokens of an app's signed-in users.

use ed25519_dalek::Verifier as _;
use jiff::Timestamp;
use rsa::pkcs1v15;
use rsa::traits::PublicKeyParts as _;
use serde::{Deserialize, Serialize};
use sha2::{Sha256, Sha384, Sha512};
use spki::{Document, SubjectPublicKeyInfoRef};
use utoipa::ToSchema;

/// The fewest bits of an RSA key (NIST SP 800-131A).
const MIN_RSA_BITS: u32 = 2048;

/// The maximum number of characters of a PEM: an RSA key of 8192 bits has about 1500.
const MAX_PEM_CHARACTERS: usize = 8000;

/// The maximum number of characters of a `kid`.
const MAX_KID_CHARACTERS: usize = 255;

/// The signature algorithm of a key (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum UserKeyAlgorithm {
    /// RSA (PKCS #1 v1.5) with SHA-256.
    Rs256,
    /// RSA (PKCS #1 v1.5) with SHA-384.
    Rs384,
    /// RSA (PKCS #1 v1.5) with SHA-512.
    Rs512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl UserKeyAlgorithm {
    const ALL: [Self; 7] =
        [Self::Rs256, Self::Rs384, Self::Rs512, Self::Es256, Self::Es384, Self::Es512, Self::EdDsa];

    /// Returns the name of the algorithm in JSON and in the header of a token.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Returns the algorithm with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// Returns whether a token's header names this algorithm. RFC 9864 calls `EdDSA` on this curve `Ed25519`.
    pub(crate) fn is_named(self, alg: &str) -> bool {
        alg == self.name() || (self == Self::EdDsa && alg == "Ed25519")
    }

    /// Describes the type of key that the algorithm requires.
    const fn key_kind(self) -> &'static str {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 => "an RSA key of 2048 to 8192 bits",
            Self::Es256 => "a key on the curve P-256",
            Self::Es384 => "a key on the curve P-384",
            Self::Es512 => "a key on the curve P-521",
            Self::EdDsa => "an Ed25519 key",
        }
    }
}

/// A public key of an app: its owner's backend signs the tokens of signed-in users with the private one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserKey {
    /// The `kid` in the header of the tokens, 1 to 255 visible ASCII characters.
    pub kid: String,
    /// The key: a PEM of a SubjectPublicKeyInfo, `-----BEGIN PUBLIC KEY-----`.
    pub public_key: String,
    /// The algorithm of the signatures. A token cannot choose another.
    pub algorithm: UserKeyAlgorithm,
    /// The time when the key was added.
    #[schema(value_type = String, format = DateTime)]
    pub added_at: Timestamp,
}

/// The reason why a key is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidKey {
    /// The invalid member: `kid`, `publicKey` or `algorithm`.
    pub field: &'static str,
    /// The problem, such as `must be …`.
    pub problem: String,
}

fn invalid(field: &'static str, problem: impl Into<String>) -> InvalidKey {
    InvalidKey { field, problem: problem.into() }
}

impl UserKey {
    /// Checks a key.
    ///
    /// # Errors
    ///
    /// If the `kid` or the PEM is invalid, or the algorithm cannot use the key.
    pub fn new(kid: &str, pem: &str, algorithm: &str, added_at: Timestamp) -> Result<Self, InvalidKey> {
        if !(1..=MAX_KID_CHARACTERS).contains(&kid.len()) || !kid.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(invalid("kid", "must have 1 to 255 visible ASCII characters and no white space"));
        }
        // The `kid` is the last segment of the key's path, and clients resolve these two as folders.
        if matches!(kid, "." | "..") {
            return Err(invalid("kid", "must not be `.` or `..`"));
        }
        let algorithm = UserKeyAlgorithm::from_name(algorithm).ok_or_else(|| {
            let names = UserKeyAlgorithm::ALL.map(UserKeyAlgorithm::name).join(", ");
            invalid("algorithm", format!("must be one of {names}"))
        })?;
        let pem = pem.trim();
        let document = read_pem(pem)?;
        PublicKey::read(&document, algorithm).ok_or_else(|| {
            let name = algorithm.name();
            invalid("publicKey", format!("must be {}, which {name} needs", algorithm.key_kind()))
        })?;
        Ok(Self { kid: kid.to_owned(), public_key: pem.to_owned(), algorithm, added_at })
    }

    /// Returns whether `signature` is this key's signature of `message`, with this key's algorithm.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = read_pem(&self.public_key).ok();
        let key = key.and_then(|document| PublicKey::read(&document, self.algorithm));
        key.is_some_and(|key| key.verifies(message, signature))
    }
}

/// Returns the DER in a PEM of a SubjectPublicKeyInfo.
fn read_pem(pem: &str) -> Result<Document, InvalidKey> {
    const MUST: &str = "must be a PEM that begins with -----BEGIN PUBLIC KEY-----";
    if pem.contains("PRIVATE KEY-----") {
        return Err(invalid(
            "publicKey",
            format!("{MUST}: this is a private key, which must stay on your server"),
        ));
    }
    if pem.len() > MAX_PEM_CHARACTERS {
        return Err(invalid("publicKey", format!("must have at most {MAX_PEM_CHARACTERS} characters")));
    }
    // Each request of a signed-in user runs this: keys in the usual form are read without a change.
    let with_short_lines;
    let read = match Document::from_pem(pem) {
        Ok(read) => Ok(read),
        Err(_) => {
            with_short_lines = rewrapped(pem);
            Document::from_pem(&with_short_lines)
        }
    };
    let (label, document) = read.map_err(|_| invalid("publicKey", MUST))?;
    if label != "PUBLIC KEY" {
        return Err(invalid("publicKey", format!("{MUST}, not -----BEGIN {label}-----")));
    }
    Ok(document)
}

/// Returns the PEM with lines of 64 characters, which RFC 7468 requires of writers and which the parser expects. Keys from
/// other tools have longer lines.
fn rewrapped(pem: &str) -> String {
    const MARK: &str = "-----";
    let parts: Vec<&str> = pem.trim().split(MARK).collect();
    let ["", begin, base64, end, ""] = parts[..] else {
        return pem.to_owned();
    };
    let base64: Vec<char> = base64.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    let lines = base64.chunks(64).map(|line| line.iter().collect::<String>() + "\n");
    format!("{MARK}{begin}{MARK}\n{}{MARK}{end}{MARK}\n", lines.collect::<String>())
}

/// A parsed key.
enum PublicKey {
    Rs256(pkcs1v15::VerifyingKey<Sha256>),
    Rs384(pkcs1v15::VerifyingKey<Sha384>),
    Rs512(pkcs1v15::VerifyingKey<Sha512>),
    Es256(p256::ecdsa::VerifyingKey),
    Es384(p384::ecdsa::VerifyingKey),
    Es512(p521::ecdsa::VerifyingKey),
    EdDsa(ed25519_dalek::VerifyingKey),
}

impl PublicKey {
    /// Reads a key. Returns `None` if the algorithm cannot use it.
    fn read(document: &Document, algorithm: UserKeyAlgorithm) -> Option<Self> {
        let info: SubjectPublicKeyInfoRef<'_> = document.decode_msg().ok()?;
        let rsa = |info: SubjectPublicKeyInfoRef<'_>| {
            // A key for RSASSA-PSS has another identifier, and makes no other signatures.
            if info.algorithm.oid != rsa::pkcs1::ALGORITHM_OID {
                return None;
            }
            let key = rsa::PublicKey::try_from(info).ok()?;
            (key.n().bit_width_vartime() >= MIN_RSA_BITS).then_some(key)
        };
        Some(match algorithm {
            UserKeyAlgorithm::Rs256 => Self::Rs256(pkcs1v15::VerifyingKey::new(rsa(info)?)),
            UserKeyAlgorithm::Rs384 => Self::Rs384(pkcs1v15::VerifyingKey::new(rsa(info)?)),
            UserKeyAlgorithm::Rs512 => Self::Rs512(pkcs1v15::VerifyingKey::new(rsa(info)?)),
            UserKeyAlgorithm::Es256 => Self::Es256(info.try_into().ok()?),
            UserKeyAlgorithm::Es384 => Self::Es384(info.try_into().ok()?),
            UserKeyAlgorithm::Es512 => Self::Es512(info.try_into().ok()?),
            UserKeyAlgorithm::EdDsa => {
                // Anyone can sign for a key of a small order (RFC 8032, section 5.1.7, does not require this check).
                let key = ed25519_dalek::VerifyingKey::try_from(info).ok()?;
                if key.is_weak() {
                    return None;
                }
                Self::EdDsa(key)
            }
        })
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        /// The same lines for keys and signatures of different types.
        macro_rules! verify {
            ($key:ident, $signature:ty) => {
                <$signature>::try_from(signature)
                    .is_ok_and(|signature| $key.verify(message, &signature).is_ok())
            };
        }
        match self {
            Self::Rs256(key) => verify!(key, pkcs1v15::Signature),
            Self::Rs384(key) => verify!(key, pkcs1v15::Signature),
            Self::Rs512(key) => verify!(key, pkcs1v15::Signature),
            Self::Es256(key) => verify!(key, p256::ecdsa::Signature),
            Self::Es384(key) => verify!(key, p384::ecdsa::Signature),
            Self::Es512(key) => verify!(key, p521::ecdsa::Signature),
            Self::EdDsa(key) => verify!(key, ed25519_dalek::Signature),
        }
    }
}
