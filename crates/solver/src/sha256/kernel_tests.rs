//! Tests of the kernel: each candidate once, every width, the inverted final rounds.

extern crate std;

use sha2::{Digest, Sha256};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use std::cell::RefCell;
use std::thread_local;
use std::vec::Vec;

use super::super::backend;
use super::*;

thread_local! {
    /// The numbers that were checked in full.
    pub(super) static TRIED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Lanes that always compare as equal, so that every candidate is a hit.
#[derive(Clone, Copy)]
struct Equal<V>(V);

impl<V: Lanes> Lanes for Equal<V> {
    const COUNT: usize = V::COUNT;

    fn splat(word: u32) -> Self {
        Equal(V::splat(word))
    }
    fn from_fn(word: impl FnMut(usize) -> u32) -> Self {
        Equal(V::from_fn(word))
    }
    fn add(self, other: Self) -> Self {
        Equal(self.0.add(other.0))
    }
    fn xor(self, other: Self) -> Self {
        Equal(self.0.xor(other.0))
    }
    fn rotate_right<const BITS: u32>(self) -> Self {
        Equal(self.0.rotate_right::<BITS>())
    }
    fn shift_right<const BITS: u32>(self) -> Self {
        Equal(self.0.shift_right::<BITS>())
    }
    fn select(self, ones: Self, zeros: Self) -> Self {
        Equal(self.0.select(ones.0, zeros.0))
    }
    fn equal(self, _: Self) -> u32 {
        (1 << V::COUNT) - 1
    }
    fn first(self) -> u32 {
        self.0.first()
    }
    #[cfg(feature = "kdf-lanes")]
    fn words(self) -> [u32; 4] {
        self.0.words()
    }
}

/// Returns the numbers that the kernel tries, in its order.
fn tried<V: Lanes>(job: &Sha256Job, first: u64, last: u64) -> Vec<u64> {
    TRIED.with_borrow_mut(Vec::clear);
    assert_eq!(search::<Equal<V>>(job, first, last), None);
    TRIED.take()
}

/// Each number of a range is tried exactly once, and no other, for every position of the digits and where their count
/// changes. The test counts where a lane becomes a number.
#[test]
fn every_candidate_is_tried_exactly_once() {
    let step = if cfg!(miri) { 13 } else { 1 };
    for len in (0..=130).step_by(step) {
        let job = Sha256Job::new(&[b's'; 130][..len], &[0; 32]);
        for (first, last) in
            [(0, 0), (0, 112), (7, 10), (93, 206), (989, 1_011), (9_990, 10_013), (99_998, 100_003)]
        {
            let widths = [
                tried::<u32>(&job, first, last),
                tried::<[u32; 4]>(&job, first, last),
                tried::<backend::Vector>(&job, first, last),
            ];
            for mut numbers in widths {
                numbers.sort_unstable();
                assert!(numbers.into_iter().eq(first..=last), "salt of {len} bytes, {first}..={last}");
            }
        }
    }
}

/// Bit 31 of the mask represents all words after it.
#[test]
fn from_word_31_on_every_word_varies() {
    for position in 0..16 {
        let mut varies = [false; 64];
        varies[position] = true;
        for t in 16..64 {
            varies[t] = varies[t - 16] || varies[t - 15] || varies[t - 7] || varies[t - 2];
        }
        for (t, expected) in varies.into_iter().enumerate() {
            assert_eq!(super::varies(varying(position), t), expected, "word {t} by word {position}");
        }
    }
}

/// One lane, four lanes in arrays, and the chosen backend find the same hits for every position of the digits.
#[test]
fn every_width_finds_the_same() {
    let salt: [u8; 140] = core::array::from_fn(|i| b'!' + (i * 7 % 90) as u8);
    let step = if cfg!(miri) { 13 } else { 1 };
    for len in (0..=salt.len()).step_by(step) {
        for (first, number, last) in
            [(0, 7, 11), (95, 103, 109), (12_347, 12_351, 12_353), (9_997, 9_999, 10_002)]
        {
            let digest =
                Sha256::new_with_prefix(&salt[..len]).chain_update(std::format!("{number}")).finalize();
            let job = Sha256Job::new(&salt[..len], &digest.into());
            for (first, last) in [(first, last), (number, number), (first, number), (number, last)] {
                assert_eq!(search::<u32>(&job, first, last), Some(number), "salt of {len} bytes");
                assert_eq!(search::<[u32; 4]>(&job, first, last), Some(number), "salt of {len} bytes");
                assert_eq!(job.search(first, last), Some(number), "salt of {len} bytes");
            }
            for (first, last) in [(first, number - 1), (number + 1, last)] {
                assert_eq!(search::<u32>(&job, first, last), None, "salt of {len} bytes");
                assert_eq!(search::<[u32; 4]>(&job, first, last), None, "salt of {len} bytes");
                assert_eq!(job.search(first, last), None, "salt of {len} bytes");
            }
        }
    }
}

#[test]
fn inverting_the_final_rounds_gives_the_word_of_round_56() {
    let block: [u32; 16] = core::array::from_fn(|i| 0x9e37_79b9_u32.wrapping_mul(i as u32 + 1));
    let start: [u32; 8] = core::array::from_fn(|i| 0x85eb_ca6b_u32.wrapping_mul(i as u32 + 3));
    let mut digest = start;
    let mut kernel = Kernel::<u32>::new();
    kernel.compress(&mut digest, &block);
    let state = rounds(&start, &kernel.keyed[..EARLY_EXIT_ROUNDS]);
    assert_eq!(invert_final_rounds(&start, &digest), state[0]);
}
