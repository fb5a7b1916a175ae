//! SHA-384 and SHA-512, one counter at a time: rare, and only have to be right.

use alloc::vec::Vec;

use sha2::block_api::compress512;

use super::password::Passwords;
use super::search::Kernel;
use super::{Algorithm, Parameters};

const START_384: [u64; 8] = [
    0xcbbb_9d5d_c105_9ed8,
    0x629a_292a_367c_d507,
    0x9159_015a_3070_dd17,
    0x152f_ecd8_f70e_5939,
    0x6733_2667_ffc0_0b31,
    0x8eb4_4a87_6858_1511,
    0xdb0c_2e0d_64f9_8fa7,
    0x47b5_481d_befa_4fa4,
];

const START_512: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// One of the two hash functions.
#[derive(Clone, Copy)]
struct Hash {
    start: [u64; 8],
    digest_length: usize,
}

impl Hash {
    fn of(algorithm: Algorithm) -> Hash {
        match algorithm {
            Algorithm::Sha384 | Algorithm::Pbkdf2Sha384 => Hash { start: START_384, digest_length: 48 },
            _ => Hash { start: START_512, digest_length: 64 },
        }
    }

    /// Hashes the end of a message, which is `parts` one after the other, after `hashed` bytes that are in the state.
    #[inline(never)]
    fn finish(&self, mut state: [u64; 8], hashed: usize, parts: &[&[u8]]) -> [u8; 64] {
        let mut block = [0; 128];
        let (mut at, mut len) = (0, hashed);
        for byte in parts.iter().flat_map(|part| part.iter()) {
            block[at] = *byte;
            at += 1;
            len += 1;
            if at == 128 {
                compress512(&mut state, &[block]);
                (block, at) = ([0; 128], 0);
            }
        }
        block[at] = 0x80;
        if at >= 112 {
            compress512(&mut state, &[block]);
            block = [0; 128];
        }
        block[120..].copy_from_slice(&(len as u64 * 8).to_be_bytes());
        compress512(&mut state, &[block]);
        let mut digest = [0; 64];
        for (bytes, word) in digest.chunks_exact_mut(8).zip(state) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }
}

/// The hash function, iterated.
pub(super) struct Iterated {
    hash: Hash,
    salt: Vec<u8>,
    cost: u32,
}

impl Iterated {
    pub(super) fn new(parameters: &Parameters<'_>) -> Iterated {
        let hash = Hash::of(parameters.algorithm);
        Iterated { hash, salt: parameters.salt.into(), cost: parameters.cost }
    }
}

impl Kernel for Iterated {
    fn width(&self) -> usize {
        1
    }

    fn heads(&mut self, passwords: &Passwords, heads: &mut [u8]) {
        let Hash { start, digest_length } = self.hash;
        let mut digest = self.hash.finish(start, 0, &[&self.salt, passwords.first()]);
        for _ in 1..self.cost {
            digest = self.hash.finish(start, 0, &[&digest[..digest_length]]);
        }
        heads.copy_from_slice(&digest[..heads.len()]);
    }

    fn whole(&mut self, _: usize, _: &mut [u8]) {}
}

/// PBKDF2 with HMAC of the hash function.
pub(super) struct Pbkdf2 {
    hash: Hash,
    salt: Vec<u8>,
    cost: u32,
    inner: [u64; 8],
    outer: [u64; 8],
}

impl Pbkdf2 {
    pub(super) fn new(parameters: &Parameters<'_>) -> Pbkdf2 {
        let hash = Hash::of(parameters.algorithm);
        let salt = parameters.salt.into();
        Pbkdf2 { hash, salt, cost: parameters.cost, inner: [0; 8], outer: [0; 8] }
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 64] {
        let digest = self.hash.finish(self.inner, 128, parts);
        self.hash.finish(self.outer, 128, &[&digest[..self.hash.digest_length]])
    }
}

impl Kernel for Pbkdf2 {
    fn width(&self) -> usize {
        1
    }

    fn heads(&mut self, passwords: &Passwords, heads: &mut [u8]) {
        let mut key = [0; 128];
        let password = passwords.first();
        if password.len() > 128 {
            let digest = self.hash.finish(self.hash.start, 0, &[password]);
            let length = self.hash.digest_length;
            key[..length].copy_from_slice(&digest[..length]);
        } else {
            key[..password.len()].copy_from_slice(password);
        }
        (self.inner, self.outer) = (self.hash.start, self.hash.start);
        compress512(&mut self.inner, &[key.map(|byte| byte ^ 0x36)]);
        compress512(&mut self.outer, &[key.map(|byte| byte ^ 0x5c)]);
        self.whole(0, heads);
    }

    fn whole(&mut self, _: usize, key: &mut [u8]) {
        for (index, bytes) in (1_u32..).zip(key.chunks_mut(self.hash.digest_length)) {
            let mut mac = self.mac(&[&self.salt, &index.to_be_bytes()]);
            let mut sum = mac;
            for _ in 1..self.cost {
                mac = self.mac(&[&mac[..self.hash.digest_length]]);
                for (sum, byte) in sum.iter_mut().zip(mac) {
                    *sum ^= byte;
                }
            }
            bytes.copy_from_slice(&sum[..bytes.len()]);
        }
    }
}
