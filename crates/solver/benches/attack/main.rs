//! An attacker's rate: candidates per second on one core, by the best native code of this repository and of the usual
//! crates, for each algorithm and cost. Prints a line of JSON for each method, from which `npm run bench -- --cost`
//! makes the table.
//!
//! Every method is checked against the reference implementation before it is measured.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a measurement reads the clock, and fails where it is wrong"
)]

mod clock;
mod hash;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
mod wide;

use saltmine_solver::kdf::{Algorithm, CounterMode, Parameters, Search, derive};
use saltmine_solver::{BACKEND, Job, Target, search};
use std::hint::black_box;
use std::time::Duration;

/// How much processor time one turn of a method takes, and how many turns each has. The best turn counts: an attacker's
/// machine is idle.
const TURN: Duration = Duration::from_millis(300);
const TURNS: usize = 5;

/// A salt as the server issues for an app.
const SALT: &[u8] = b"9296a1efb9cb79fb0d5d2ab8?app=app_demo000000000000&expires=1902268694&";
const NONCE: [u8; 16] = [0x5a; 16];
const KEY_SALT: [u8; 16] = [0xc3; 16];

fn main() {
    v1();
    for (algorithm, cost, memory_cost) in [
        (Algorithm::Pbkdf2Sha256, 5000, 0),
        (Algorithm::Sha256, 1000, 0),
        (Algorithm::Scrypt, 16_384, 8),
        (Algorithm::Scrypt, 65_536, 8),
        (Algorithm::Argon2id, 2, 16_384),
        (Algorithm::Argon2id, 2, 65_536),
    ] {
        v2(&Parameters {
            algorithm,
            nonce: &NONCE,
            salt: &KEY_SALT,
            cost,
            memory_cost,
            parallelism: 1,
            key_length: 32,
            counter_mode: CounterMode::Uint32,
        });
    }
}

fn v1() {
    // In no range: every number is tried.
    let job = Job::new(SALT, &Target::Sha256([0x5a; 32]));
    let mut next = 10_000;
    report("v1", 0, 0, &format!("own kernel, {BACKEND}"), || {
        assert_eq!(search(black_box(&job), next..=next + 9_999), None);
        next = if next > 900_000 { 10_000 } else { next + 10_000 };
        10_000
    });
    let hasher = hash::Numbers::new(SALT);
    hasher.check();
    report("v1", 0, 0, "16 lanes of 32 bits", || hasher.wide::<16>());
    report("v1", 0, 0, "8 lanes of 32 bits", || hasher.wide::<8>());
    #[cfg(target_arch = "x86_64")]
    if sha_ni::is_available() {
        report("v1", 0, 0, "SHA instructions, 2 streams", || hasher.sha_ni::<2>());
        report("v1", 0, 0, "SHA instructions, 4 streams", || hasher.sha_ni::<4>());
    }
}

fn v2(parameters: &Parameters<'_>) {
    let name = match parameters.algorithm {
        Algorithm::Pbkdf2Sha256 => "PBKDF2/SHA-256",
        Algorithm::Sha256 => "SHA-256",
        Algorithm::Scrypt => "SCRYPT",
        _ => "ARGON2ID",
    };
    let report = |method: &str, keys: &mut dyn FnMut() -> u64| {
        report(name, parameters.cost, parameters.memory_cost, method, keys);
    };
    let mut counter = 0;
    report("RustCrypto crates", &mut || {
        counter += 1;
        black_box(derive(parameters, counter).unwrap());
        1
    });
    let mut own = Search::new(parameters, &"5a".repeat(32)).unwrap();
    let mut first = 0;
    report(&format!("own kernel, {BACKEND}"), &mut || {
        let width = own.width();
        assert_eq!(own.search(black_box(first), width), None);
        first += u64::from(width);
        width.into()
    });
    if !matches!(parameters.algorithm, Algorithm::Pbkdf2Sha256 | Algorithm::Sha256) {
        return;
    }
    let keys = hash::Keys::new(parameters);
    keys.check();
    report("16 lanes of 32 bits", &mut || keys.wide::<16>());
    report("8 lanes of 32 bits", &mut || keys.wide::<8>());
    #[cfg(target_arch = "x86_64")]
    if sha_ni::is_available() {
        report("SHA instructions, 1 stream", &mut || keys.sha_ni::<1>());
        report("SHA instructions, 2 streams", &mut || keys.sha_ni::<2>());
        report("SHA instructions, 4 streams", &mut || keys.sha_ni::<4>());
    }
}

/// Runs `candidates`, which returns how many it tried, and prints the best rate.
fn report(algorithm: &str, cost: u32, memory_cost: u32, method: &str, mut candidates: impl FnMut() -> u64) {
    candidates();
    let turn = |_| {
        let (start, mut count) = (clock::now(), 0);
        while clock::now() - start < TURN {
            count += candidates();
        }
        count as f64 / (clock::now() - start).as_secs_f64()
    };
    let best = (0..TURNS).map(turn).fold(0.0, f64::max);
    println!(
        r#"{{"algorithm":"{algorithm}","cost":{cost},"memoryCost":{memory_cost},"method":"{method}","perSecond":{best:.3}}}"#
    );
}
