//! The plain search: from the midstate of the salt, every candidate is hashed whole.

use sha2::block_api::compress512;

use crate::message::{Decimal, Tail};

/// A job without a kernel of its own: `S` is the state of a hash with blocks of `BLOCK` bytes.
#[derive(Clone)]
pub(crate) struct Plain<S, const BLOCK: usize> {
    compress: fn(&mut S, &[[u8; BLOCK]]),
    matches: fn(&S, &S) -> bool,
    midstate: S,
    tail: Tail<BLOCK>,
    target: S,
}

impl<S: Copy, const BLOCK: usize> Plain<S, BLOCK> {
    fn new(
        salt: &[u8],
        start: S,
        target: S,
        compress: fn(&mut S, &[[u8; BLOCK]]),
        matches: fn(&S, &S) -> bool,
    ) -> Self {
        let (blocks, tail) = Tail::split(salt);
        let mut midstate = start;
        compress(&mut midstate, blocks);
        Plain { compress, matches, midstate, tail, target }
    }

    pub(crate) fn search(&self, first: u64, last: u64) -> Option<u64> {
        let mut decimal = Decimal::new(first);
        for number in first..=last {
            let (blocks, count) = self.tail.message(&decimal);
            let mut state = self.midstate;
            (self.compress)(&mut state, &blocks[..count]);
            if (self.matches)(&state, &self.target) {
                return Some(number);
            }
            decimal.increment();
        }
        None
    }
}

impl Plain<[u32; 5], 64> {
    pub(crate) fn sha1(salt: &[u8], digest: &[u8; 20]) -> Self {
        const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        let (words, _) = digest.as_chunks();
        let target = core::array::from_fn(|i| u32::from_be_bytes(words[i]));
        Self::new(salt, START, target, sha1::block_api::compress, |state, target| state == target)
    }
}

impl Plain<[u64; 8], 128> {
    pub(crate) fn sha384(salt: &[u8], digest: &[u8; 48]) -> Self {
        const START: [u64; 8] = [
            0xcbbb_9d5d_c105_9ed8,
            0x629a_292a_367c_d507,
            0x9159_015a_3070_dd17,
            0x152f_ecd8_f70e_5939,
            0x6733_2667_ffc0_0b31,
            0x8eb4_4a87_6858_1511,
            0xdb0c_2e0d_64f9_8fa7,
            0x47b5_481d_befa_4fa4,
        ];
        Self::new(salt, START, words64(digest), compress512, |state, target| state[..6] == target[..6])
    }

    pub(crate) fn sha512(salt: &[u8], digest: &[u8; 64]) -> Self {
        const START: [u64; 8] = [
            0x6a09_e667_f3bc_c908,
            0xbb67_ae85_84ca_a73b,
            0x3c6e_f372_fe94_f82b,
            0xa54f_f53a_5f1d_36f1,
            0x510e_527f_ade6_82d1,
            0x9b05_688c_2b3e_6c1f,
            0x1f83_d9ab_fb41_bd6b,
            0x5be0_cd19_137e_2179,
        ];
        Self::new(salt, START, words64(digest), compress512, |state, target| state == target)
    }
}

/// The big-endian words of a digest, then zeros.
fn words64(digest: &[u8]) -> [u64; 8] {
    let (words, _) = digest.as_chunks();
    core::array::from_fn(|i| words.get(i).map_or(0, |word| u64::from_be_bytes(*word)))
}
