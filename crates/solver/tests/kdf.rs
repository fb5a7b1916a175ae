//! The searches of version 2 against the shared vectors and against the RustCrypto crates, natively and in WebAssembly.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use proptest::prelude::*;
use saltmine_solver::kdf::{Algorithm, CounterMode, Error, Parameters, Search, derive};
use serde::Deserialize;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[derive(Deserialize)]
struct Document {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    name: String,
    counter_mode: String,
    // Without the challenge, whose lone surrogate serde refuses.
    canonical_parameters: String,
    solution: Solution,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members {
    algorithm: String,
    nonce: String,
    salt: String,
    cost: u32,
    memory_cost: Option<u32>,
    parallelism: Option<u32>,
    key_length: u32,
    key_prefix: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Solution {
    counter: u64,
    derived_key: String,
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn parameters<'a>(algorithm: Algorithm, nonce: &'a [u8], salt: &'a [u8]) -> Parameters<'a> {
    let (cost, memory_cost) = match algorithm {
        Algorithm::Scrypt => (4, 1),
        Algorithm::Argon2id => (1, 8),
        _ => (2, 0),
    };
    let counter_mode = CounterMode::Uint32;
    Parameters { algorithm, nonce, salt, cost, memory_cost, parallelism: 1, key_length: 32, counter_mode }
}

/// Every vector is solved at its counter, with its key, whatever the blocks are; from there the whole search for some.
#[test]
fn every_vector_is_solved() {
    let document: Document =
        serde_json::from_str(include_str!("../../../tests/vectors/altcha-v2.json")).unwrap();
    assert_eq!(document.vectors.len(), 75);
    for vector in document.vectors {
        let json = vector.canonical_parameters.replace("\\ud800", "");
        let members: Members = serde_json::from_str(&json).unwrap();
        let (nonce, salt) = (bytes(&members.nonce), bytes(&members.salt));
        let parameters = Parameters {
            algorithm: Algorithm::from_name(&members.algorithm).unwrap(),
            nonce: &nonce,
            salt: &salt,
            cost: members.cost,
            memory_cost: members.memory_cost.unwrap_or(0),
            parallelism: members.parallelism.unwrap_or(1),
            key_length: members.key_length,
            counter_mode: if vector.counter_mode == "string" {
                CounterMode::Decimal
            } else {
                CounterMode::Uint32
            },
        };
        let Solution { counter, derived_key } = vector.solution;
        assert_eq!(hex(&derive(&parameters, counter).unwrap()), derived_key, "{}", vector.name);
        let mut search = Search::new(&parameters, &members.key_prefix).unwrap();
        // Far searches begin near the end.
        let start = counter.saturating_sub(400);
        let found = (start..=counter).step_by(50).find_map(|first| search.search(first, 50));
        assert_eq!(
            found.map(|(counter, key)| (counter, hex(&key))),
            Some((counter, derived_key)),
            "{}",
            vector.name
        );
        assert_eq!(search.search(start, (counter - start) as u32), None, "{}", vector.name);
    }
}

fn any_algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(vec![
        Algorithm::Sha256,
        Algorithm::Sha384,
        Algorithm::Sha512,
        Algorithm::Pbkdf2Sha256,
        Algorithm::Pbkdf2Sha384,
        Algorithm::Pbkdf2Sha512,
        Algorithm::Scrypt,
        Algorithm::Argon2id,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(target_arch = "wasm32") { 48 } else { 256 }))]

    /// Any parameters, any counter, any prefix of the key: what is found is what the reference implementation derives.
    #[test]
    fn any_key_is_that_of_the_reference(
        algorithm in any_algorithm(),
        nonce in prop::collection::vec(any::<u8>(), 0..150),
        salt in prop::collection::vec(any::<u8>(), 8..150),
        cost in 1_u32..6, memory_cost in 1_u32..5, parallelism in 1_u32..6, key_length in 4_u32..150,
        counter in prop_oneof![0_u64..300, Just((1 << 32) - 1), 0_u64..1 << 32],
        is_decimal: bool, digits in 8_usize..64,
    ) {
        let parameters = Parameters {
            algorithm, nonce: &nonce, salt: &salt, key_length, parallelism,
            cost: if algorithm == Algorithm::Scrypt { 1 << cost } else { cost },
            memory_cost: if algorithm == Algorithm::Argon2id {
                memory_cost * 8 * parallelism + cost
            } else {
                memory_cost
            },
            counter_mode: if is_decimal { CounterMode::Decimal } else { CounterMode::Uint32 },
        };
        let key = derive(&parameters, counter).unwrap();
        let prefix = &hex(&key)[..digits.min(key.len() * 2)];
        let mut search = Search::new(&parameters, prefix).unwrap();
        for before in [0, 1, 2, 3, 7] {
            let first = counter.saturating_sub(before);
            prop_assert_eq!(search.search(first, 11), Some((counter, key.clone())), "{:?}", parameters);
        }
        prop_assert_eq!(search.search(counter, 1), Some((counter, key)));
        prop_assert_eq!(search.search(counter, 0), None);
        prop_assert_eq!(search.search(counter.saturating_sub(9), counter.min(9) as u32), None);
        prop_assert_eq!(search.search(counter + 1, 9), None);
    }
}

/// Whatever the block's size and start, the first counter of the block is found whose key has the prefix.
#[test]
fn the_first_counter_of_a_block_is_found() {
    for algorithm in [
        Algorithm::Sha256,
        Algorithm::Pbkdf2Sha256,
        Algorithm::Scrypt,
        Algorithm::Argon2id,
        Algorithm::Sha512,
    ] {
        let parameters = parameters(algorithm, b"nonce", b"saltsalt");
        let keys: Vec<_> = (0..40).map(|counter| derive(&parameters, counter).unwrap()).collect();
        for digit in ["0", "a", "F"] {
            let mut search = Search::new(&parameters, digit).unwrap();
            for first in 0..12 {
                for count in 0..28 {
                    let expected = (first..first + count).find(|counter| {
                        hex(&keys[*counter as usize]).starts_with(&digit.to_ascii_lowercase())
                    });
                    let found = search.search(first, count as u32);
                    let expected = expected.map(|counter| (counter, keys[counter as usize].clone()));
                    assert_eq!(found, expected, "{algorithm:?} {digit} {first} {count}");
                }
            }
        }
    }
}

/// Larger memory, so that every part of the addressing is reached, and several passes.
#[test]
fn larger_memory_gives_the_keys_of_the_reference() {
    for (algorithm, cost, memory_cost, parallelism) in [
        (Algorithm::Scrypt, 1024, 8, 1),
        (Algorithm::Scrypt, 512, 8, 3),
        (Algorithm::Argon2id, 3, 2048, 1),
        (Algorithm::Argon2id, 2, 1100, 2),
        (Algorithm::Argon2id, 3, 1600, 3),
    ] {
        let parameters =
            Parameters { cost, memory_cost, parallelism, ..parameters(algorithm, &[7; 16], &[9; 16]) };
        let key = derive(&parameters, 6).unwrap();
        let mut search = Search::new(&parameters, &hex(&key)).unwrap();
        // Twice: the memory of the first search is used again.
        assert_eq!(search.search(4, 5), Some((6, key.clone())), "{parameters:?}");
        assert_eq!(search.search(6, 1), Some((6, key)), "{parameters:?}");
    }
}

#[test]
fn counters_end_with_their_mode() {
    let parameters = parameters(Algorithm::Sha256, &[1], &[2]);
    let mut search = Search::new(&parameters, &"0".repeat(64)).unwrap();
    assert_eq!(search.search(u64::from(u32::MAX) - 3, 100), None);
    assert_eq!(search.search(u64::from(u32::MAX) + 1, 100), None);
    assert_eq!(search.search(u64::MAX, 100), None);
    assert_eq!(derive(&parameters, 1 << 32), Err(Error::Parameters));
    // The counter after the last would be 0 again.
    let key = derive(&parameters, 0).unwrap();
    let mut search = Search::new(&parameters, &hex(&key)).unwrap();
    assert_eq!(search.search(u64::from(u32::MAX) - 3, 100), None);
    let decimal = Parameters { counter_mode: CounterMode::Decimal, ..parameters };
    let key = derive(&decimal, 1 << 40).unwrap();
    assert_eq!(Search::new(&decimal, &hex(&key)).unwrap().search(1 << 40, 1), Some((1 << 40, key)));
}

#[test]
fn invalid_parameters_are_refused() {
    let valid = parameters(Algorithm::Sha256, &[1], &[2]);
    for prefix in ["", "g", "0x", "é", &"0".repeat(65)] {
        assert_eq!(Search::new(&valid, prefix).err(), Some(Error::Parameters), "{prefix}");
    }
    let scrypt = parameters(Algorithm::Scrypt, &[1], &[2]);
    let argon2id = parameters(Algorithm::Argon2id, &[1], &[2; 8]);
    for invalid in [
        Parameters { cost: 0, ..valid },
        Parameters { key_length: 0, ..valid },
        Parameters { key_length: 1025, ..valid },
        Parameters { cost: 0, ..scrypt },
        Parameters { cost: 1, ..scrypt },
        Parameters { cost: 6, ..scrypt },
        Parameters { memory_cost: 0, ..scrypt },
        Parameters { parallelism: 0, ..scrypt },
        Parameters { memory_cost: 1 << 15, parallelism: 1 << 15, ..scrypt },
        Parameters { cost: 0, ..argon2id },
        Parameters { memory_cost: 7, ..argon2id },
        Parameters { parallelism: 2, ..argon2id },
        Parameters { parallelism: 0, ..argon2id },
        Parameters { key_length: 3, ..argon2id },
        Parameters { salt: &[2; 7], ..argon2id },
    ] {
        assert_eq!(Search::new(&invalid, "0").err(), Some(Error::Parameters), "{invalid:?}");
        assert_eq!(derive(&invalid, 0), Err(Error::Parameters), "{invalid:?}");
    }
}

/// More than any machine has: an error, not the end of the process.
#[test]
fn refused_memory_is_an_error() {
    let scrypt = parameters(Algorithm::Scrypt, &[1], &[2]);
    let scrypt = Parameters { cost: 1 << 31, memory_cost: (1 << 24) - 1, ..scrypt };
    assert_eq!(Search::new(&scrypt, "0").err(), Some(Error::Memory));
    #[cfg(target_arch = "wasm32")]
    {
        let argon2id = parameters(Algorithm::Argon2id, &[1], &[2; 8]);
        let argon2id = Parameters { memory_cost: u32::MAX, ..argon2id };
        assert_eq!(Search::new(&argon2id, "0").err(), Some(Error::Memory));
    }
}

#[test]
fn memory_is_reported() {
    let scrypt = parameters(Algorithm::Scrypt, &[1], &[2]);
    let scrypt = Parameters { cost: 16384, memory_cost: 8, ..scrypt };
    let argon2id = parameters(Algorithm::Argon2id, &[1], &[2; 8]);
    let argon2id = Parameters { memory_cost: 65536, ..argon2id };
    let mib = |parameters: &Parameters<'_>| parameters.memory_bytes() >> 20;
    assert_eq!(mib(&scrypt), 16 * u64::from(Search::new(&scrypt, "0").unwrap().width()));
    assert_eq!(mib(&argon2id), 64);
    assert_eq!(parameters(Algorithm::Pbkdf2Sha256, &[1], &[2]).memory_bytes(), 0);
}
