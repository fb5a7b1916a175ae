//! SHA-256 and HMAC-SHA-256 of one message in each lane, and a compression specialised for messages of 32 bytes.

use crate::sha256::kernel::rounds;
use crate::sha256::lanes::Lanes;
use crate::sha256::{K, START};

/// The bits of the last block's message of an HMAC: the block of the key and a digest.
pub(super) const HMAC_BITS: u32 = (64 + 32) * 8;

/// The buffers of a compression.
pub(super) struct Sha256<V> {
    words: [V; 64],
    /// The addend of each round: word plus constant.
    keyed: [V; 64],
}

impl<V: Lanes> Sha256<V> {
    pub(super) fn new() -> Sha256<V> {
        Sha256 { words: [V::splat(0); 64], keyed: [V::splat(0); 64] }
    }

    /// The state before the first block.
    pub(super) fn start() -> [V; 8] {
        START.map(V::splat)
    }

    /// Hashes a block into the state.
    #[inline(never)]
    pub(super) fn block(&mut self, state: &mut [V; 8], block: &[V; 16]) {
        self.words[..16].copy_from_slice(block);
        for (t, word) in block.iter().enumerate() {
            self.keyed[t] = word.add(V::splat(K[t]));
        }
        self.expand(16);
        let after = rounds(state, &self.keyed);
        for (word, new) in state.iter_mut().zip(after) {
            *word = word.add(new);
        }
    }

    /// Hashes the end of a message: its last `len` bytes, given by lane and index, after `hashed` bytes that are in the
    /// state.
    #[inline(never)]
    pub(super) fn finish(
        &mut self,
        state: &mut [V; 8],
        hashed: usize,
        len: usize,
        byte: &dyn Fn(usize, usize) -> u8,
    ) {
        let blocks = (len + 9).div_ceil(64);
        let bits = (hashed + len) as u64 * 8;
        for block in 0..blocks {
            let words: [V; 16] = core::array::from_fn(|word| {
                let at = block * 64 + word * 4;
                if at >= blocks * 64 - 8 {
                    return V::splat((bits >> if word == 14 { 32 } else { 0 }) as u32);
                }
                V::from_fn(|lane| {
                    (at..at + 4).fold(0, |word, at| {
                        let padding = if at == len { 0x80 } else { 0 };
                        word << 8 | u32::from(if at < len { byte(lane, at) } else { padding })
                    })
                })
            });
            self.block(state, &words);
        }
    }

    /// Prepares [`Sha256::message_32`] for messages whose last 32 bytes are in a block of their own, and which have
    /// `bits` bits in all.
    #[inline(never)]
    pub(super) fn pad_32(&mut self, bits: u32) -> Padding<V> {
        for (t, word) in [1 << 31, 0, 0, 0, 0, 0, 0, bits].into_iter().enumerate() {
            self.keyed[8 + t] = V::splat(K[8 + t].wrapping_add(word));
        }
        Padding {
            last: V::splat(bits),
            sigma0_first: V::splat((1 << 31_u32).sigma0()),
            sigma0_last: V::splat(bits.sigma0()),
            sigma1_last: V::splat(bits.sigma1()),
        }
    }

    /// Hashes a message of 32 bytes, after what is in the state. [`Sha256::pad_32`] was called since the last block.
    #[inline(always)]
    pub(super) fn message_32(&mut self, padding: &Padding<V>, state: &[V; 8], message: &[V; 8]) -> [V; 8] {
        self.schedule_32(padding, message);
        let mut digest = rounds(state, &self.keyed);
        for (word, start) in digest.iter_mut().zip(state) {
            *word = word.add(*start);
        }
        digest
    }

    /// The schedule of a message whose words 8 to 15 are padding: their terms are constants or zero.
    #[inline(never)]
    fn schedule_32(&mut self, padding: &Padding<V>, message: &[V; 8]) {
        for (t, word) in message.iter().enumerate() {
            self.words[t] = *word;
            self.keyed[t] = word.add(V::splat(K[t]));
        }
        let [w0, w1, w2, w3, w4, w5, w6, w7] = *message;
        let Padding { last, sigma0_first, sigma0_last, sigma1_last } = *padding;
        let w16 = w0.add(w1.sigma0());
        let w17 = w1.add(w2.sigma0()).add(sigma1_last);
        let w18 = w2.add(w3.sigma0()).add(w16.sigma1());
        let w19 = w3.add(w4.sigma0()).add(w17.sigma1());
        let w20 = w4.add(w5.sigma0()).add(w18.sigma1());
        let w21 = w5.add(w6.sigma0()).add(w19.sigma1());
        let w22 = w6.add(w7.sigma0()).add(last).add(w20.sigma1());
        let w23 = w7.add(sigma0_first).add(w16).add(w21.sigma1());
        let w24 = w17.add(V::splat(1 << 31)).add(w22.sigma1());
        let w25 = w18.add(w23.sigma1());
        let w26 = w19.add(w24.sigma1());
        let w27 = w20.add(w25.sigma1());
        let w28 = w21.add(w26.sigma1());
        let w29 = w22.add(w27.sigma1());
        let w30 = w23.add(sigma0_last).add(w28.sigma1());
        let w31 = w24.add(last).add(w16.sigma0()).add(w29.sigma1());
        let words = [w16, w17, w18, w19, w20, w21, w22, w23, w24, w25, w26, w27, w28, w29, w30, w31];
        for (t, word) in words.into_iter().enumerate() {
            self.words[16 + t] = word;
            self.keyed[16 + t] = word.add(V::splat(K[16 + t]));
        }
        self.expand(32);
    }

