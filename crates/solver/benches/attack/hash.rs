//! The searches over SHA-256, written over a compression of `N` messages at a time.

#[cfg(target_arch = "x86_64")]
use super::sha_ni;
use super::wide;
use saltmine_solver::kdf::{Algorithm, Parameters, derive};
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

type State<const N: usize> = [[u32; N]; 8];
type Block<const N: usize> = [[u32; N]; 16];

const START: [u32; 8] =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

fn splat<const N: usize, const M: usize>(words: &[u32; M]) -> [[u32; N]; M] {
    words.map(|word| [word; N])
}

/// The last block of messages of 32 bytes, after `hashed` bytes.
fn block_32<const N: usize>(message: &State<N>, hashed: u32) -> Block<N> {
    let mut block = [[0; N]; 16];
    block[..8].copy_from_slice(message);
    block[8] = [1 << 31; N];
    block[15] = [(hashed + 32) * 8; N];
    block
}

/// The last block of messages, after `hashed` bytes.
fn block_of<const N: usize>(messages: &[Vec<u8>; N], hashed: usize) -> Block<N> {
    let mut block = [[0; N]; 16];
    for (lane, message) in messages.iter().enumerate() {
        let mut bytes = [0; 64];
        bytes[..message.len()].copy_from_slice(message);
        bytes[message.len()] = 0x80;
        bytes[56..].copy_from_slice(&(8 * (hashed + message.len()) as u64).to_be_bytes());
        for (word, bytes) in block.iter_mut().zip(bytes.chunks_exact(4)) {
            word[lane] = u32::from_be_bytes(bytes.try_into().unwrap());
        }
    }
    block
}

fn bytes_of<const N: usize>(state: &State<N>, lane: usize) -> Vec<u8> {
    state.iter().flat_map(|word| word[lane].to_be_bytes()).collect()
}

/// Version 1: a salt and numbers of five digits.
pub(super) struct Numbers {
    /// After the whole blocks of the salt.
    state: [u32; 8],
    rest: Vec<u8>,
    salt: Vec<u8>,
    next: AtomicU32,
}

impl Numbers {
    pub(super) fn new(salt: &[u8]) -> Self {
        let (whole, rest) = salt.split_at(salt.len() / 64 * 64);
        let mut state = splat::<1, 8>(&START);
        for block in whole.chunks_exact(64) {
            let words: Vec<u32> =
                block.chunks_exact(4).map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap())).collect();
            wide::compress(&mut state, &std::array::from_fn(|at| [words[at]]));
        }
        let state = state.map(|[word]| word);
        Self { state, rest: rest.into(), salt: salt.into(), next: AtomicU32::new(10_000) }
    }

    pub(super) fn check(&self) {
        let expected = |number: u32| Sha256::digest([&self.salt[..], number.to_string().as_bytes()].concat());
        let wide = self.digests::<16>(12_345, wide::compress::<16>);
        assert_eq!(bytes_of(&wide, 3), expected(12_348)[..]);
        #[cfg(target_arch = "x86_64")]
        if sha_ni::is_available() {
            let two = self.digests::<2>(12_345, sha_ni::compress::<2>);
            assert_eq!(bytes_of(&two, 1), expected(12_346)[..]);
        }
    }

    fn digests<const N: usize>(&self, first: u32, compress: impl Fn(&mut State<N>, &Block<N>)) -> State<N> {
        let messages = std::array::from_fn(|lane| {
            [&self.rest[..], (first + lane as u32).to_string().as_bytes()].concat()
        });
        let mut state = splat(&self.state);
        compress(&mut state, &block_of(&messages, self.salt.len() - self.rest.len()));
        state
    }

    pub(super) fn wide<const N: usize>(&self) -> u64 {
        self.numbers(wide::compress::<N>)
    }

    #[cfg(target_arch = "x86_64")]
    pub(super) fn sha_ni<const N: usize>(&self) -> u64 {
        self.numbers(sha_ni::compress::<N>)
    }

    /// A thousand numbers: only the last three digits change, which are in one or two words of the block.
    fn numbers<const N: usize>(&self, compress: impl Fn(&mut State<N>, &Block<N>)) -> u64 {
        let thousand = self.next.fetch_add(1, Ordering::Relaxed) % 90 + 10;
        let messages =
            std::array::from_fn(|_| [&self.rest[..], format!("{thousand}000").as_bytes()].concat());
        let block = block_of::<N>(&messages, self.salt.len() - self.rest.len());
        let start = splat(&self.state);
        let digits_at = self.rest.len() + 2;
        let mut found = 0;
        for first in (0..1000).step_by(N) {
            let mut block = block;
            for (place, divisor) in [100, 10, 1].into_iter().enumerate() {
                let at = digits_at + place;
                for (number, word) in (first..).zip(&mut block[at / 4]) {
                    let digit = number.min(999) as u32 / divisor % 10;
                    *word += digit << (24 - 8 * (at % 4));
                }
            }
            let mut state = start;
            compress(&mut state, &block);
            found += state[0].iter().filter(|word| **word == 0x5a5a_5a5a).count();
        }
        black_box(found);
        1000
    }
}

