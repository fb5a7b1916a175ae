//! SHA-256 with a message in each lane of an array: the compiler makes vectors of the machine's width of it (AVX2, AVX-512).

/// FIPS 180-4.
pub(super) const K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// Hashes a block in each lane into the state of the lane.
#[inline(never)]
pub(super) fn compress<const N: usize>(states: &mut [[u32; N]; 8], blocks: &[[u32; N]; 16]) {
    let mut w = *blocks;
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *states;
    for (round, &constant) in K.iter().enumerate() {
        let at = round % 16;
        if round >= 16 {
            let (w1, w9, w14) = (w[(at + 1) % 16], w[(at + 9) % 16], w[(at + 14) % 16]);
            for lane in 0..N {
                let s0 = w1[lane].rotate_right(7) ^ w1[lane].rotate_right(18) ^ (w1[lane] >> 3);
                let s1 = w14[lane].rotate_right(17) ^ w14[lane].rotate_right(19) ^ (w14[lane] >> 10);
                w[at][lane] = w[at][lane].wrapping_add(s0).wrapping_add(w9[lane]).wrapping_add(s1);
            }
        }
        let (mut new_a, mut new_e) = ([0; N], [0; N]);
        for lane in 0..N {
            let sum1 = e[lane].rotate_right(6) ^ e[lane].rotate_right(11) ^ e[lane].rotate_right(25);
            let choice = g[lane] ^ (e[lane] & (f[lane] ^ g[lane]));
            let t1 = h[lane]
                .wrapping_add(sum1)
                .wrapping_add(choice)
                .wrapping_add(constant)
                .wrapping_add(w[at][lane]);
            let sum0 = a[lane].rotate_right(2) ^ a[lane].rotate_right(13) ^ a[lane].rotate_right(22);
            let majority = (a[lane] & b[lane]) | (c[lane] & (a[lane] | b[lane]));
            new_e[lane] = d[lane].wrapping_add(t1);
            new_a[lane] = t1.wrapping_add(sum0).wrapping_add(majority);
        }
        (h, g, f, e, d, c, b, a) = (g, f, e, new_e, c, b, a, new_a);
    }
    for (state, new) in states.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        for (word, new) in state.iter_mut().zip(new) {
            *word = word.wrapping_add(new);
        }
    }
}
