use saltmine_protocol::v2::{Algorithm, Settings};
use std::ops::RangeInclusive;

/// The largest `cost` of the SHA and PBKDF2 algorithms: issuing a challenge takes a fraction of a second.
pub(crate) const MAX_HASH_COST: u32 = 1_000_000;
/// The most work of one challenge, in hashes: a minute or so on two threads of a desktop processor.
pub(crate) const MAX_WORK: u64 = 1_000_000_000;
/// The largest number of passes of Argon2id.
pub(crate) const MAX_PASSES: u32 = 16;
/// The most memory that one key derivation may use, here and on a visitor's machine.
pub(crate) const MAX_MEMORY_BYTES: u64 = 256 * 1024 * 1024;
/// The largest counter that may be generated.
pub(crate) const MAX_COUNTER: u32 = 10_000_000;

/// The length of a derived key: the only one that every client can solve.
const KEY_LENGTH: u32 = 32;

/// The cost of a version 2 challenge: a client derives one key for each counter up to the secret one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDerivation {
    /// `PBKDF2/SHA-256`, `SHA-256`, `SCRYPT` or `ARGON2ID`. Widgets solve the first two without further workers.
    pub algorithm: Algorithm,
    /// Iterations; for scrypt N, for Argon2id the number of passes.
    pub cost: u32,
    /// The block size r of scrypt, the KiB of Argon2id; 0 for the others.
    pub memory_cost: u32,
    /// The range from which the secret counter is chosen at random.
    pub counters: RangeInclusive<u32>,
}

impl Default for KeyDerivation {
    fn default() -> Self {
        Self::of(Algorithm::Pbkdf2Sha256)
    }
}

impl KeyDerivation {
    /// The defaults of an algorithm: about 450 ms for the package's solver on two threads of a desktop processor.
    ///
    /// SHA-384 and SHA-512 have no defaults: widgets cannot solve them with keys of 32 bytes, and they give no better
    /// protection.
    #[must_use]
    pub fn of(algorithm: Algorithm) -> Self {
        let (cost, memory_cost, counters) = match algorithm {
            Algorithm::Sha256 => (1000, 0, 4000..=8000),
            Algorithm::Scrypt => (16_384, 8, 18..=36),
            Algorithm::Argon2id => (2, 16_384, 15..=29),
            _ => (5000, 0, 400..=800),
        };
        Self { algorithm, cost, memory_cost, counters }
    }

    /// The algorithms that the server issues.
    pub(crate) const ALGORITHMS: [Algorithm; 4] =
        [Algorithm::Pbkdf2Sha256, Algorithm::Sha256, Algorithm::Scrypt, Algorithm::Argon2id];

    /// Returns the parameters that all challenges share.
    pub(crate) fn settings(&self, ttl_seconds: u64) -> Settings {
        Settings {
            algorithm: self.algorithm,
            cost: self.cost,
            memory_cost: self.memory_cost,
            parallelism: 1,
            key_length: KEY_LENGTH,
            ttl_seconds,
        }
    }

    /// Returns the memory of one key derivation, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        match self.algorithm {
            Algorithm::Scrypt => 128 * u64::from(self.cost) * u64::from(self.memory_cost),
            Algorithm::Argon2id => 1024 * u64::from(self.memory_cost),
            _ => 0,
        }
    }

    /// Returns the highest multiple of the configured work that a visitor can still finish.
    pub(crate) fn highest_factor(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a factor needs no more digits")]
        let factor = MAX_WORK as f64 / self.work().max(1) as f64;
        factor.max(1.0)
    }

    /// Returns the number of rounds of the underlying function that the hardest challenge requires.
    pub(crate) fn work(&self) -> u64 {
        let derivation = match self.algorithm {
            // A key of scrypt or Argon2id passes over the memory; 1 KiB of it takes about as long as 8 hashes.
            Algorithm::Scrypt => 2 * self.memory_bytes() / 128,
            Algorithm::Argon2id => 8 * u64::from(self.cost) * u64::from(self.memory_cost),
            _ => u64::from(self.cost),
        };
        derivation.saturating_mul(u64::from(*self.counters.end()) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyDerivation, MAX_MEMORY_BYTES};

    #[test]
    fn the_defaults_can_be_issued() {
        for algorithm in KeyDerivation::ALGORITHMS {
            let defaults = KeyDerivation::of(algorithm);
            assert_eq!(defaults.settings(600).check(), Ok(()), "{algorithm:?}");
            assert!(defaults.memory_bytes() <= MAX_MEMORY_BYTES && !defaults.counters.is_empty());
        }
    }
}
