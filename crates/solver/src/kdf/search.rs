use alloc::boxed::Box;
use alloc::vec::Vec;

#[cfg(feature = "kdf-argon2id")]
use super::argon2id;
use super::password::Passwords;
use super::prefix::Prefix;
#[cfg(feature = "kdf-scrypt")]
use super::scrypt;
use super::{Algorithm, Error, Parameters};
#[cfg(feature = "kdf-sha")]
use super::{iterated, pbkdf2, sha512};

/// A key derivation with its memory, for a fixed number of counters at a time.
pub(super) trait Kernel {
    /// How many counters it derives keys for at a time.
    fn width(&self) -> usize;

    /// Derives the keys of `width` passwords and writes the first bytes of each: `heads` has room for `width` times the
    /// same length, which is at most that of the key and of the first block of its derivation.
    fn heads(&mut self, passwords: &Passwords, heads: &mut [u8]);

    /// Writes the whole key of one of the passwords of the last call of `heads`, where the head is not all of it.
    fn whole(&mut self, lane: usize, key: &mut [u8]);
}

/// A search: the memory of the key derivation and everything that is the same for every counter.
pub struct Search {
    kernel: Box<dyn Kernel>,
    passwords: Passwords,
    prefix: Prefix,
    key_length: usize,
    /// `width` heads, side by side.
    heads: Vec<u8>,
}

impl Search {
    /// Allocates the memory that [`Parameters::memory_bytes`] returns.
    ///
    /// `key_prefix` is the challenge's: hex digits in either case, also an odd number of them.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if the memory is refused; another if the parameters or the prefix are not valid.
    pub fn new(parameters: &Parameters<'_>, key_prefix: &str) -> Result<Search, Error> {
        parameters.check()?;
        let key_length = parameters.derived_length();
        let prefix = Prefix::parse(key_prefix, key_length).ok_or(Error::Parameters)?;
        let (kernel, head_length): (Box<dyn Kernel>, usize) = match parameters.algorithm {
            #[cfg(feature = "kdf-sha")]
            Algorithm::Sha256 => (Box::new(iterated::Sha256::new(parameters)), key_length),
            #[cfg(feature = "kdf-sha")]
            Algorithm::Pbkdf2Sha256 => (Box::new(pbkdf2::Sha256::new(parameters)), key_length.min(32)),
            #[cfg(feature = "kdf-sha")]
            Algorithm::Sha384 | Algorithm::Sha512 => {
                (Box::new(sha512::Iterated::new(parameters)), key_length)
            }
            #[cfg(feature = "kdf-sha")]
            Algorithm::Pbkdf2Sha384 => (Box::new(sha512::Pbkdf2::new(parameters)), key_length.min(48)),
            #[cfg(feature = "kdf-sha")]
            Algorithm::Pbkdf2Sha512 => (Box::new(sha512::Pbkdf2::new(parameters)), key_length.min(64)),
            #[cfg(feature = "kdf-scrypt")]
            Algorithm::Scrypt => (Box::new(scrypt::Scrypt::new(parameters)?), key_length),
            #[cfg(feature = "kdf-argon2id")]
            Algorithm::Argon2id => (Box::new(argon2id::Argon2id::new(parameters)?), key_length),
            #[allow(unreachable_patterns, reason = "which algorithms remain depends on the features")]
            _ => return Err(Error::Algorithm),
        };
        // In decimal, the counters of a group could have different lengths: they are tried one at a time.
        let heads = alloc::vec![0; kernel.width() * head_length];
        let passwords = Passwords::new(parameters.nonce, parameters.counter_mode);
        Ok(Search { kernel, passwords, prefix, key_length, heads })
    }

    /// Returns how many counters are tried at a time. Blocks should be a multiple of it.
    #[must_use]
    pub fn width(&self) -> u32 {
        if self.passwords.is_decimal() { 1 } else { self.kernel.width() as u32 }
    }

    /// Tries the `count` counters from `first` on and returns the first of them whose key begins with the prefix, with
    /// its key. Counters beyond the largest of the counter's mode are not tried.
    pub fn search(&mut self, first: u64, count: u32) -> Option<(u64, Vec<u8>)> {
        let width = u64::from(self.width());
        let end = first.saturating_add(u64::from(count)).min(self.passwords.max() + 1);
        let head_length = self.heads.len() / self.kernel.width();
        let mut next = first;
        while next < end {
            self.passwords.start_at(next);
            self.kernel.heads(&self.passwords, &mut self.heads);
            for lane in 0..width.min(end - next) as usize {
                let head = &self.heads[lane * head_length..][..head_length];
                if !self.prefix.matches(head) {
                    continue;
                }
                let mut key = head.to_vec();
                if head_length < self.key_length {
                    key.resize(self.key_length, 0);
                    self.kernel.whole(lane, &mut key);
                    if !self.prefix.matches(&key) {
                        continue;
                    }
                }
                return Some((next + lane as u64, key));
            }
            next += width;
        }
        None
    }
}

impl core::fmt::Debug for Search {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Search").field("width", &self.width()).finish_non_exhaustive()
    }
}
