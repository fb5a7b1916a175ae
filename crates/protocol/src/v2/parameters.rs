use super::Algorithm;
use crate::{MAX_NUMBER, double, hex, whole};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The longest `keyLength` that is accepted, in bytes. Issuers write 32.
pub const MAX_KEY_LENGTH: u32 = 1024;

const DEFAULT_KEY_LENGTH: u32 = 32;

/// The members of a challenge's `parameters` that a search needs, as read from JSON, not validated yet.
///
/// A text is `None` if its member is absent or not a string. A number is `None` if its member is absent or `null`, and NaN
/// if it is anything else that is not a number.
#[derive(Clone, Debug, Default)]
pub struct RawParameters {
    /// `algorithm`
    pub algorithm: Option<String>,
    /// `nonce`
    pub nonce: Option<String>,
    /// `salt`
    pub salt: Option<String>,
    /// `keyPrefix`
    pub key_prefix: Option<String>,
    /// `cost`
    pub cost: Option<f64>,
    /// `memoryCost`
    pub memory_cost: Option<f64>,
    /// `parallelism`
    pub parallelism: Option<f64>,
    /// `keyLength`
    pub key_length: Option<f64>,
    /// `expiresAt`, in Unix seconds.
    pub expires_at: Option<f64>,
}

/// The validated parameters of a search. Any key derivation accepts them.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// The key derivation.
    pub algorithm: Algorithm,
    /// The bytes before the counter in the password.
    pub nonce: Vec<u8>,
    /// The salt of the key derivation.
    pub salt: Vec<u8>,
    /// Iterations; for scrypt N, for Argon2id the number of passes.
    pub cost: u32,
    /// The block size r of scrypt, the KiB of Argon2id; 0 for the other algorithms.
    pub memory_cost: u32,
    /// The parallelism of scrypt and Argon2id; 1 for the other algorithms.
    pub parallelism: u32,
    /// The length of the key, in bytes; for the SHA algorithms at most the digest's.
    pub key_length: u32,
    /// The lower-case hex digits with which the key must begin; their number may be odd.
    pub key_prefix: String,
    /// The expiry of the challenge, in Unix seconds of the server's clock, if the server sent it.
    pub expires_at: Option<f64>,
}

impl Parameters {
    /// Validates the members.
    ///
    /// # Errors
    ///
    /// [`ParametersError::Malformed`] names the first member that is missing or invalid.
    pub fn parse(raw: &RawParameters) -> Result<Self, ParametersError> {
        let malformed = ParametersError::Malformed;
        let name = raw.algorithm.as_deref().ok_or(malformed("algorithm"))?;
        let algorithm = Algorithm::from_name(name).ok_or(ParametersError::UnknownAlgorithm)?;
        let bytes = |text: &Option<String>| text.as_deref().and_then(hex::decode_all);
        let nonce = bytes(&raw.nonce).filter(|nonce| !nonce.is_empty()).ok_or(malformed("nonce"))?;
        let salt = bytes(&raw.salt).ok_or(malformed("salt"))?;
        let cost = raw.cost.and_then(positive).ok_or(malformed("cost"))?;
        let (mut memory_cost, mut parallelism) = (0, 1);
        if algorithm.is_memory_hard() {
            memory_cost = raw.memory_cost.and_then(positive).ok_or(malformed("memoryCost"))?;
            parallelism = raw.parallelism.map_or(Some(1), positive).ok_or(malformed("parallelism"))?;
        }
        let key_length =
            raw.key_length.map_or(Some(DEFAULT_KEY_LENGTH), positive).ok_or(malformed("keyLength"))?;
        let expires_at = raw.expires_at.filter(|seconds| *seconds != 0.0);
        if expires_at.is_some_and(|seconds| !(0.0..=double(MAX_NUMBER)).contains(&seconds)) {
            return Err(malformed("expiresAt"));
        }
        let mut key_prefix = raw.key_prefix.clone().ok_or(malformed("keyPrefix"))?;
        key_prefix.make_ascii_lowercase();
        let parameters = Self {
            algorithm,
            nonce,
            salt,
            cost,
            memory_cost,
            parallelism,
            key_length: key_length.min(algorithm.max_key_length().unwrap_or(key_length)),
            key_prefix,
            expires_at,
        };
        parameters.check()?;
        let digits = parameters.key_prefix.as_bytes();
        let fits = (1..=parameters.key_length as usize * 2).contains(&digits.len());
        if !fits || digits.iter().any(|digit| hex::nibble(*digit).is_none()) {
            return Err(malformed("keyPrefix"));
        }
        Ok(parameters)
    }

    /// Checks the rules of RFC 7914 for scrypt, and of RFC 9106 for Argon2id.
    pub(crate) fn check(&self) -> Result<(), ParametersError> {
        let Self { cost, memory_cost, parallelism, key_length, .. } = *self;
        let wide = |product: Option<u32>| product.is_some_and(|product| product < 1 << 30);
        let rules = [
            (cost >= 1, "cost"),
            ((1..=MAX_KEY_LENGTH).contains(&key_length), "keyLength"),
            (self.algorithm != Algorithm::Scrypt || (cost >= 2 && cost.is_power_of_two()), "cost"),
            (
                match self.algorithm {
                    Algorithm::Scrypt => memory_cost >= 1 && wide(memory_cost.checked_mul(parallelism)),
                    Algorithm::Argon2id => {
                        parallelism < 1 << 24 && memory_cost >= parallelism.saturating_mul(8)
                    }
                    _ => true,
                },
                "memoryCost",
            ),
            (parallelism >= 1, "parallelism"),
            (self.algorithm != Algorithm::Argon2id || key_length >= 4, "keyLength"),
            (self.algorithm != Algorithm::Argon2id || self.salt.len() >= 8, "salt"),
        ];
        rules
            .into_iter()
            .find(|(holds, _)| !holds)
            .map_or(Ok(()), |(_, member)| Err(ParametersError::Malformed(member)))
    }
}

fn positive(number: f64) -> Option<u32> {
    let integer = u32::try_from(whole(number)).ok()?;
    (f64::from(integer) == number && integer >= 1).then_some(integer)
}

/// The error of invalid parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParametersError {
    /// The member of this name is missing, has the wrong type, or a value that is not allowed.
    Malformed(&'static str),
    /// `algorithm` is not one of [`Algorithm`].
    UnknownAlgorithm,
}

impl fmt::Display for ParametersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(member) => {
                write!(f, "the challenge's `parameters.{member}` is missing or malformed")
            }
            Self::UnknownAlgorithm => f.write_str("the challenge's `parameters.algorithm` is unknown"),
        }
    }
}

impl core::error::Error for ParametersError {}