/// Version 2 over SHA-256.
pub(super) struct Keys<'a> {
    parameters: &'a Parameters<'a>,
    next: AtomicU32,
}

impl<'a> Keys<'a> {
    pub(super) fn new(parameters: &'a Parameters<'a>) -> Self {
        Self { parameters, next: AtomicU32::new(0) }
    }

    pub(super) fn check(&self) {
        let expected = |counter: u64| derive(self.parameters, counter).unwrap();
        assert_eq!(bytes_of(&self.derive::<16>(7, wide::compress::<16>), 5), expected(12));
        #[cfg(target_arch = "x86_64")]
        if sha_ni::is_available() {
            assert_eq!(bytes_of(&self.derive::<2>(7, sha_ni::compress::<2>), 1), expected(8));
        }
    }

    pub(super) fn wide<const N: usize>(&self) -> u64 {
        self.keys(wide::compress::<N>)
    }

    #[cfg(target_arch = "x86_64")]
    pub(super) fn sha_ni<const N: usize>(&self) -> u64 {
        self.keys(sha_ni::compress::<N>)
    }

    fn keys<const N: usize>(&self, compress: impl Fn(&mut State<N>, &Block<N>)) -> u64 {
        let first = self.next.fetch_add(N as u32, Ordering::Relaxed);
        black_box(self.derive(first, compress));
        N as u64
    }

    fn derive<const N: usize>(&self, first: u32, compress: impl Fn(&mut State<N>, &Block<N>)) -> State<N> {
        let Parameters { nonce, salt, cost, algorithm, .. } = *self.parameters;
        let password = |lane: usize| [nonce, &(first + lane as u32).to_be_bytes()[..]].concat();
        let start = splat::<N, 8>(&START);
        if algorithm == Algorithm::Sha256 {
            let mut digest = start;
            compress(
                &mut digest,
                &block_of(&std::array::from_fn(|lane| [salt, &password(lane)].concat()), 0),
            );
            for _ in 1..cost {
                let block = block_32(&digest, 0);
                digest = start;
                compress(&mut digest, &block);
            }
            return digest;
        }
        let keyed = |pad: u8| {
            let mut block = [[0; N]; 16];
            for lane in 0..N {
                let mut key = password(lane);
                key.resize(64, 0);
                for (word, bytes) in block.iter_mut().zip(key.chunks_exact(4)) {
                    let pad = u32::from_be_bytes([pad; 4]);
                    word[lane] = u32::from_be_bytes(bytes.try_into().unwrap()) ^ pad;
                }
            }
            let mut state = start;
            compress(&mut state, &block);
            state
        };
        let (inner, outer) = (keyed(0x36), keyed(0x5c));
        let mut mac = inner;
        compress(&mut mac, &block_of(&std::array::from_fn(|_| [salt, &[0, 0, 0, 1]].concat()), 64));
        let finish = |inner: &State<N>| {
            let mut digest = outer;
            compress(&mut digest, &block_32(inner, 64));
            digest
        };
        mac = finish(&mac);
        let mut sum = mac;
        for _ in 1..cost {
            let mut digest = inner;
            compress(&mut digest, &block_32(&mac, 64));
            mac = finish(&digest);
            for (sum, mac) in sum.iter_mut().zip(&mac) {
                for lane in 0..N {
                    sum[lane] ^= mac[lane];
                }
            }
        }
        sum
    }
}
