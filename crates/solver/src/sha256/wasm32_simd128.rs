//! Four candidates at a time, one in each lane of WebAssembly's 128-bit vectors.

use core::arch::wasm32::*;

use super::{Decimal, K, Sha256Job, words};

pub(super) const NAME: &str = "simd128";

pub(super) fn search(job: &Sha256Job, first: u64, last: u64) -> Option<u64> {
    let mut decimal = Decimal::new(first);
    let mut number = first;
    loop {
        // Four candidates whose messages have equally many blocks; lanes beyond the last number repeat it.
        let mut lanes = [[[0; 16]; 4]; 2];
        let mut counts = [0; 4];
        let mut numbers = [0; 4];
        for lane in 0..4 {
            let (blocks, count) = job.tail.message(&decimal);
            (lanes[0][lane], lanes[1][lane]) = (words(&blocks[0]), words(&blocks[1]));
            (counts[lane], numbers[lane]) = (count, number);
            if number < last {
                decimal.increment();
                number += 1;
            }
        }
        let mut state = job.midstate.map(|word| u32x4_splat(word));
        for (block, lanes) in lanes.iter().enumerate() {
            let w = core::array::from_fn(|t| {
                let word = |lane: usize| lanes[lane][t];
                u32x4(word(0), word(1), word(2), word(3))
            });
            let done = state;
            compress(&mut state, w);
            let mask = counts.map(|count| if count > block { u32::MAX } else { 0 });
            let mask = u32x4(mask[0], mask[1], mask[2], mask[3]);
            for (word, done) in state.iter_mut().zip(done) {
                *word = v128_bitselect(*word, done, mask);
            }
        }
        let mut equal = u32x4_splat(u32::MAX);
        for (word, target) in state.into_iter().zip(job.target) {
            equal = v128_and(equal, u32x4_eq(word, u32x4_splat(target)));
        }
        let hits = u32x4_bitmask(equal);
        if hits != 0 {
            return Some(numbers[hits.trailing_zeros() as usize]);
        }
        if numbers[3] == last {
            return None;
        }
    }
}

fn rotate_right<const N: u32>(x: v128) -> v128 {
    v128_or(u32x4_shr(x, N), u32x4_shl(x, 32 - N))
}

fn xor3(x: v128, y: v128, z: v128) -> v128 {
    v128_xor(v128_xor(x, y), z)
}

fn compress(state: &mut [v128; 8], mut w: [v128; 16]) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (t, k) in K.iter().enumerate() {
        if t >= 16 {
            let w2 = w[(t + 14) % 16];
            let w15 = w[(t + 1) % 16];
            let sigma1 = xor3(rotate_right::<17>(w2), rotate_right::<19>(w2), u32x4_shr(w2, 10));
            let sigma0 = xor3(rotate_right::<7>(w15), rotate_right::<18>(w15), u32x4_shr(w15, 3));
            w[t % 16] = u32x4_add(u32x4_add(w[t % 16], sigma0), u32x4_add(w[(t + 9) % 16], sigma1));
        }
        let sum1 = xor3(rotate_right::<6>(e), rotate_right::<11>(e), rotate_right::<25>(e));
        let t1 = u32x4_add(u32x4_add(h, sum1), u32x4_add(v128_bitselect(f, g, e), w[t % 16]));
        let t1 = u32x4_add(t1, u32x4_splat(*k));
        let sum0 = xor3(rotate_right::<2>(a), rotate_right::<13>(a), rotate_right::<22>(a));
        let majority = v128_bitselect(c, b, v128_xor(a, b));
        (h, g, f, e) = (g, f, e, u32x4_add(d, t1));
        (d, c, b, a) = (c, b, a, u32x4_add(u32x4_add(t1, sum0), majority));
    }
    for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = u32x4_add(*word, add);
    }
}