    /// The words of the schedule from `first` on.
    #[inline(always)]
    fn expand(&mut self, first: usize) {
        for (t, constant) in K.iter().enumerate().skip(first) {
            let word = self.words[t - 16].add(self.words[t - 15].sigma0());
            let word = word.add(self.words[t - 7]).add(self.words[t - 2].sigma1());
            self.words[t] = word;
            self.keyed[t] = word.add(V::splat(*constant));
        }
    }
}

/// The addends of a message's padding in the schedule.
pub(super) struct Padding<V> {
    last: V,
    sigma0_first: V,
    sigma0_last: V,
    sigma1_last: V,
}

/// The states of an HMAC after the block of the key.
#[derive(Clone, Copy)]
pub(super) struct Hmac<V> {
    pub(super) inner: [V; 8],
    pub(super) outer: [V; 8],
}

impl<V: Lanes> Hmac<V> {
    /// The HMAC of a key in each lane, whose bytes are given by lane and index.
    #[inline(never)]
    pub(super) fn new(
        sha256: &mut Sha256<V>,
        key_length: usize,
        key: &dyn Fn(usize, usize) -> u8,
    ) -> Hmac<V> {
        let mut block = [V::splat(0); 16];
        if key_length > 64 {
            let mut digest = Sha256::start();
            sha256.finish(&mut digest, 0, key_length, key);
            block[..8].copy_from_slice(&digest);
        } else {
            for (at, word) in block.iter_mut().enumerate() {
                *word = V::from_fn(|lane| {
                    (at * 4..at * 4 + 4).fold(0, |word, at| {
                        word << 8 | u32::from(if at < key_length { key(lane, at) } else { 0 })
                    })
                });
            }
        }
        let mut keyed = |pad: u32| {
            let mut state = Sha256::start();
            sha256.block(&mut state, &block.map(|word| word.xor(V::splat(pad))));
            state
        };
        Hmac { inner: keyed(0x3636_3636), outer: keyed(0x5c5c_5c5c) }
    }

    /// The MAC of a message in each lane. Prepares `sha256` for the messages of 32 bytes of an HMAC.
    #[inline(never)]
    pub(super) fn mac(
        &self,
        sha256: &mut Sha256<V>,
        len: usize,
        byte: &dyn Fn(usize, usize) -> u8,
    ) -> ([V; 8], Padding<V>) {
        let mut inner = self.inner;
        sha256.finish(&mut inner, 64, len, byte);
        let padding = sha256.pad_32(HMAC_BITS);
        (sha256.message_32(&padding, &self.outer, &inner), padding)
    }

    /// A block of PBKDF2 with a salt in each lane; `index` counts from 1.
    #[inline(never)]
    pub(super) fn pbkdf2(
        &self,
        sha256: &mut Sha256<V>,
        salt_length: usize,
        salt: &dyn Fn(usize, usize) -> u8,
        cost: u32,
        index: u32,
    ) -> [V; 8] {
        let (mut mac, padding) = self.mac(sha256, salt_length + 4, &|lane, at| {
            if at < salt_length { salt(lane, at) } else { index.to_be_bytes()[at - salt_length] }
        });
        let mut sum = mac;
        for _ in 1..cost {
            let inner = sha256.message_32(&padding, &self.inner, &mac);
            mac = sha256.message_32(&padding, &self.outer, &inner);
            for (sum, word) in sum.iter_mut().zip(mac) {
                *sum = sum.xor(word);
            }
        }
        sum
    }
}

/// Writes the beginning of a digest of each lane, side by side, each `bytes.len() / V::COUNT` bytes.
#[cfg(feature = "kdf-sha")]
pub(super) fn write_lanes<V: Lanes>(digest: &[V; 8], bytes: &mut [u8]) {
    for (lane, bytes) in bytes.chunks_exact_mut(bytes.len() / V::COUNT).enumerate() {
        write_lane(digest, lane, bytes);
    }
}

/// Writes the beginning of the digest of a lane.
#[inline(never)]
pub(super) fn write_lane<V: Lanes>(digest: &[V; 8], lane: usize, bytes: &mut [u8]) {
    for (bytes, word) in bytes.chunks_mut(4).zip(digest) {
        bytes.copy_from_slice(&word.words()[lane].to_be_bytes()[..bytes.len()]);
    }
}
