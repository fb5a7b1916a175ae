//! The plain search, for rare algorithms: every candidate is hashed completely, from the midstate of the salt.

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
    block_len: usize,
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
        Plain {
            compress: hash.compress,
            block_len: hash.block_len,
            midstate,
            tail,
            target,
            words: digest.len() / hash.word_len,
        }
    }

    #[inline(never)]
    pub(crate) fn search(&self, first: u64, last: u64) -> Option<u64> {
        (first..=last).find(|number| {
            let mut state = self.midstate;
            let number = Decimal::new(*number);
            let blocks = self.tail.blocks(number.len());
            for block in self.tail.message(&number).chunks_exact(self.block_len).take(blocks) {
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

fn sha1(state: &mut [u64; 8], block: &[u8]) {
    let mut words: [u32; 5] = core::array::from_fn(|i| state[i] as u32);
    let (blocks, _) = block.as_chunks();
    sha1::block_api::compress(&mut words, blocks);
    for (word, new) in state.iter_mut().zip(words) {
        *word = u64::from(new);
    }
}
