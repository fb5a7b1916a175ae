//! The search kernel: what a candidate costs beyond the words that all candidates share.
//!
//! Within a sweep one 32-bit word of the message changes (see [`layout`](super::layout)). Everything that does not
//! depend on it is computed once a sweep, in [`Constants`]: the rounds before that word, and of each later word
//! the terms that stay. A candidate then costs the rest of the schedule and the rest of the rounds, and the digest is
//! not computed to its end either: see [`undone`].

use core::cell::Cell;
use core::ops::ControlFlow;

use super::lanes::Lanes;
use super::layout::{Costs, Plan, Sweep, by_length};
use super::{K, Sha256Job, compress, next_word, round, words};
use crate::message::Decimal;

/// Rounds up to the last whose result the digest alone tells.
const TOLD: usize = 57;
/// Rounds up to the one that makes the last word of the digest.
const TO_LAST_WORD: usize = 61;
/// The position of the changing word that has a schedule of its own: salts of 44 bytes, which is what the
/// deployed service issues, put the first four digits there.
const FAVOURITE: usize = 11;

pub(super) fn search<V: Lanes>(job: &Sha256Job, first: u64, last: u64) -> Option<u64> {
    let costs = Costs {
        lanes: V::COUNT as u64,
        // A round or a word of the schedule counts as one.
        sweep: 128.0,
        vector: |word| if word == FAVOURITE { 80.0 } else { 112.0 - word as f64 },
        second_block: 80.0,
    };
    let mut kernel = Kernel::<V>::new();
    for (digits, first, last) in by_length(first, last) {
        let plan = Plan::new(&job.tail, digits, first, last, &costs);
        kernel.start(&plan);
        if let ControlFlow::Break(number) = plan.sweeps(|sweep| kernel.sweep(job, &plan, &sweep)) {
            return Some(number);
        }
    }
    None
}

/// What all candidates of a sweep share in the block that holds the changing word.
struct Constants {
    /// The index of the changing word.
    position: usize,
    /// The index of the first word after the block's own that changes.
    first: usize,
    /// The state after the round of the changing word, had that word been zero.
    state: [u32; 8],
    /// Of each word of the schedule, the sum of the terms that stay.
    sums: [u32; 64],
    /// What a round adds: its constant, and the word if that stays.
    keys: [u32; 64],
}

/// Which words of the schedule depend on the one at `position`: bit `t` stands for word `t`.
const fn varying(position: usize) -> u64 {
    let mut varying = 1_u64 << position;
    let mut t = 16;
    while t < 64 {
        if varying >> (t - 16) & TERMS != 0 {
            varying |= 1 << t;
        }
        t += 1;
    }
    varying
}

/// The words that word `t` is made of, as bits from `t - 16` on: the words 16, 15, 7 and 2 before it.
const TERMS: u64 = 1 << 14 | 1 << 9 | 1 << 1 | 1;

impl Constants {
    /// The words whose bit is set in `varying` are left to the kernel. It begins with the one at `position`.
    #[inline(never)]
    fn new(start: &[u32; 8], block: &[u32; 16], position: usize, varying: u64) -> Constants {
        let mut sums = [0; 64];
        let mut keys = K;
        // The words that stay, zero for the others: zero has a σ of zero.
        let mut stay = [0; 64];
        let mut state = *start;
        for t in 0..64 {
            sums[t] = if t < 16 { block[t] } else { next_word(&stay, t) };
            if varying >> t & 1 == 0 {
                stay[t] = sums[t];
            }
            keys[t] = keys[t].wrapping_add(stay[t]);
            if t <= position {
                round(&mut state, keys[t]);
            }
        }
        Constants { position, first: first_after_block(varying), state, sums, keys }
    }
}

/// The index of the first word after the block's own sixteen that changes.
const fn first_after_block(varying: u64) -> usize {
    16 + (varying >> 16).trailing_zeros() as usize
}

struct Kernel<V> {
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
    fn new() -> Kernel<V> {
        let zero = V::splat(0);
        Kernel { low: [zero; 100], words: [zero; 64], keyed: [zero; 64], second: [zero; 64] }
    }

