//! BLAKE2b (RFC 7693) without a key, and the variable-length hash of Argon2 (RFC 9106, 3.3). Small rather than fast: a
//! key takes a few of them.

const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The order of the message's words in each round, four bits for each, the first in the lowest.
const SIGMA: [u64; 10] = [
    0xfedc_ba98_7654_3210,
    0x357b_20c1_6df9_84ae,
    0x4917_63ea_df25_0c8b,
    0x8f04_a562_ebcd_1397,
    0xd386_cb1e_fa42_7509,
    0x91ef_57d4_38b0_a6c2,
    0xb829_3670_a4de_f15c,
    0xa268_4f05_931c_e7bd,
    0x5a41_7d2c_803b_9ef6,
    0x0dc3_e9bf_5167_482a,
];

/// Writes the BLAKE2b digest of `parts`, one after the other; it is as long as `digest`, at most 64 bytes.
#[inline(never)]
pub(super) fn blake2b(parts: &[&[u8]], digest: &mut [u8]) {
    let mut state = IV;
    state[0] ^= 0x0101_0000 ^ digest.len() as u64;
    let mut block = [0; 128];
    let (mut at, mut length) = (0, 0);
    for byte in parts.iter().flat_map(|part| part.iter()) {
        // A full block is hashed when it is known not to be the last.
        if at == 128 {
            compress(&mut state, &block, length, false);
            (block, at) = ([0; 128], 0);
        }
        block[at] = *byte;
        at += 1;
        length += 1;
    }
    compress(&mut state, &block, length, true);
    for (bytes, word) in digest.chunks_mut(8).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes()[..bytes.len()]);
    }
}

fn compress(state: &mut [u64; 8], block: &[u8; 128], length: u64, is_last: bool) {
    let (bytes, _) = block.as_chunks::<8>();
    let mut v = [0; 16];
    v[..8].copy_from_slice(state);
    v[8..].copy_from_slice(&IV);
    v[12] ^= length;
    if is_last {
        v[14] = !v[14];
    }
    for round in 0..12 {
        let mut order = SIGMA[round % 10];
        for quarter in 0..8 {
            // Columns, then diagonals.
            let turn = if quarter < 4 { 0 } else { 1 };
            let place = |row: usize| row * 4 + (quarter + row * turn) % 4;
            let [a, b, c, d] = [place(0), place(1), place(2), place(3)];
            for (first, second) in [(32, 24), (16, 63)] {
                let word = u64::from_le_bytes(bytes[(order & 15) as usize]);
                order >>= 4;
                v[a] = v[a].wrapping_add(v[b]).wrapping_add(word);
                v[d] = (v[d] ^ v[a]).rotate_right(first);
                v[c] = v[c].wrapping_add(v[d]);
                v[b] = (v[b] ^ v[c]).rotate_right(second);
            }
        }
    }
    for (at, word) in state.iter_mut().enumerate() {
        *word ^= v[at] ^ v[at + 8];
    }
}

/// H' of Argon2: a digest of any length.
#[inline(never)]
pub(super) fn variable_length(parts: [&[u8]; 3], digest: &mut [u8]) {
    let length = (digest.len() as u32).to_le_bytes();
    let [first, second, third] = parts;
    let parts = [&length[..], first, second, third];
    if digest.len() <= 64 {
        return blake2b(&parts, digest);
    }
    let mut chain = [0; 64];
    blake2b(&parts, &mut chain);
    let mut rest = digest;
    while rest.len() > 64 {
        let (bytes, after) = rest.split_at_mut(32);
        bytes.copy_from_slice(&chain[..32]);
        rest = after;
        let previous = chain;
        blake2b(&[&previous], &mut chain[..rest.len().min(64)]);
    }
    rest.copy_from_slice(&chain[..rest.len()]);
}
