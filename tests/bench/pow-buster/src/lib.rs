//! pow-buster's SIMD128 solver behind two plain exports.

use std::cell::UnsafeCell;

use pow_buster::message::SingleBlockMessage;
use pow_buster::solver::simd128::SingleBlockSolver;
use pow_buster::solver::{SOLVE_TYPE_MASK, Solver as _};

const LONGEST_SALT: usize = 256;

struct Salt(UnsafeCell<[u8; LONGEST_SALT]>);

// SAFETY: a module without threads has one caller at a time.
unsafe impl Sync for Salt {}

static SALT: Salt = Salt(UnsafeCell::new([0; LONGEST_SALT]));

/// Where the salt is to be written.
#[unsafe(no_mangle)]
pub extern "C" fn salt() -> *mut u8 {
    SALT.0.get().cast()
}

/// Tries numbers of nine digits, in the solver's own order, until a digest begins with the 32 bits of `target`
/// or `limit` are tried. The number; or how many were tried, negative, when none was found; or NaN for a salt
/// that it cannot take.
#[unsafe(no_mangle)]
pub extern "C" fn search(salt_length: usize, target: u32, limit: u32) -> f64 {
    // SAFETY: nothing else refers to the bytes while this runs.
    let bytes = unsafe { &*SALT.0.get() };
    let Some(message) = bytes.get(..salt_length).and_then(|salt| SingleBlockMessage::new(salt, 0)) else {
        return f64::NAN;
    };
    let mut solver = SingleBlockSolver::from(message);
    solver.set_limit(u64::from(limit));
    // It compares the upper half of the mask: every one of its 32 bits.
    match solver.solve::<SOLVE_TYPE_MASK>(u64::from(target) << 32, u64::MAX) {
        Some((number, _)) => number as f64,
        None => -(solver.get_attempted_nonces() as f64),
    }
}
