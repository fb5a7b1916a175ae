//! The search kernel: what a candidate costs beyond the words that all candidates share.
//!
//! Within a sweep one 32-bit word of the message changes, or two (see [`layout`](super::layout)). Everything that does not
//! depend on it is computed once a sweep, in [`Constants`]: the rounds before that word, and of each later word
//! the terms that stay. A candidate then costs the rest of the schedule and the rest of the rounds, and the digest is
//! not computed to its end either: see [`undone`].

use core::cell::Cell;
use core::ops::ControlFlow;

use super::lanes::Lanes;
use super::layout::{Costs, Plan, Sweep, by_length};
use super::{K, Sha256Job};
use crate::message::Decimal;

/// Rounds up to the last whose result the digest alone tells.
const TOLD: usize = 57;
/// Rounds up to the one that makes the last word of the digest.
const TO_LAST_WORD: usize = 61;
/// The position of the changing word that has a schedule of its own: salts of 44 bytes, which is what the
/// deployed service issues, put the first four digits there.
const FAVOURITE: usize = 11;

/// The costs of this kernel: a round or a word of the schedule counts as one.
pub(super) fn costs(lanes: u64) -> Costs {
    Costs {
        lanes,
        sweep: 256.0,
        vector: |word, is_pair| {
            if word == FAVOURITE && !is_pair { 80.0 } else { 112.0 - word as f64 }
        },
        second_block: 80.0,
    }
}

pub(super) fn search<V: Lanes>(job: &Sha256Job, first: u64, last: u64) -> Option<u64> {
    let costs = costs(V::COUNT as u64);
    let mut kernel = Kernel::<V>::new();
    for (digits, first, last) in by_length(first, last) {
        let plan = Plan::new(&job.tail, digits, first, last, &costs);
        kernel.start(job, &plan);
        if let ControlFlow::Break(number) = plan.sweeps(|sweep| kernel.sweep(job, &plan, &sweep)) {
            return Some(number);
        }
    }
    None
}

/// What all candidates of a sweep share in the block that holds the changing word. Filled anew for each sweep, in
/// place: clearing and copying would cost as much as a vector of candidates.
struct Constants {
    /// The index of the changing word, or the first of two.
    position: usize,
    /// How many words of the block change.
    count: usize,
    /// The index of the first word after the block's own sixteen that changes.
    first: usize,
    /// The words that stay, zero for the others: zero has a σ of zero.
    stay: [u32; 64],
    /// Of each word of the schedule, the sum of the terms that stay.
    sums: [u32; 64],
    /// What a round adds: its constant, and the word if that stays.
    keys: [u32; 64],
}

/// Which words of the schedule depend on the one at `position`: bit `t` stands for word `t`, and the last bit for all
/// words from 31 on, which depend on any.
const fn varying(position: usize) -> u32 {
    let mut varying = 1_u32 << position;
    let mut t = 16;
    while t < 32 {
        if varying >> (t - 16) & TERMS != 0 {
            varying |= 1 << t;
        }
        t += 1;
    }
    varying
}

/// Whether word `t` is one of them.
const fn varies(varying: u32, t: usize) -> bool {
    varying >> (if t < 31 { t } else { 31 }) & 1 != 0
}

/// The words that word `t` is made of, as bits from `t - 16` on: the words 16, 15, 7 and 2 before it.
const TERMS: u32 = 1 << 14 | 1 << 9 | 1 << 1 | 1;

impl Constants {
    fn new() -> Constants {
        Constants { position: 0, count: 0, first: 0, stay: [0; 64], sums: [0; 64], keys: [0; 64] }
    }

    /// The words that are set in `varying` are left to the kernel. It begins with the one at `position`.
    #[inline(never)]
    fn fill(&mut self, block: &[u32; 16], position: usize, varying: u32) {
        self.position = position;
        self.count = (varying as u16).count_ones() as usize;
        self.first = first_after_block(varying);
        let stay = &mut self.stay;
        for t in 0..64 {
            let sum = if t < 16 {
                block[t]
            } else {
                let sigmas = stay[t - 15].sigma0().wrapping_add(stay[t - 2].sigma1());
                stay[t - 16].wrapping_add(stay[t - 7]).wrapping_add(sigmas)
            };
            self.sums[t] = sum;
            stay[t] = if varies(varying, t) { 0 } else { sum };
            self.keys[t] = K[t].wrapping_add(stay[t]);
        }
    }
}

