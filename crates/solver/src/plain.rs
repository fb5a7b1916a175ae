//! The plain search, for the algorithms that are rare: from the midstate of the salt, every candidate is hashed
//! whole.

use sha2::block_api::compress512;

use crate::message::{Decimal, Tail};

/// SHA-1, SHA-384 or SHA-512, as far as they differ.
#[derive(Clone, Copy)]
struct Hash {
    block_len: usize,
    /// Bytes in a word of the state and of the digest.
    word_len: usize,
    /// Hashes a block into the state. A 32-bit hash keeps its words in the lower halves.
    compress: fn(&mut [u64; 8], &[u8]),
    start: [u64; 8],
}

const SHA1: Hash = Hash {
    block_len: 64,
    word_len: 4,
    compress: sha1,
    start: [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0, 0, 0, 0],
};

const SHA384: Hash = Hash {
    start: [
        0xcbbb_9d5d_c105_9ed8,
        0x629a_292a_367c_d507,
        0x9159_015a_3070_dd17,
        0x152f_ecd8_f70e_5939,
        0x6733_2667_ffc0_0b31,
        0x8eb4_4a87_6858_1511,
        0xdb0c_2e0d_64f9_8fa7,
        0x47b5_481d_befa_4fa4,
    ],
    ..SHA512
};

const SHA512: Hash = Hash {
    block_len: 128,
    word_len: 8,
    compress: sha512,
    start: [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ],
};

/// A challenge of one of these hashes, the salt's whole blocks hashed.
#[derive(Clone)]
pub(crate) struct Plain {
    compress: fn(&mut [u64; 8], &[u8]),
    midstate: [u64; 8],
    tail: Tail,
    target: [u64; 8],
    /// Words in the digest: SHA-384 shows six of its eight.
    words: usize,
}

impl Plain {
    pub(crate) fn sha1(salt: &[u8], digest: &[u8; 20]) -> Plain {
        Plain::new(&SHA1, salt, digest)
    }

    pub(crate) fn sha384(salt: &[u8], digest: &[u8; 48]) -> Plain {
        Plain::new(&SHA384, salt, digest)
    }

    pub(crate) fn sha512(salt: &[u8], digest: &[u8; 64]) -> Plain {
        Plain::new(&SHA512, salt, digest)
    }

    #[inline(never)]
    fn new(hash: &Hash, salt: &[u8], digest: &[u8]) -> Plain {
        let (blocks, tail) = Tail::split(salt, hash.block_len);
        let mut midstate = hash.start;
        for block in blocks.chunks_exact(hash.block_len) {
            (hash.compress)(&mut midstate, block);
        }
        let mut target = [0; 8];
        for (word, bytes) in target.iter_mut().zip(digest.chunks_exact(hash.word_len)) {
            *word = bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        Plain { compress: hash.compress, midstate, tail, target, words: digest.len() / hash.word_len }
    }

    #[inline(never)]
    pub(crate) fn search(&self, first: u64, last: u64) -> Option<u64> {
        (first..=last).find(|number| {
            let mut state = self.midstate;
            for block in self.tail.message(&Decimal::new(*number)).blocks() {
                (self.compress)(&mut state, block);
            }
            state.iter().zip(&self.target).take(self.words).all(|(word, wanted)| word == wanted)
        })
    }
}

fn sha512(state: &mut [u64; 8], block: &[u8]) {
    let (blocks, _) = block.as_chunks();
    compress512(state, blocks);
}

/// FIPS 180-4, section 6.1.2. The `sha1` crate has this unrolled only: eight times as much code.
fn sha1(state: &mut [u64; 8], block: &[u8]) {
    let mut w = [0_u32; 16];
    let (words, _) = block.as_chunks();
    for (word, bytes) in w.iter_mut().zip(words) {
        *word = u32::from_be_bytes(*bytes);
    }
    let [mut a, mut b, mut c, mut d, mut e, ..] = state.map(|word| word as u32);
    for t in 0..80 {
        if t >= 16 {
            w[t % 16] = (w[(t + 13) % 16] ^ w[(t + 8) % 16] ^ w[(t + 2) % 16] ^ w[t % 16]).rotate_left(1);
        }
        let (function, constant) = match t / 20 {
            0 => (d ^ (b & (c ^ d)), 0x5a82_7999),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (d & (b | c)), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6),
        };
        let next = a.rotate_left(5).wrapping_add(function).wrapping_add(e).wrapping_add(constant);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next.wrapping_add(w[t % 16]));
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d, e]) {
        *word = u64::from((*word as u32).wrapping_add(add));
    }
}
