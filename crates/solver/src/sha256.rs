//! SHA-256 (FIPS 180-4): its constants, an honest compression, and the backend of the search.

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32_simd128;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar as backend;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use wasm32_simd128 as backend;

use crate::message::{Decimal, Tail};

/// The backend this crate was compiled with: `"simd128"` or `"scalar"`.
pub const BACKEND: &str = backend::NAME;

pub(crate) const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

#[rustfmt::skip]
pub(crate) const K: [u32; 64] = [
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
    tail: Tail<64>,
    target: [u32; 8],
}

impl Sha256Job {
    pub(crate) fn new(salt: &[u8], digest: &[u8; 32]) -> Sha256Job {
        let (blocks, tail) = Tail::split(salt);
        let mut midstate = START;
        for block in blocks {
            compress(&mut midstate, block);
        }
        let (words, _) = digest.as_chunks();
        Sha256Job { midstate, tail, target: core::array::from_fn(|i| u32::from_be_bytes(words[i])) }
    }

    pub(crate) fn search(&self, first: u64, last: u64) -> Option<u64> {
        backend::search(self, first, last)
    }
}

fn words(block: &[u8; 64]) -> [u32; 16] {
    let (words, _) = block.as_chunks();
    core::array::from_fn(|i| u32::from_be_bytes(words[i]))
}

/// The compression function as the standard has it, rolled: it runs once a block of salt, not once a candidate.
pub(crate) fn compress(state: &mut [u32; 8], block: &[u8; 64]) {
    let mut w = words(block);
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for t in 0..64 {
        if t >= 16 {
            let w2 = w[(t + 14) % 16];
            let w15 = w[(t + 1) % 16];
            let sigma1 = w2.rotate_right(17) ^ w2.rotate_right(19) ^ (w2 >> 10);
            let sigma0 = w15.rotate_right(7) ^ w15.rotate_right(18) ^ (w15 >> 3);
            w[t % 16] = w[t % 16].wrapping_add(sigma0).wrapping_add(w[(t + 9) % 16]).wrapping_add(sigma1);
        }
        let sum1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = g ^ (e & (f ^ g));
        let t1 = h.wrapping_add(sum1).wrapping_add(choice).wrapping_add(K[t]).wrapping_add(w[t % 16]);
        let sum0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) | (c & (a | b));
        (h, g, f, e) = (g, f, e, d.wrapping_add(t1));
        (d, c, b, a) = (c, b, a, t1.wrapping_add(sum0).wrapping_add(majority));
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(add);
    }
}
