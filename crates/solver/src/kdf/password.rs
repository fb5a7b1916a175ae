use alloc::vec::Vec;

use super::CounterMode;
use crate::message::Decimal;

/// The passwords of consecutive counters: the nonce, then the counter.
pub(super) struct Passwords {
    /// The nonce and the first counter.
    first: Vec<u8>,
    nonce_length: usize,
    counter: u64,
    mode: CounterMode,
}

impl Passwords {
    pub(super) fn new(nonce: &[u8], mode: CounterMode) -> Passwords {
        let mut passwords = Passwords { first: nonce.into(), nonce_length: nonce.len(), counter: 0, mode };
        passwords.start_at(0);
        passwords
    }

    pub(super) fn is_decimal(&self) -> bool {
        self.mode == CounterMode::Decimal
    }

    /// The largest counter.
    pub(super) fn max(&self) -> u64 {
        if self.is_decimal() { (1 << 53) - 1 } else { u64::from(u32::MAX) }
    }

    /// From now on, the first password is that of this counter.
    pub(super) fn start_at(&mut self, counter: u64) {
        self.counter = counter;
        self.first.truncate(self.nonce_length);
        match self.mode {
            CounterMode::Uint32 => self.first.extend_from_slice(&(counter as u32).to_be_bytes()),
            CounterMode::Decimal => self.first.extend_from_slice(Decimal::new(counter).digits()),
        }
    }

    /// The length of each password.
    #[cfg(feature = "kdf-lanes")]
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// A byte of the password of the counter `lane` after the first; of a decimal counter, of the first itself.
    #[cfg(feature = "kdf-lanes")]
    #[inline(never)]
    pub(super) fn byte(&self, lane: usize, at: usize) -> u8 {
        let from_end = self.first.len() - 1 - at;
        if at < self.nonce_length || self.is_decimal() {
            self.first[at]
        } else {
            ((self.counter as u32).wrapping_add(lane as u32) >> (8 * from_end)) as u8
        }
    }

    /// The first password.
    #[cfg(any(feature = "kdf-argon2id", feature = "kdf-sha", feature = "derive"))]
    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }
}
