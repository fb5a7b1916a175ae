//! SHA-256 by the processor's SHA instructions. Several independent messages are interleaved, since a single message
//! waits for the latency of each instruction.

use super::wide::K;
use std::arch::x86_64::*;

pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1") && is_x86_feature_detected!("ssse3")
}

/// Hashes a block of each stream into its state.
pub(super) fn compress<const N: usize>(states: &mut [[u32; N]; 8], blocks: &[[u32; N]; 16]) {
    assert!(is_available());
    // SAFETY: the instructions are there.
    unsafe { compress_all(states, blocks) }
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
fn compress_all<const N: usize>(states: &mut [[u32; N]; 8], blocks: &[[u32; N]; 16]) {
    let quad = |words: &[[u32; N]], at: [usize; 4], stream: usize| {
        let [w0, w1, w2, w3] = at.map(|at| words[at][stream] as i32);
        _mm_set_epi32(w3, w2, w1, w0)
    };
    // The instructions want the words a, b, e, f and c, d, g, h side by side, the first the highest.
    let mut abef: [__m128i; N] = std::array::from_fn(|s| quad(&states[..], [5, 4, 1, 0], s));
    let mut cdgh: [__m128i; N] = std::array::from_fn(|s| quad(&states[..], [7, 6, 3, 2], s));
    let (before_abef, before_cdgh) = (abef, cdgh);
    let mut w: [[__m128i; N]; 4] = std::array::from_fn(|quarter| {
        let first = quarter * 4;
        std::array::from_fn(|s| quad(&blocks[..], [first, first + 1, first + 2, first + 3], s))
    });
    for group in 0..16 {
        let k = _mm_set_epi32(
            K[group * 4 + 3] as i32,
            K[group * 4 + 2] as i32,
            K[group * 4 + 1] as i32,
            K[group * 4] as i32,
        );
        for s in 0..N {
            let at = group % 4;
            if group >= 4 {
                let (w1, w2, w3) = (w[(at + 1) % 4][s], w[(at + 2) % 4][s], w[(at + 3) % 4][s]);
                let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[at][s], w1), _mm_alignr_epi8::<4>(w3, w2));
                w[at][s] = _mm_sha256msg2_epu32(sum, w3);
            }
            let keyed = _mm_add_epi32(w[at][s], k);
            cdgh[s] = _mm_sha256rnds2_epu32(cdgh[s], abef[s], keyed);
            abef[s] = _mm_sha256rnds2_epu32(abef[s], cdgh[s], _mm_shuffle_epi32::<0x0e>(keyed));
        }
    }
    for s in 0..N {
        let mut words = [[0_i32; 4]; 2];
        for (words, (now, before)) in
            words.iter_mut().zip([(abef[s], before_abef[s]), (cdgh[s], before_cdgh[s])])
        {
            let sum = _mm_add_epi32(now, before);
            *words = [
                _mm_extract_epi32::<0>(sum),
                _mm_extract_epi32::<1>(sum),
                _mm_extract_epi32::<2>(sum),
                _mm_extract_epi32::<3>(sum),
            ];
        }
        let [[f, e, b, a], [h, g, d, c]] = words;
        for (state, word) in states.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            state[s] = word as u32;
        }
    }
}
