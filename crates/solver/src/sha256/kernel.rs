//! The search kernel: the part of SHA-256 that is computed for each candidate.
//!
//! Within a sweep, one or two 32-bit words of the message change (see [`layout`](super::layout)). [`Constants`] contains
//! everything that does not depend on these words, computed once for each sweep: the rounds before the first changing word,
//! and the constant terms of each later schedule word. For each candidate, the kernel computes the remaining terms of the
//! schedule and the remaining rounds. It stops before the last rounds, which [`invert_final_rounds`] makes unnecessary.

use core::cell::Cell;
use core::ops::ControlFlow;

use super::lanes::Lanes;
use super::layout::{Costs, Plan, Sweep, by_length};
use super::{K, Sha256Job};
use crate::message::Decimal;

/// The number of rounds after which a candidate can be compared: the digest determines the result of round 56.
const EARLY_EXIT_ROUNDS: usize = 57;
/// The number of rounds that determine the last word of the digest.
const LAST_WORD_ROUNDS: usize = 61;
/// The position of the changing word for which the schedule is specialised at compile time. Salts of 44 bytes, as the
/// deployed service issues them, have their first four digits there.
const SPECIALISED_WORD: usize = 11;

/// Returns the costs of this kernel, in units of one round or one schedule word.
pub(super) fn costs(lanes: u64) -> Costs {
    Costs {
        lanes,
        sweep: 256.0,
        vector: |word, is_pair| {
            if word == SPECIALISED_WORD && !is_pair { 80.0 } else { 112.0 - word as f64 }
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

/// The values that all candidates of a sweep share, for the block with the changing word. They are written in place for
/// each sweep, because clearing and copying takes as long as one vector of candidates.
struct Constants {
    /// The index of the changing word, or the first of two.
    position: usize,
    /// How many words of the block change.
    count: usize,
    /// The index of the first changing schedule word from 16 on.
    first: usize,
    /// The constant words; zero for the changing words, since σ of zero is zero.
    constant: [u32; 64],
    /// The sum of the constant terms of each schedule word.
    sums: [u32; 64],
    /// The value that each round adds: the round constant, plus the word if it is constant.
    keys: [u32; 64],
}

/// Returns the schedule words that depend on the word at `position`, as a bit mask: bit `t` is word `t`, and bit 31 is
/// every word from 31 on, all of which depend on every position.
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

/// Returns whether the mask contains word `t`.
const fn varies(varying: u32, t: usize) -> bool {
    varying >> (if t < 31 { t } else { 31 }) & 1 != 0
}

/// The words from which word `t` is computed, as bits relative to `t - 16`: the words 16, 15, 7 and 2 before it.
const TERMS: u32 = 1 << 14 | 1 << 9 | 1 << 1 | 1;

impl Constants {
    fn new() -> Constants {
        Constants { position: 0, count: 0, first: 0, constant: [0; 64], sums: [0; 64], keys: [0; 64] }
    }

    /// Computes the constants of a block. The kernel computes the words in `varying`, the first of which is at `position`.
    #[inline(never)]
    fn fill(&mut self, block: &[u32; 16], position: usize, varying: u32) {
        self.position = position;
        self.count = (varying as u16).count_ones() as usize;
        self.first = first_after_block(varying);
        let constant = &mut self.constant;
        for t in 0..64 {
            let sum = if t < 16 {
                block[t]
            } else {
                let sigmas = constant[t - 15].sigma0().wrapping_add(constant[t - 2].sigma1());
                constant[t - 16].wrapping_add(constant[t - 7]).wrapping_add(sigmas)
            };
            self.sums[t] = sum;
            constant[t] = if varies(varying, t) { 0 } else { sum };
            self.keys[t] = K[t].wrapping_add(constant[t]);
        }
    }
}

/// Returns the index of the first changing schedule word from 16 on.
const fn first_after_block(varying: u32) -> usize {
    16 + (varying >> 16).trailing_zeros() as usize
}

pub(super) struct Kernel<V> {
    constants: Constants,
    /// The last blocks of the message.
    blocks: [[u32; 16]; 2],
    /// The last two digits of the changing word, `V::COUNT` consecutive values in each vector.
    low: [V; 100],
    /// The schedule, with zeros for the constant words.
    words: [V; 64],
    /// The value that each round adds: schedule word plus round constant.
    keyed: [V; 64],
    /// The same for the following block, which is constant within a sweep.
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

    /// Computes the compression function of FIPS 180-4, with the same input in every lane.
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

    /// Prepares the kernel for the sweeps of a plan.
    #[inline(never)]
    fn start(&mut self, job: &Sha256Job, plan: &Plan) {
        self.blocks = job.blocks(&Decimal::padded(0, plan.digits));
        self.words = [V::splat(0); 64];
        for (i, low) in self.low[..100 / V::COUNT].iter_mut().enumerate() {
            *low = V::from_fn(|lane| plan.place(two_digits((i * V::COUNT + lane) as u32))[0]);
        }
    }

    /// Tries the numbers of a sweep; breaks with the number that solves the job.
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
        let is_specialised = plan.word == SPECIALISED_WORD && !has_second && !plan.is_pair();
        let mut changing = varying(position);
        if !is_specialised {
            if plan.is_pair() {
                changing |= varying(position + 1);
            }
            // The general schedule computes every word from the first changing one on, although a few are constant.
            changing |= u32::MAX << first_after_block(changing);
        }
        self.constants.fill(&block, position, changing);
        splat(&self.constants.keys, &mut self.keyed);
        let end = if has_second { 64 } else { EARLY_EXIT_ROUNDS };
        let expected =
            V::splat(if has_second { job.target[7] } else { invert_final_rounds(&start, &job.target) });
        let mut state = [V::splat(0); 8];
        splat(&start, &mut state);
        // The state as if the changing word were zero: the word is added below.
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
                if is_specialised {
                    specialised_schedule(&self.constants, word, &mut self.keyed);
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
                    after[0].equal(expected)
                } else {
                    for (word, start) in after.iter_mut().zip(start) {
                        *word = word.add(V::splat(start));
                    }
                    let end = rounds(&after, &self.second[..LAST_WORD_ROUNDS]);
                    end[4].add(after[7]).equal(expected)
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

/// Returns the second of two changing words for the candidates from `value` on; `zero` is the word with zero digits.
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

/// Checks a hit in full. One equal word can be a coincidence, and its lane can be outside of the range.
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

/// Returns the two decimal digits of a number below 100, one in each byte.
fn two_digits(number: u32) -> u32 {
    number / 10 * 256 + number % 10
}

/// Computes word A of round 56 from the digest, by inverting the final rounds.
///
/// The digest is the state after round 63 plus the state before round 0. The state after round 63 consists of the words A
/// and E of the last four rounds. From E(t) = A(t-4) + T1(t) and A(t) = T1(t) + Σ0(A(t-1)) + Maj(A(t-1), A(t-2), A(t-3))
/// follows A(t-4) = E(t) - A(t) + Σ0(A(t-1)) + Maj(A(t-1), A(t-2), A(t-3)), for t = 63 down to 60.
fn invert_final_rounds(start: &[u32; 8], digest: &[u32; 8]) -> u32 {
    let mut state: [u32; 8] = core::array::from_fn(|i| digest[i].wrapping_sub(start[i]));
    for t in 0..4 {
        let [a, b, c, d] = [state[t % 4], state[(t + 1) % 4], state[(t + 2) % 4], state[(t + 3) % 4]];
        let majority = (b & c) | (d & (b | c));
        state[t % 4] = state[4 + t].wrapping_sub(a).wrapping_add(b.sum0()).wrapping_add(majority);
    }
    state[3]
}

/// Returns the state after one round for each element of `keyed`.
#[inline(never)]
pub(crate) fn rounds<V: Lanes>(state: &[V; 8], keyed: &[V]) -> [V; 8] {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    macro_rules! round {
        ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $keyed:expr) => {
            // Maj: where b and c differ, a decides.
            let t2 = $a.sum0().add($b.xor($c).select($a, $b));
            // The next round depends on Σ1. Adding it last, to two sums, shortens that dependency by one addition.
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

/// Computes the schedule up to word `end`, for any position of the changing word.
///
/// Constant words are zero in `words`, and so is their σ: the constants contain their terms.
#[inline(never)]
fn schedule<V: Lanes>(constants: &Constants, word: V, words: &mut [V; 64], keyed: &mut [V; 64], end: usize) {
    words[constants.position] = word;
    let (mut two_before, mut one_before) = (words[constants.first - 2], words[constants.first - 1]);
    let cells = Cell::from_mut(&mut words[..]).as_slice_of_cells();
    let mut next = |t: usize, with_sigma0: bool| {
        // Always long enough, because `t` is below 64. One check here replaces a check of each index.
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
    // At first, only the changing words of the block have a σ0 that is not constant.
    let block_sigma0 = constants.position + 15;
    let all = constants.first + 15;
    for t in constants.first..block_sigma0 {
        next(t, false);
    }
    for t in block_sigma0.max(constants.first)..block_sigma0 + constants.count {
        next(t, true);
    }
    for t in block_sigma0 + constants.count..all {
        next(t, false);
    }
    for t in all..end {
        next(t, true);
    }
}

/// Computes the schedule for [`SPECIALISED_WORD`], where the compiler knows which terms are constant.
#[inline(never)]
fn specialised_schedule<V: Lanes>(constants: &Constants, word: V, keyed: &mut [V; 64]) {
    let mut words = [word; EARLY_EXIT_ROUNDS];
    macro_rules! words {
        ($($t:literal)*) => { $(specialised_word($t, constants, &mut words, keyed);)* };
    }
    words!(16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49);
    words!(50 51 52 53 54 55 56);
}

/// Computes schedule word `t`. Because `t` is a constant at compile time, so are all the conditions, and the words stay in
/// registers. There are no loops or closures, because a compiler that optimises for size does not resolve those.
#[inline(always)]
fn specialised_word<V: Lanes>(
    t: usize,
    constants: &Constants,
    words: &mut [V; EARLY_EXIT_ROUNDS],
    keyed: &mut [V; 64],
) {
    const VARYING: u32 = varying(SPECIALISED_WORD);
    if !varies(VARYING, t) {
        return;
    }
    let [t16, t15, t7, t2] = [16, 15, 7, 2].map(|back| varies(VARYING, t - back));
    let mut word = words[t - 16];
    if !(t16 && t15 && t7 && t2) {
        let constant = V::splat(constants.sums[t]);
        word = if t16 { constant.add(word) } else { constant };
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
#[path = "kernel_tests.rs"]
mod tests;
