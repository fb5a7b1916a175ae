//! SHA-256 (FIPS 180-4): its constants, a complete compression, and the backend of the search.

pub(crate) mod kernel;
pub(crate) mod lanes;
mod layout;
#[cfg(all(feature = "native-simd", not(target_arch = "wasm32")))]
pub(crate) mod native_simd;
#[cfg(not(any(
    all(target_arch = "wasm32", target_feature = "simd128"),
    all(feature = "native-simd", not(target_arch = "wasm32"))
)))]
pub(crate) mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) mod wasm32_simd128;

#[cfg(all(feature = "native-simd", not(target_arch = "wasm32")))]
pub(crate) use native_simd as backend;
#[cfg(not(any(
    all(target_arch = "wasm32", target_feature = "simd128"),
    all(feature = "native-simd", not(target_arch = "wasm32"))
)))]
pub(crate) use scalar as backend;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use wasm32_simd128 as backend;

use crate::message::{Decimal, Tail};
use kernel::Kernel;

/// The backend this crate was compiled with: `"simd128"`, `"scalar"`, or `"native-simd"`.
pub const BACKEND: &str = backend::NAME;

const BLOCK_LEN: usize = 64;

pub(crate) const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// In memory and not in the code: the kernel loads them.
#[rustfmt::skip]
pub(crate) static K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// A SHA-256 challenge, the salt's whole blocks hashed.
#[derive(Clone)]
pub(crate) struct Sha256Job {
    midstate: [u32; 8],
    tail: Tail,
    target: [u32; 8],
}

impl Sha256Job {
    #[inline(never)]
    pub(crate) fn new(salt: &[u8], digest: &[u8; 32]) -> Sha256Job {
        let (blocks, tail) = Tail::split(salt, BLOCK_LEN);
        let mut midstate = START;
        let mut kernel = Kernel::<backend::Vector>::new();
        for block in blocks.chunks_exact(BLOCK_LEN) {
            kernel.compress(&mut midstate, &words(block));
        }
        Sha256Job { midstate, tail, target: words(digest) }
    }

    pub(crate) fn search(&self, first: u64, last: u64) -> Option<u64> {
        kernel::search::<backend::Vector>(self, first, last)
    }

    #[cfg(feature = "native-simd")]
    pub(crate) fn search_scalar(&self, first: u64, last: u64) -> Option<u64> {
        kernel::search::<u32>(self, first, last)
    }

    /// Whether a number solves the challenge, by hashing it completely.
    #[inline(never)]
    fn confirms(&self, number: u64) -> bool {
        let mut state = self.midstate;
        let number = Decimal::new(number);
        let mut kernel = Kernel::<backend::Vector>::new();
        for block in self.blocks(&number).iter().take(self.tail.blocks(number.len())) {
            kernel.compress(&mut state, block);
        }
        state == self.target
    }

    /// The last blocks of the message.
    #[inline(never)]
    fn blocks(&self, number: &Decimal) -> [[u32; 16]; 2] {
        let mut blocks = [[0; 16]; 2];
        from_be_bytes(&self.tail.message(number), blocks.as_flattened_mut());
        blocks
    }
}

fn words<const N: usize>(bytes: &[u8]) -> [u32; N] {
    let mut words = [0; N];
    from_be_bytes(bytes, &mut words);
    words
}

/// Writes bytes into words of zero. Byte by byte: the code for whole words is three times as large.
#[inline(never)]
fn from_be_bytes(bytes: &[u8], words: &mut [u32]) {
    for (at, byte) in bytes.iter().enumerate() {
        if let Some(word) = words.get_mut(at / 4) {
            *word = *word << 8 | u32::from(*byte);
        }
    }
}
