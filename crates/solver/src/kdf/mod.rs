//! The search of an ALTCHA v2 proof of work: it finds the counter whose derived key begins with a prefix.
//!
//! [`Search::new`] allocates the memory of the key derivation once; [`Search::search`] tries a block of counters and can
//! be called with any blocks in any order, so a caller slices the work and hands out blocks as it likes.
//!
//! ```
//! # #[cfg(feature = "kdf-sha")] {
//! use saltmine_solver::kdf::{Algorithm, CounterMode, Parameters, Search};
//!
//! let parameters = Parameters {
//!     algorithm: Algorithm::Pbkdf2Sha256,
//!     nonce: &[0; 16],
//!     salt: &[1; 16],
//!     cost: 20,
//!     memory_cost: 0,
//!     parallelism: 1,
//!     key_length: 32,
//!     counter_mode: CounterMode::Uint32,
//! };
//! let mut search = Search::new(&parameters, "c").unwrap();
//! let found = (0..).step_by(64).find_map(|first| search.search(first, 64));
//! let (counter, key) = found.unwrap();
//! assert_eq!((counter, key.len(), key[0] >> 4), (1, 32, 0xc));
//! # }
//! ```

#[cfg(feature = "kdf-argon2id")]
mod argon2id;
#[cfg(feature = "kdf-argon2id")]
mod blake2b;
#[cfg(feature = "derive")]
mod derive;
#[cfg(feature = "kdf-sha")]
mod iterated;
#[cfg(feature = "kdf-argon2id")]
mod pairs;
mod parameters;
mod password;
#[cfg(feature = "kdf-sha")]
mod pbkdf2;
#[cfg(feature = "kdf-search")]
mod prefix;
#[cfg(feature = "kdf-scrypt")]
mod scrypt;
#[cfg(feature = "kdf-search")]
mod search;
#[cfg(feature = "kdf-lanes")]
mod sha256;
#[cfg(feature = "kdf-sha")]
mod sha512;

#[cfg(feature = "derive")]
pub use derive::derive;
pub use parameters::{Algorithm, CounterMode, Error, Parameters};
#[cfg(feature = "kdf-search")]
pub use search::Search;
