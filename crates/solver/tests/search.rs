//! One suite for every backend: natively, and on WebAssembly with and without `simd128`. The expected
//! results are those of a reference implementation of three lines with the `sha1` and `sha2` crates.

// clippy knows only `#[test]` functions as tests, not those of wasm-bindgen.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use saltmine_solver::{BACKEND, Job, Target, search};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[derive(Clone, Copy, Debug)]
enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

const HASHES: [Hash; 4] = [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512];

fn target(hash: Hash, salt: &[u8], number: u64) -> Target {
    let message = [salt, number.to_string().as_bytes()].concat();
    match hash {
        Hash::Sha1 => Target::Sha1(Sha1::digest(message).into()),
        Hash::Sha256 => Target::Sha256(Sha256::digest(message).into()),
        Hash::Sha384 => Target::Sha384(Sha384::digest(message).into()),
        Hash::Sha512 => Target::Sha512(Sha512::digest(message).into()),
    }
}

/// The reference implementation: hashes every candidate completely, in order.
fn reference(hash: Hash, salt: &[u8], wanted: &Target, first: u64, last: u64) -> Option<u64> {
    (first..=last).find(|&number| target(hash, salt, number) == *wanted)
}

/// `salt` bytes that look like those of real challenges.
fn salt(len: usize) -> Vec<u8> {
    b"0123456789abcdef?expires=1790000000&".iter().cycle().skip(len % 7).take(len).copied().collect()
}

/// Searches `first..=last` for each of its numbers and for those just outside.
fn check_range(hash: Hash, salt: &[u8], first: u64, last: u64) {
    for number in first.saturating_sub(3)..=last.saturating_add(3) {
        let found = search(&Job::new(salt, &target(hash, salt, number)), first..=last);
        let expected = (first..=last).contains(&number).then_some(number);
        assert_eq!(found, expected, "{hash:?}, salt of {} bytes, {number} in {first}..={last}", salt.len());
    }
}

#[test]
fn backend_is_the_one_compiled_for() {
    let expected = match (cfg!(target_arch = "wasm32"), cfg!(target_feature = "simd128")) {
        (true, true) => "simd128",
        (false, _) if cfg!(feature = "native-simd") => "native-simd",
        _ => "scalar",
    };
    assert_eq!(BACKEND, expected);
}

/// `tests/vectors/altcha-v1.json`: challenges made by other implementations.
#[test]
fn vectors() {
    #[derive(serde::Deserialize)]
    struct Vectors {
        vectors: Vec<Vector>,
    }
    #[derive(serde::Deserialize)]
    struct Vector {
        salt: String,
        number: Option<u64>,
        maxnumber: u64,
        challenge: String,
    }
    let vectors: Vectors =
        serde_json::from_str(include_str!("../../../tests/vectors/altcha-v1.json")).unwrap();
    assert_eq!(vectors.vectors.len(), 256);
    for vector in vectors.vectors {
        let digest: Vec<u8> = (0..vector.challenge.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&vector.challenge[at..at + 2], 16).unwrap())
            .collect();
        let job = Job::new(vector.salt.as_bytes(), &Target::from_digest(&digest).unwrap());
        assert_eq!(search(&job, 0..=vector.maxnumber), vector.number, "salt {:?}", vector.salt);
    }
}

/// Any salt, any number up to 10^9, a narrow range that holds it or just misses it.
#[test]
fn agrees_with_the_reference_implementation() {
    let salts = prop_oneof![
        3 => proptest::collection::vec(any::<char>(), 0..60)
            .prop_map(|chars| chars.into_iter().collect::<String>().into_bytes()),
        2 => proptest::collection::vec(any::<u8>(), 0..=200),
        3 => (0_usize..=200).prop_map(salt),
    ];
    // Numbers of any length, and those around which a length changes.
    let numbers = prop_oneof![
        (0_u32..9, 1_u64..1000).prop_map(|(zeros, lead)| (lead * 10_u64.pow(zeros)).min(1_000_000_000)),
        0_u64..=1_000_000_000,
        (0_u32..=9, 0_u64..40).prop_map(|(zeros, below)| 10_u64.pow(zeros).saturating_sub(below)),
    ];
    let hashes = prop_oneof![5 => Just(Hash::Sha256), 1 => Just(Hash::Sha1), 1 => Just(Hash::Sha384), 1 => Just(Hash::Sha512)];
    let cases = (salts, numbers, 0_u64..70, 0_u64..70, 0_u64..150, hashes);
    let config = Config { cases: 3000, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&cases, |(salt, number, before, after, at, hash)| {
            let (first, last) = (number.saturating_sub(before), number + after);
            let wanted = target(hash, &salt, first + at);
            let found = search(&Job::new(&salt, &wanted), first..=last);
            prop_assert_eq!(found, reference(hash, &salt, &wanted, first, last));
            Ok(())
        })
        .unwrap();
}