    /// Prepares for sweeps of a plan.
    #[inline(never)]
    fn start(&mut self, plan: &Plan) {
        self.words = [V::splat(0); 64];
        for (i, low) in self.low[..100 / V::COUNT].iter_mut().enumerate() {
            *low = V::from_fn(|lane| two_digits((i * V::COUNT + lane) as u32) << plan.shift);
        }
    }

    /// Tries the numbers of a sweep; breaks with the one that solves the job.
    #[inline(never)]
    fn sweep(&mut self, job: &Sha256Job, plan: &Plan, sweep: &Sweep) -> ControlFlow<u64> {
        let message = job.tail.message(&Decimal::padded(sweep.zero, plan.digits));
        let mut blocks = message.blocks();
        let position = plan.word % 16;
        let mut start = job.midstate;
        let mut block: [u32; 16] = words(blocks.next().unwrap_or_default());
        if plan.word >= 16 {
            compress(&mut start, &block);
            block = words(blocks.next().unwrap_or_default());
        }
        let second = blocks.next();
        let favourite_schedule = plan.word == FAVOURITE && second.is_none();
        let mut changing = varying(position);
        if !favourite_schedule {
            // The schedule for any position makes every word from the first on: a few of them stay all the same.
            changing |= u64::MAX << first_after_block(changing);
        }
        let constants = Constants::new(&start, &block, position, changing);
        splat(&constants.keys, &mut self.keyed);
        let end = if second.is_none() { TOLD } else { 64 };
        if let Some(second) = second {
            splat(&Constants::new(&start, &words(second), 0, 0).keys, &mut self.second);
        }
        let told = V::splat(if second.is_none() { undone(&start, &job.target) } else { job.target[7] });
        let mut state = [V::splat(0); 8];
        splat(&constants.state, &mut state);
        let (a, e) = (state[0], state[4]);

        let lanes = V::COUNT as u32;
        let mut value = sweep.first - sweep.first % lanes;
        while value <= sweep.last {
            let upper = V::splat(block[position] + (two_digits(value / 100) << 16 << plan.shift));
            let from = value % 100 / lanes;
            let to = (100 / lanes).min(from + (sweep.last - value) / lanes + 1);
            for low in &self.low[from as usize..to as usize] {
                let word = upper.add(*low);
                if favourite_schedule {
                    favourite(&constants, word, &mut self.keyed);
                } else {
                    schedule(&constants, word, &mut self.words, &mut self.keyed, end);
                }
                (state[0], state[4]) = (a.add(word), e.add(word));
                let mut after = rounds(&state, &self.keyed[position + 1..end]);
                let equal = if second.is_none() {
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
fn rounds<V: Lanes>(state: &[V; 8], keyed: &[V]) -> [V; 8] {
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
    // At first no word but the changing one itself is seen through σ0.
    let alone = constants.position + 15;
    let all = constants.first + 15;
    for t in constants.first..alone {
        next(t, false);
    }
    if alone >= constants.first {
        next(alone, true);
    }
    for t in alone + 1..all {
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
    const VARYING: u64 = varying(FAVOURITE);
    let terms = VARYING >> (t - 16) & TERMS;
    if terms == 0 {
        return;
    }
    let mut word = words[t - 16];
    if terms != TERMS {
        let stay = V::splat(constants.sums[t]);
        word = if terms & 1 != 0 { stay.add(word) } else { stay };
    }
    if terms & 1 << 1 != 0 {
        word = word.add(words[t - 15].sigma0());
    }
    if terms & 1 << 9 != 0 {
        word = word.add(words[t - 7]);
    }
    if terms & 1 << 14 != 0 {
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

    use super::*;

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
        compress(&mut digest, &block);
        let constants = Constants::new(&start, &block, 0, 0);
        let mut state = start;
        for key in &constants.keys[..TOLD] {
            round(&mut state, *key);
        }
        assert_eq!(undone(&start, &digest), state[0]);
    }
}
