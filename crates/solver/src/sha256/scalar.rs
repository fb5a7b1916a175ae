//! One candidate at a time, for processors and WebAssembly engines without 128-bit vectors.

use super::{Decimal, Sha256Job, compress};

pub(super) const NAME: &str = "scalar";

pub(super) fn search(job: &Sha256Job, first: u64, last: u64) -> Option<u64> {
    let mut decimal = Decimal::new(first);
    for number in first..=last {
        let (blocks, count) = job.tail.message(&decimal);
        let mut state = job.midstate;
        for block in &blocks[..count] {
            compress(&mut state, block);
        }
        if state == job.target {
            return Some(number);
        }
        decimal.increment();
    }
    None
}
