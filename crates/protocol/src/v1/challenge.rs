use super::{Algorithm, Solution, salt};
use crate::decimal::{double, whole};
use crate::{MAX_NUMBER, hex};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The largest number to try if a challenge has no `maxnumber`; the default of ALTCHA's own clients.
pub const DEFAULT_MAX_NUMBER: u64 = 1_000_000;

/// The members of the challenge's JSON, not yet checked.
#[derive(Clone, Debug, Default)]
pub struct RawChallenge {
    /// `algorithm`; `None` if missing or not a string.
    pub algorithm: Option<String>,
    /// `challenge`; `None` if missing or not a string.
    pub challenge: Option<String>,
    /// `maxnumber`; `None` if missing, NaN if it is not a number.
    pub max_number: Option<f64>,
    /// `salt`; `None` if missing or not a string.
    pub salt: Option<String>,
    /// `signature`; `None` if missing or not a string.
    pub signature: Option<String>,
    /// `expiresAt`, in Unix milliseconds: older servers send it beside the salt's own `expires`.
    pub expires_at_ms: Option<f64>,
}

/// A validated challenge, whose parts are kept as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub(crate) algorithm: Algorithm,
    pub(crate) algorithm_name: String,
    pub(crate) challenge: String,
    pub(crate) digest: Vec<u8>,
    pub(crate) max_number: u64,
    pub(crate) salt: String,
    pub(crate) signature: String,
    pub(crate) expires_at_seconds: Option<u64>,
}

impl Challenge {
    /// Validates the members.
    ///
    /// Any salt is accepted, empty or not ASCII or without parameters: only the server decides on its content. The
    /// digest and the signature are hex of the algorithm's length, in either case.
    ///
    /// # Errors
    ///
    /// [`ChallengeError::Malformed`] names the first member that is missing or invalid;
    /// [`ChallengeError::UnknownAlgorithm`] means a digest that is not one of [`Algorithm`].
    pub fn parse(raw: RawChallenge) -> Result<Self, ChallengeError> {
        let malformed = |field| Err(ChallengeError::Malformed(field));
        let Some(name) = &raw.algorithm else { return malformed(Field::Algorithm) };
        let Some(algorithm) = Algorithm::from_name(name) else {
            return Err(ChallengeError::UnknownAlgorithm);
        };
        let bytes = |text: &Option<String>| hex::decode(text.as_deref()?, algorithm.digest_len());
        let Some(digest) = bytes(&raw.challenge) else { return malformed(Field::Challenge) };
        let Some(max_number) = raw.max_number.map_or(Some(DEFAULT_MAX_NUMBER), integer) else {
            return malformed(Field::MaxNumber);
        };
        let Some(salt) = &raw.salt else { return malformed(Field::Salt) };
        let Some(_) = bytes(&raw.signature) else { return malformed(Field::Signature) };
        // The salt is signed and `expiresAt` is not: the salt's word counts first.
        let expires_at_seconds = salt::expires_at_seconds(salt).or_else(|| {
            let ms = raw.expires_at_ms.filter(|ms| *ms >= 0.0 && *ms <= double(MAX_NUMBER))?;
            Some(whole(ms / 1000.0))
        });
        Ok(Self {
            algorithm,
            algorithm_name: raw.algorithm.unwrap_or_default(),
            challenge: raw.challenge.unwrap_or_default(),
            digest,
            max_number,
            salt: raw.salt.unwrap_or_default(),
            signature: raw.signature.unwrap_or_default(),
            expires_at_seconds,
        })
    }

    /// The digest to compute.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The algorithm's name as received.
    #[must_use]
    pub fn algorithm_name(&self) -> &str {
        &self.algorithm_name
    }

    /// The digest to find, [`Algorithm::digest_len`] bytes.
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// The digest's hex as received.
    #[must_use]
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// The salt, to be hashed and sent back byte for byte.
    #[must_use]
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// The signature's hex as received.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// The largest number to try. It is not signed: a client sets a limit of its own.
    #[must_use]
    pub fn max_number(&self) -> u64 {
        self.max_number
    }

    /// The expiry of the challenge, in Unix seconds of the server's clock, if the server sent it.
    #[must_use]
    pub fn expires_at_seconds(&self) -> Option<u64> {
        self.expires_at_seconds
    }

    /// The solution with `number` (at most [`MAX_NUMBER`]), which is not checked here.
    #[must_use]
    pub fn solution(&self, number: u64) -> Solution<'_> {
        Solution::new(self, number)
    }
}

fn integer(number: f64) -> Option<u64> {
    let integer = whole(number);
    // Not for NaN, nor for what is negative or fractional: none of these is what it was made into.
    (double(integer) == number && integer <= MAX_NUMBER).then_some(integer)
}

/// The error of an invalid challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeError {
    /// The member is missing, has the wrong type, or has a value that is not allowed.
    Malformed(Field),
    /// The challenge names a digest that is not one of [`Algorithm`].
    UnknownAlgorithm,
}

impl fmt::Display for ChallengeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(field) => write!(f, "the challenge's `{}` is missing or malformed", field.name()),
            Self::UnknownAlgorithm => f.write_str("the challenge's algorithm is unknown"),
        }
    }
}

impl core::error::Error for ChallengeError {}

/// A member of the challenge's JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `algorithm`
    Algorithm,
    /// `challenge`
    Challenge,
    /// `maxnumber`
    MaxNumber,
    /// `salt`
    Salt,
    /// `signature`
    Signature,
}

impl Field {
    /// The member's name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Algorithm => "algorithm",
            Self::Challenge => "challenge",
            Self::MaxNumber => "maxnumber",
            Self::Salt => "salt",
            Self::Signature => "signature",
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Challenge {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut json = serializer.serialize_struct("Challenge", 5)?;
        json.serialize_field("algorithm", &self.algorithm_name)?;
        json.serialize_field("challenge", &self.challenge)?;
        json.serialize_field("maxnumber", &self.max_number)?;
        json.serialize_field("salt", &self.salt)?;
        json.serialize_field("signature", &self.signature)?;
        json.end()
    }
}
