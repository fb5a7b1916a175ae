//! The positions of the digits in the message, and the division of a range of numbers into sweeps.
//!
//! All numbers with the same count of digits have their digits at the same bytes of the message. A [`Plan`] selects the
//! 32-bit word of the last blocks that changes within a sweep. Let `value` be the digits in that word, `high` those before
//! it and `low` those after it: a number is `(high · span + value) · below + low`. Within a [`Sweep`], `high` and `low` are
//! constant and only `value` changes. Up to four digits in two adjacent words of one block can also change together,
//! because a two-digit number has too few values in each word.

use core::ops::ControlFlow;

use crate::message::{MAX_DIGITS, Tail};

/// A sequence of numbers that differ only in the plan's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sweep {
    /// The number with zeros for the digits that change.
    pub(crate) zero: u64,
    /// The first value of the digits that change.
    pub(crate) first: u32,
    /// Their last value.
    pub(crate) last: u32,
}

/// The division into sweeps of the numbers `first..=last`, all of which have `digits` digits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) digits: usize,
    /// The index of the changing word in the last blocks: 16 and above is in the second of two.
    pub(crate) word: usize,
    /// Bits below the last digit that changes, in the pair of that word and the next: 32 and above if the next stays.
    pub(crate) shift: u32,
    /// 10 to the number of digits that change.
    span: u64,
    /// 10 to the number of digits after them: what one step of the value adds to the number.
    pub(crate) below: u64,
    first: u64,
    last: u64,
}

/// The costs of a sweep, in any unit.
pub(crate) struct Costs {
    /// Candidates tried at once.
    pub(crate) lanes: u64,
    /// The cost of starting a sweep.
    pub(crate) sweep: f64,
    /// To try `lanes` candidates that differ in the given word of their last block, or in that word and the next.
    pub(crate) vector: fn(word: usize, is_pair: bool) -> f64,
    /// The additional cost when another block follows.
    pub(crate) second_block: f64,
}

impl Plan {
    /// The cheapest plan for the numbers `first..=last` after `tail`. All of them have `digits` digits.
    #[inline(never)]
    pub(crate) fn new(tail: &Tail, digits: usize, first: u64, last: u64, costs: &Costs) -> Plan {
        let (start, end) = (tail.len(), tail.len() + digits);
        let last_block = tail.blocks(digits) - 1;
        // The digits from the word's beginning on, up to byte `to`.
        let plan = |word: usize, to: usize| Plan {
            digits,
            word,
            shift: 8 * (word * 4 + 8 - to) as u32,
            span: power_of_ten(to - start.max(word * 4)),
            below: power_of_ten(end - to),
            first,
            last,
        };
        let last_word = (end - 1) / 4;
        let mut best = plan(last_word, end);
        let mut least = best.cost(last_block, costs);
        let mut consider = |plan: Plan| {
            let cost = plan.cost(last_block, costs);
            if cost < least {
                (best, least) = (plan, cost);
            }
        };
        for word in start / 4..last_word {
            consider(plan(word, word * 4 + 4));
        }
        if digits <= 4 && start / 4 < last_word && last_word % 16 != 0 {
            consider(plan(last_word - 1, end));
        }
        best
    }

    /// Whether the word after [`word`](Plan::word) changes, too.
    pub(crate) fn is_pair(&self) -> bool {
        self.shift < 32
    }

    /// Where the two words hold the last four digits that change, given as bytes.
    pub(crate) fn place(&self, digits: u32) -> [u32; 2] {
        let pair = u64::from(digits) << self.shift;
        [(pair >> 32) as u32, pair as u32]
    }

    fn cost(&self, last_block: usize, costs: &Costs) -> f64 {
        let values = (self.last - self.first) / self.below + 1;
        let sweeps = values / self.span + 1;
        let vectors = values / costs.lanes + sweeps;
        let second = if self.word / 16 < last_block { costs.second_block } else { 0.0 };
        let vector = (costs.vector)(self.word % 16, self.is_pair()) + second;
        self.below as f64 * (sweeps as f64 * costs.sweep + vectors as f64 * vector)
    }

    /// Cuts the numbers into sweeps, each number in exactly one.
    pub(crate) fn sweeps<B>(&self, mut visit: impl FnMut(Sweep) -> ControlFlow<B>) -> ControlFlow<B> {
        for low in 0..=self.last.min(self.below - 1) {
            // The numbers that end in `low` are `upper · below + low`.
            let mut upper = self.first.saturating_sub(low).div_ceil(self.below);
            let last = (self.last - low) / self.below;
            while upper <= last {
                let value = upper % self.span;
                let high = upper - value;
                let end = last.min(high.saturating_add(self.span - 1));
                visit(Sweep {
                    zero: high * self.below + low,
                    first: value as u32,
                    last: (end - high) as u32,
                })?;
                let Some(next) = end.checked_add(1) else { break };
                upper = next;
            }
        }
        ControlFlow::Continue(())
    }
}