/// The index of the first word after the block's own sixteen that changes.
const fn first_after_block(varying: u32) -> usize {
    16 + (varying >> 16).trailing_zeros() as usize
}

pub(super) struct Kernel<V> {
    constants: Constants,
    /// The last blocks of the message.
    blocks: [[u32; 16]; 2],
    /// The digits of the changing word, `V::COUNT` consecutive values each.
    low: [V; 100],
    /// The schedule, with zeros for the words that stay.
    words: [V; 64],
    /// What each round adds: word plus constant.
    keyed: [V; 64],
    /// The same for the block after it, of which nothing changes within a sweep.
    second: [V; 64],
}

impl<V: Lanes> Kernel<V> {
    pub(super) fn new() -> Kernel<V> {
        let zero = V::splat(0);
        Kernel {
            constants: Constants::new(),
            blocks: [[0; 16]; 2],
            low: [zero; 100],
            words: [zero; 64],
            keyed: [zero; 64],
            second: [zero; 64],
        }
    }

    /// The compression function as the standard has it, the same in every lane.
    #[inline(never)]
    pub(super) fn compress(&mut self, state: &mut [u32; 8], block: &[u32; 16]) {
        self.constants.fill(block, 0, 0);
        splat(&self.constants.keys, &mut self.keyed);
        let mut start = [V::splat(0); 8];
        splat(state, &mut start);
        for (word, new) in state.iter_mut().zip(rounds(&start, &self.keyed)) {
            *word = word.wrapping_add(new.first());
        }
    }

    /// Prepares for sweeps of a plan.
    #[inline(never)]
    fn start(&mut self, job: &Sha256Job, plan: &Plan) {
        self.blocks = job.blocks(&Decimal::padded(0, plan.digits));
        self.words = [V::splat(0); 64];
        for (i, low) in self.low[..100 / V::COUNT].iter_mut().enumerate() {
            *low = V::from_fn(|lane| plan.place(two_digits((i * V::COUNT + lane) as u32))[0]);
        }
    }

    /// Tries the numbers of a sweep; breaks with the one that solves the job.
    #[inline(never)]
    fn sweep(&mut self, job: &Sha256Job, plan: &Plan, sweep: &Sweep) -> ControlFlow<u64> {
        job.tail.write(sweep.zero, plan.digits, self.blocks.as_flattened_mut());
        let position = plan.word % 16;
        let mut start = job.midstate;
        let [first, next] = self.blocks;
        let mut block = first;
        if plan.word >= 16 {
            self.compress(&mut start, &first);
            block = next;
        }
        let has_second = plan.word / 16 + 1 < job.tail.blocks(plan.digits);
        if has_second {
            self.constants.fill(&next, 0, 0);
            splat(&self.constants.keys, &mut self.second);
        }
        let favourite_schedule = plan.word == FAVOURITE && !has_second && !plan.is_pair();
        let mut changing = varying(position);
        if !favourite_schedule {
            if plan.is_pair() {
                changing |= varying(position + 1);
            }
            // The schedule for any position makes every word from the first on: a few of them stay all the same.
            changing |= u32::MAX << first_after_block(changing);
        }
        self.constants.fill(&block, position, changing);
        splat(&self.constants.keys, &mut self.keyed);
        let end = if has_second { 64 } else { TOLD };
        let told = V::splat(if has_second { job.target[7] } else { undone(&start, &job.target) });
        let mut state = [V::splat(0); 8];
        splat(&start, &mut state);
        // Had the changing word been zero.
        state = rounds(&state, &self.keyed[..=position]);
        let (a, e) = (state[0], state[4]);

        let lanes = V::COUNT as u32;
        let mut value = sweep.first - sweep.first % lanes;
        while value <= sweep.last {
            let upper = V::splat(block[position] + plan.place(two_digits(value / 100) << 16)[0]);
            let from = value % 100 / lanes;
            let to = (100 / lanes).min(from + (sweep.last - value) / lanes + 1);
            for low in &self.low[from as usize..to as usize] {
                let word = upper.add(*low);
                if favourite_schedule {
                    favourite(&self.constants, word, &mut self.keyed);
                } else {
                    if plan.is_pair() {
                        let word: V = second_word(plan, block[position + 1], value);
                        self.words[position + 1] = word;
                        self.keyed[position + 1] = word.add(V::splat(K[position + 1]));
                    }
                    schedule(&self.constants, word, &mut self.words, &mut self.keyed, end);
                }
                (state[0], state[4]) = (a.add(word), e.add(word));
                let mut after = rounds(&state, &self.keyed[position + 1..end]);
                let equal = if !has_second {
                    after[0].equal(told)
                } else {
                    for (word, start) in after.iter_mut().zip(start) {
                        *word = word.add(V::splat(start));
                    }
                    let end = rounds(&after, &self.second[..TO_LAST_WORD]);
                    end[4].add(after[7]).equal(told)
                };
                if equal != 0 {
                    confirm(job, plan, sweep, value, equal)?;
                }
                value += lanes;
            }
        }
        ControlFlow::Continue(())
    }
}

