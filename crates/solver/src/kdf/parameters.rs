use core::fmt;

#[cfg(feature = "kdf-scrypt")]
const WAYS: u64 = super::scrypt::WAYS as u64;

/// A key derivation of ALTCHA v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `SHA-256`, iterated.
    Sha256,
    /// `SHA-384`, iterated.
    Sha384,
    /// `SHA-512`, iterated.
    Sha512,
    /// `PBKDF2/SHA-256`
    Pbkdf2Sha256,
    /// `PBKDF2/SHA-384`
    Pbkdf2Sha384,
    /// `PBKDF2/SHA-512`
    Pbkdf2Sha512,
    /// `SCRYPT`
    Scrypt,
    /// `ARGON2ID`
    Argon2id,
}

impl Algorithm {
    /// Returns the algorithm with exactly this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Algorithm> {
        Some(match name {
            "SHA-256" => Algorithm::Sha256,
            "SHA-384" => Algorithm::Sha384,
            "SHA-512" => Algorithm::Sha512,
            "PBKDF2/SHA-256" => Algorithm::Pbkdf2Sha256,
            "PBKDF2/SHA-384" => Algorithm::Pbkdf2Sha384,
            "PBKDF2/SHA-512" => Algorithm::Pbkdf2Sha512,
            "SCRYPT" => Algorithm::Scrypt,
            "ARGON2ID" => Algorithm::Argon2id,
            _ => return None,
        })
    }
}

/// The encoding of the counter in the password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CounterMode {
    /// Four bytes, the most significant first, as in challenges of version 2.
    #[default]
    Uint32,
    /// Decimal digits in ASCII.
    Decimal,
}

/// A key derivation and its input, as in a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters<'a> {
    /// The key derivation.
    pub algorithm: Algorithm,
    /// The bytes before the counter in the password.
    pub nonce: &'a [u8],
    /// The salt.
    pub salt: &'a [u8],
    /// Iterations; for scrypt N, for Argon2id the number of passes.
    pub cost: u32,
    /// The block size r of scrypt, the KiB of Argon2id; ignored by the other algorithms.
    pub memory_cost: u32,
    /// The parallelism of scrypt and Argon2id; ignored by the other algorithms.
    pub parallelism: u32,
    /// The length of the key in bytes. The key of an iterated algorithm is at most as long as the digest.
    pub key_length: u32,
    /// The encoding of the counter.
    pub counter_mode: CounterMode,
}

/// The longest key that is derived, in bytes.
const MAX_KEY_LENGTH: u32 = 1024;

impl Parameters<'_> {
    /// Returns the memory that a [`Search`](super::Search) of these parameters allocates, in bytes; it needs a few
    /// kilobytes more.
    #[cfg(feature = "kdf-search")]
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        let product = |a: u32, b: u64| u64::from(a).saturating_mul(b);
        match self.algorithm {
            #[cfg(feature = "kdf-scrypt")]
            Algorithm::Scrypt => product(self.cost, product(self.memory_cost, 128)).saturating_mul(WAYS),
            Algorithm::Argon2id => product(self.memory_cost, 1024),
            _ => 0,
        }
    }

    /// The length of the key, in bytes.
    pub(super) fn derived_length(&self) -> usize {
        let longest = match self.algorithm {
            Algorithm::Sha256 => 32,
            Algorithm::Sha384 => 48,
            Algorithm::Sha512 => 64,
            _ => MAX_KEY_LENGTH,
        };
        self.key_length.min(longest) as usize
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let Self { cost, memory_cost, parallelism, .. } = *self;
        let is_valid = (1..=MAX_KEY_LENGTH).contains(&self.key_length)
            && match self.algorithm {
                Algorithm::Scrypt => {
                    let blocks = u64::from(memory_cost) * u64::from(parallelism);
                    cost >= 2 && cost.is_power_of_two() && (1..1 << 30).contains(&blocks)
                }
                Algorithm::Argon2id => {
                    let lanes = u64::from(parallelism);
                    let is_wide = (1..1 << 24).contains(&lanes) && u64::from(memory_cost) >= 8 * lanes;
                    is_wide && cost >= 1 && self.key_length >= 4 && self.salt.len() >= 8
                }
                _ => cost >= 1,
            };
        if is_valid { Ok(()) } else { Err(Error::Parameters) }
    }
}

/// The error of a search that cannot start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The memory of the key derivation was refused.
    Memory,
    /// A parameter or the prefix has a value that is not allowed.
    Parameters,
    /// This build does not have the algorithm.
    Algorithm,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::Memory => "out of memory for the key derivation",
            Error::Parameters => "invalid parameters of the key derivation",
            Error::Algorithm => "the key derivation is not part of this build",
        })
    }
}

impl core::error::Error for Error {}