/// Cuts a range into numbers of equally many digits: how many, the first and the last.
pub(crate) fn by_length(first: u64, last: u64) -> impl Iterator<Item = (usize, u64, u64)> {
    let mut power = 1_u64;
    let lengths = (1..=MAX_DIGITS).map_while(move |digits| {
        let least = if digits == 1 { 0 } else { power };
        let most = if digits == MAX_DIGITS { u64::MAX } else { power * 10 - 1 };
        power = most.wrapping_add(1);
        (least <= last).then(|| (digits, first.max(least), last.min(most)))
    });
    lengths.filter(|(_, first, last)| first <= last)
}

/// 10 to the power of `exponent`, at most 19.
#[inline(never)]
fn power_of_ten(exponent: usize) -> u64 {
    (0..exponent).fold(1, |power, _| power * 10)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::sha256::kernel::costs;

    /// All sweeps of a range, with their plans.
    fn sweeps(start: usize, first: u64, last: u64) -> Vec<(Plan, Sweep)> {
        let mut all = Vec::new();
        for (digits, first, last) in by_length(first, last) {
            let plan = Plan::new(&Tail::split(&[0; 64][..start], 64).1, digits, first, last, &costs(4));
            let end: ControlFlow<()> = plan.sweeps(|sweep| {
                all.push((plan, sweep));
                ControlFlow::Continue(())
            });
            assert!(end.is_continue());
        }
        all
    }

    /// Checks that each number is in exactly one sweep, and that a sweep changes its words and nothing else.
    fn check(start: usize, first: u64, last: u64) {
        let mut numbers = Vec::new();
        for (plan, sweep) in sweeps(start, first, last) {
            assert!(sweep.first <= sweep.last);
            let zero = std::format!("{:0len$}", sweep.zero, len = plan.digits);
            for value in sweep.first..=sweep.last {
                let number = sweep.zero + u64::from(value) * plan.below;
                numbers.push(number);
                let decimal = std::format!("{number}");
                assert_eq!(decimal.len(), plan.digits);
                for (i, (digit, zero)) in decimal.bytes().zip(zero.bytes()).enumerate() {
                    let changing = plan.word..=plan.word + usize::from(plan.is_pair());
                    assert!(
                        changing.contains(&((start + i) / 4)) || digit == zero,
                        "{number} in {sweep:?} of {plan:?}"
                    );
                }
            }
        }
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(first..=last), "{first}..={last} from byte {start}");
    }

    #[test]
    fn every_number_is_in_exactly_one_sweep() {
        for start in 0..64 {
            for first in
                [0, 1, 2, 9, 10, 11, 99, 100, 997, 1000, 9_998, 9_999, 10_000, 10_001, 99_999, 100_003]
            {
                for count in [0, 1, 2, 3, 4, 5, 9, 10, 11, 95, 101] {
                    check(start, first, first + count);
                }
            }
        }
        check(44, 0, 123_456);
        check(45, 7, 100_007);
        check(62, 0, 100_000);
        check(0, (1 << 53) - 3_000, (1 << 53) - 1);
        check(47, u64::MAX - 3_000, u64::MAX);
    }

    #[test]
    fn every_number_of_any_range_is_in_exactly_one_sweep() {
        let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
        proptest!(config, |(start in 0..64_usize, first in 0..=u64::MAX, shift in 0..64_u32, count in 0..20_000_u64)| {
            let first = first >> shift;
            check(start, first, first.saturating_add(count));
        });
    }

    /// Where most digits change at once, in the last block if that has some.
    #[test]
    fn plans_change_the_word_that_costs_least() {
        let word = |start: usize, first, last| sweeps(start, first, last)[0].0.word;
        assert_eq!(word(44, 10_000, 99_999), 11);
        assert_eq!(
            word(44, 10_000_000, 19_999_999),
            11,
            "the specialised word, although a later one has as many"
        );
        assert_eq!(word(48, 10_000_000, 19_999_999), 13, "elsewhere the later one");
        assert_eq!(word(36, 100, 999), 9);
        assert_eq!(word(58, 100_000, 999_999), 15);
        assert_eq!(word(62, 10_000, 99_999), 16);
        let is_pair = |start: usize, first, last| sweeps(start, first, last)[0].0.is_pair();
        assert!(is_pair(47, 10, 99) && is_pair(55, 10, 99) && is_pair(50, 1_000, 9_999));
        assert!(!is_pair(46, 1_000, 9_999), "the specialised word alone costs less than a pair");
        // Two words of different blocks are no pair, and within one word nothing needs one.
        assert!(!is_pair(63, 10, 99) && !is_pair(44, 10, 99) && !is_pair(48, 1_000, 9_999));
    }

    /// A range of the size that callers use costs little more than one vector for each four candidates.
    #[test]
    fn few_sweeps_and_few_idle_lanes() {
        for start in 0..64 {
            for (first, last) in
                [(10_000, 99_999), (500_000, 599_999), (5_000_000, 5_199_999), (1 << 50, (1 << 50) + 99_999)]
            {
                let all = sweeps(start, first, last);
                let vectors: u32 = all.iter().map(|(_, sweep)| sweep.last / 4 - sweep.first / 4 + 1).sum();
                let least = (last - first + 1) / 4;
                // To start a sweep costs about as much as two and a half vectors.
                let spent = u64::from(vectors) + all.len() as u64 * 5 / 2;
                assert!(
                    spent < least * 6 / 5,
                    "{} sweeps, {vectors} vectors: {first}..={last} from {start}",
                    all.len()
                );
            }
        }
    }
}