/// The second of two changing words for the candidates from `value` on, from what it is for zeros.
#[inline(never)]
fn second_word<V: Lanes>(plan: &Plan, zero: u32, value: u32) -> V {
    V::from_fn(|lane| {
        let value = value + lane as u32;
        zero + plan.place(two_digits(value / 100) << 16 | two_digits(value % 100))[1]
    })
}

fn splat<V: Lanes>(words: &[u32], vectors: &mut [V]) {
    for (vector, word) in vectors.iter_mut().zip(words) {
        *vector = V::splat(*word);
    }
}

/// A hit is one equal word: it may be an accident, and it may be in a lane outside of the range.
#[cold]
#[inline(never)]
fn confirm(job: &Sha256Job, plan: &Plan, sweep: &Sweep, value: u32, equal: u32) -> ControlFlow<u64> {
    for lane in (0..32).filter(|lane| equal >> lane & 1 == 1) {
        let value = value + lane;
        if (sweep.first..=sweep.last).contains(&value) {
            let number = sweep.zero + u64::from(value) * plan.below;
            #[cfg(test)]
            tests::TRIED.with_borrow_mut(|tried| tried.push(number));
            if job.confirms(number) {
                return ControlFlow::Break(number);
            }
        }
    }
    ControlFlow::Continue(())
}

/// The decimal digits of a number below 100, a byte each.
fn two_digits(number: u32) -> u32 {
    number / 10 * 256 + number % 10
}

/// Works the digest back to the word A that round 56 makes.
///
/// The digest is the state after round 63 plus the state before round 0, and that state holds the words A and E
/// of the last four rounds. From E(t) = A(t-4) + T1(t) and A(t) = T1(t) + Σ0(A(t-1)) + Maj(A(t-1), A(t-2), A(t-3))
/// follows A(t-4) = E(t) - A(t) + Σ0(A(t-1)) + Maj(A(t-1), A(t-2), A(t-3)), for t = 63 down to 60.
fn undone(start: &[u32; 8], digest: &[u32; 8]) -> u32 {
    let mut state: [u32; 8] = core::array::from_fn(|i| digest[i].wrapping_sub(start[i]));
    for t in 0..4 {
        let [a, b, c, d] = [state[t % 4], state[(t + 1) % 4], state[(t + 2) % 4], state[(t + 3) % 4]];
        let majority = (b & c) | (d & (b | c));
        state[t % 4] = state[4 + t].wrapping_sub(a).wrapping_add(b.sum0()).wrapping_add(majority);
    }
    state[3]
}

/// The state after one round for each element of `keyed`.
#[inline(never)]
pub(crate) fn rounds<V: Lanes>(state: &[V; 8], keyed: &[V]) -> [V; 8] {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    macro_rules! round {
        ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $keyed:expr) => {
            // Maj: where b and c differ, a decides.
            let t2 = $a.sum0().add($b.xor($c).select($a, $b));
            // The next round waits for Σ1: it is added last, to two sums, at the price of one addition.
            let t1 = $h.add($keyed).add($e.select($f, $g));
            let sum1 = $e.sum1();
            $d = $d.add(t1).add(sum1);
            $h = t2.add(t1).add(sum1);
        };
    }
    let (singles, eights) = keyed.split_at(keyed.len() % 8);
    for keyed in singles {
        round!(a b c d e f g h, *keyed);
        (a, b, c, d, e, f, g, h) = (h, a, b, c, d, e, f, g);
    }
    let (eights, _) = eights.as_chunks::<8>();
    for keyed in eights {
        round!(a b c d e f g h, keyed[0]);
        round!(h a b c d e f g, keyed[1]);
        round!(g h a b c d e f, keyed[2]);
        round!(f g h a b c d e, keyed[3]);
        round!(e f g h a b c d, keyed[4]);
        round!(d e f g h a b c, keyed[5]);
        round!(c d e f g h a b, keyed[6]);
        round!(b c d e f g h a, keyed[7]);
    }
    [a, b, c, d, e, f, g, h]
}