/// Every salt length modulo the block and every number of digits up to 2^53-1, the change of length included.
#[test]
fn every_salt_length_and_every_count_of_digits() {
    for salt_len in 0..=130 {
        let salt = salt(salt_len);
        for digits in 1..=15 {
            let power = 10_u64.pow(digits);
            for number in [power - 2, power - 1, power, power + 1] {
                let job = Job::new(&salt, &target(Hash::Sha256, &salt, number));
                assert_eq!(search(&job, power - 6..=power + 6), Some(number), "salt of {salt_len} bytes");
                assert_eq!(search(&job, number + 1..=power + 9), None, "salt of {salt_len} bytes");
                assert_eq!(
                    search(&job, power.saturating_sub(9)..=number - 1),
                    None,
                    "salt of {salt_len} bytes"
                );
            }
        }
        let largest = (1_u64 << 53) - 1;
        let job = Job::new(&salt, &target(Hash::Sha256, &salt, largest));
        assert_eq!(search(&job, largest - 9..=largest), Some(largest), "salt of {salt_len} bytes");
        assert_eq!(search(&job, largest - 9..=largest - 1), None, "salt of {salt_len} bytes");
    }
}

/// Each number of a range is found, and nothing outside of it.
#[test]
fn each_number_is_covered() {
    let ranges = [
        (0, 0),
        (0, 1),
        (0, 12),
        (1, 4),
        (7, 10),
        (9, 9),
        (9, 10),
        (10, 10),
        (97, 101),
        (0, 130),
        (995, 1007),
    ];
    let ranges = ranges.into_iter().chain([
        (9_989, 10_013),
        (99_997, 100_001),
        (999_998, 1_000_003),
        (12_343, 12_361),
    ]);
    for (first, last) in ranges {
        for salt_len in [0, 1, 44, 45, 46, 47, 50, 52, 54, 55, 58, 61, 62, 63, 64, 70, 108] {
            check_range(Hash::Sha256, &salt(salt_len), first, last);
        }
        for hash in HASHES {
            check_range(hash, &salt(44), first, last);
            check_range(hash, &salt(109), first, last);
        }
    }
}

/// A wrong digest in which the word that the kernel compares first is right: additions to the first and fifth word of
/// the state do not change the result of the four inverted final rounds.
#[test]
fn a_near_miss_is_no_solution() {
    for salt_len in [44, 50, 58, 70] {
        let salt = salt(salt_len);
        let Target::Sha256(digest) = target(Hash::Sha256, &salt, 12_345) else { unreachable!() };
        let mut near = digest;
        for word in [0, 4] {
            let bytes: &mut [u8; 4] = (&mut near[word * 4..word * 4 + 4]).try_into().unwrap();
            *bytes = u32::from_be_bytes(*bytes).wrapping_add(1).to_be_bytes();
        }
        let near_miss = Job::new(&salt, &Target::Sha256(near));
        assert_eq!(search(&near_miss, 12_345..=12_345), None);
        assert_eq!(search(&near_miss, 0..=20_000), None);
    }
}

/// The ends of a range are part of it.
#[test]
fn exhausts_the_range() {
    for hash in HASHES {
        let salt = salt(44);
        let last = 10_007;
        for number in [0, last] {
            let job = Job::new(&salt, &target(hash, &salt, number));
            assert_eq!(search(&job, 0..=last), Some(number));
            assert_eq!(search(&job, number..=number), Some(number));
            assert_eq!(search(&job, 1..=last - 1), None);
        }
        let job = Job::new(&salt, &target(hash, &salt, last + 1));
        assert_eq!(search(&job, 0..=last), None);
    }
}

#[test]
fn an_empty_range_has_no_solution() {
    let job = Job::new(b"", &target(Hash::Sha256, b"", 5));
    #[expect(clippy::reversed_empty_ranges, reason = "that is the point")]
    let empty = 6..=5;
    assert_eq!(search(&job, empty), None);
}

#[test]
fn numbers_have_no_leading_zeros() {
    let wanted = Target::Sha256(Sha256::digest(b"salt007").into());
    assert_eq!(search(&Job::new(b"salt", &wanted), 0..=1000), None);
    assert_eq!(search(&Job::new(b"salt00", &wanted), 0..=1000), Some(7));
}
