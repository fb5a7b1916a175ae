//! The search outside of WebAssembly: the kernel over 128-bit vectors and over one word, and the naive loop over the
//! `sha2` crate (which uses the processor's SHA instructions where it has them).
//!
//! `cargo bench -p saltmine-solver --features native-simd`; with `RUSTFLAGS="-C target-feature=+avx"` the vectors have
//! instructions of three operands.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;
use std::ops::RangeInclusive;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use saltmine_solver::{BACKEND, Job, Target, search, search_scalar};
use sha2::{Digest, Sha256};

/// As long as the salts of the deployed service.
const SALT: &[u8; 44] = b"9296a1efb9cb79fb0d5d2ab8?expires=1902268694&";
const RANGE: RangeInclusive<u64> = 100_000..=199_999;

fn native(criterion: &mut Criterion) {
    // In no range: every number is tried.
    let digest = [0x5a; 32];
    let job = Job::new(SALT, &Target::Sha256(digest));
    let mut group = criterion.benchmark_group("sha256, salt of 44 bytes");
    group.throughput(Throughput::Elements(RANGE.count() as u64));
    group.bench_function(BACKEND, |bencher| bencher.iter(|| search(black_box(&job), RANGE)));
    group.bench_function("scalar", |bencher| bencher.iter(|| search_scalar(black_box(&job), RANGE)));
    group.bench_function("sha2, naive", |bencher| {
        let prefix = Sha256::new_with_prefix(SALT);
        bencher.iter(|| {
            black_box(RANGE)
                .find(|number| prefix.clone().chain_update(number.to_string()).finalize()[..] == digest)
        });
    });
    group.finish();
}

criterion_group!(benches, native);
criterion_main!(benches);