/// The schedule for any position of the changing word, up to word `end`.
///
/// In `words`, those that stay are zero and so is their σ: what they add is in the constants.
#[inline(never)]
fn schedule<V: Lanes>(constants: &Constants, word: V, words: &mut [V; 64], keyed: &mut [V; 64], end: usize) {
    words[constants.position] = word;
    let (mut two_before, mut one_before) = (words[constants.first - 2], words[constants.first - 1]);
    let cells = Cell::from_mut(&mut words[..]).as_slice_of_cells();
    let mut next = |t: usize, with_sigma0: bool| {
        // Never short, as `t` is below 64: this spares the checks of each index.
        let Some(window) = cells[t - 16..].first_chunk::<17>() else { return };
        let mut word = V::splat(constants.sums[t]).add(window[0].get()).add(window[9].get());
        if with_sigma0 {
            word = word.add(window[1].get().sigma0());
        }
        word = word.add(two_before.sigma1());
        window[16].set(word);
        keyed[t] = word.add(V::splat(K[t]));
        (two_before, one_before) = (one_before, word);
    };
    // At first no words but the changing ones of the block are seen through σ0.
    let alone = constants.position + 15;
    let all = constants.first + 15;
    for t in constants.first..alone {
        next(t, false);
    }
    for t in alone.max(constants.first)..alone + constants.count {
        next(t, true);
    }
    for t in alone + constants.count..all {
        next(t, false);
    }
    for t in all..end {
        next(t, true);
    }
}

/// The schedule for the favourite position: which terms stay is known when this is compiled.
#[inline(never)]
fn favourite<V: Lanes>(constants: &Constants, word: V, keyed: &mut [V; 64]) {
    let mut words = [word; TOLD];
    macro_rules! words {
        ($($t:literal)*) => { $(favourite_word($t, constants, &mut words, keyed);)* };
    }
    words!(16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49);
    words!(50 51 52 53 54 55 56);
}

/// With a `t` known when this is compiled, so are all the conditions, and the words stay out of memory. Written
/// without loops or closures: a compiler that is told to save size does not see through those.
#[inline(always)]
fn favourite_word<V: Lanes>(t: usize, constants: &Constants, words: &mut [V; TOLD], keyed: &mut [V; 64]) {
    const VARYING: u32 = varying(FAVOURITE);
    if !varies(VARYING, t) {
        return;
    }
    let [t16, t15, t7, t2] = [16, 15, 7, 2].map(|back| varies(VARYING, t - back));
    let mut word = words[t - 16];
    if !(t16 && t15 && t7 && t2) {
        let stay = V::splat(constants.sums[t]);
        word = if t16 { stay.add(word) } else { stay };
    }
    if t15 {
        word = word.add(words[t - 15].sigma0());
    }
    if t7 {
        word = word.add(words[t - 7]);
    }
    if t2 {
        word = word.add(words[t - 2].sigma1());
    }
    words[t] = word;
    keyed[t] = word.add(V::splat(constants.keys[t]));
}

#[cfg(test)]
mod tests {
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
        /// The numbers that came so far as to be hashed honestly.
        pub(super) static TRIED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    }

    /// Lanes that are always equal, so that every candidate is a hit.
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

    /// The numbers that the kernel tries, in its order.
    fn tried<V: Lanes>(job: &Sha256Job, first: u64, last: u64) -> Vec<u64> {
        TRIED.with_borrow_mut(Vec::clear);
        assert_eq!(search::<Equal<V>>(job, first, last), None);
        TRIED.take()
    }

    /// Counted where a lane becomes a number: each number of a range once, and no other, wherever the digits fall and
    /// where their count changes.
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

    /// Bit 31 of the mask speaks for all words after it.
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

    /// One lane, four lanes in arrays and the chosen backend see the same hits, wherever the digits fall.
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
    fn the_digest_undone_is_the_word_of_round_56() {
        let block: [u32; 16] = core::array::from_fn(|i| 0x9e37_79b9_u32.wrapping_mul(i as u32 + 1));
        let start: [u32; 8] = core::array::from_fn(|i| 0x85eb_ca6b_u32.wrapping_mul(i as u32 + 3));
        let mut digest = start;
        let mut kernel = Kernel::<u32>::new();
        kernel.compress(&mut digest, &block);
        let state = rounds(&start, &kernel.keyed[..TOLD]);
        assert_eq!(undone(&start, &digest), state[0]);
    }
}
