#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "kdf")]
extern crate alloc;

#[cfg(feature = "kdf")]
pub mod kdf;
mod message;
#[cfg(feature = "all-algorithms")]
mod plain;
mod sha256;

use core::ops::RangeInclusive;

#[cfg(feature = "all-algorithms")]
use plain::Plain;
use sha256::Sha256Job;

pub use sha256::BACKEND;

/// The digest that a solution must hash to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A SHA-1 digest.
    #[cfg(feature = "all-algorithms")]
    Sha1([u8; 20]),
    /// A SHA-256 digest.
    Sha256([u8; 32]),
    /// A SHA-384 digest.
    #[cfg(feature = "all-algorithms")]
    Sha384([u8; 48]),
    /// A SHA-512 digest.
    #[cfg(feature = "all-algorithms")]
    Sha512([u8; 64]),
}

impl Target {
    /// Returns the target whose digest is as long as `digest`; `None` if no supported algorithm has that length.
    ///
    /// ```
    /// use saltmine_solver::Target;
    ///
    /// assert_eq!(Target::from_digest(&[7; 32]), Some(Target::Sha256([7; 32])));
    /// assert_eq!(Target::from_digest(&[7; 31]), None);
    /// ```
    pub fn from_digest(digest: &[u8]) -> Option<Target> {
        match digest.len() {
            #[cfg(feature = "all-algorithms")]
            20 => digest.try_into().ok().map(Target::Sha1),
            32 => digest.try_into().ok().map(Target::Sha256),
            #[cfg(feature = "all-algorithms")]
            48 => digest.try_into().ok().map(Target::Sha384),
            #[cfg(feature = "all-algorithms")]
            64 => digest.try_into().ok().map(Target::Sha512),
            _ => None,
        }
    }
}

/// A salt and a target, with everything that is the same for every candidate computed.
///
/// A new job compresses each whole block of the salt; keep it between calls of [`search`].
#[derive(Clone)]
pub struct Job(Kind);

#[derive(Clone)]
enum Kind {
    Sha256(Sha256Job),
    #[cfg(feature = "all-algorithms")]
    Plain(Plain),
}

impl Job {
    /// Creates a job for the candidates `salt ‖ decimal(number)`. The salt is any sequence of bytes, of any length.
    pub fn new(salt: &[u8], target: &Target) -> Job {
        Job(match target {
            #[cfg(feature = "all-algorithms")]
            Target::Sha1(digest) => Kind::Plain(Plain::sha1(salt, digest)),
            Target::Sha256(digest) => Kind::Sha256(Sha256Job::new(salt, digest)),
            #[cfg(feature = "all-algorithms")]
            Target::Sha384(digest) => Kind::Plain(Plain::sha384(salt, digest)),
            #[cfg(feature = "all-algorithms")]
            Target::Sha512(digest) => Kind::Plain(Plain::sha512(salt, digest)),
        })
    }
}

/// Returns a solution in `range`, or `None` if there is none.
///
/// Every number of the range is tried, each once, in no guaranteed order: if several numbers solve the job
/// (no such job is known), any of them is returned. Numbers are written in decimal without leading
/// zeros. An empty range has no solution.
///
/// ```
/// use saltmine_solver::{Job, Target, search};
///
/// let job = Job::new(b"no number hashes to zeros", &Target::Sha256([0; 32]));
/// let (chunk, max_number) = (1000, 2500_u64);
/// for start in (0..=max_number).step_by(chunk) {
///     assert_eq!(search(&job, start..=max_number.min(start + chunk as u64 - 1)), None);
/// }
/// ```
pub fn search(job: &Job, range: RangeInclusive<u64>) -> Option<u64> {
    if range.is_empty() {
        return None;
    }
    let (first, last) = range.into_inner();
    match &job.0 {
        Kind::Sha256(job) => job.search(first, last),
        #[cfg(feature = "all-algorithms")]
        Kind::Plain(job) => job.search(first, last),
    }
}

/// Searches like [`search`] with the scalar backend, to measure both in one program.
///
/// ```
/// use saltmine_solver::{Job, Target, search, search_scalar};
///
/// let job = Job::new(b"no number hashes to zeros", &Target::Sha256([0; 32]));
/// assert_eq!(search_scalar(&job, 0..=1000), search(&job, 0..=1000));
/// ```
#[cfg(feature = "native-simd")]
pub fn search_scalar(job: &Job, range: RangeInclusive<u64>) -> Option<u64> {
    match &job.0 {
        Kind::Sha256(job) if !range.is_empty() => job.search_scalar(*range.start(), *range.end()),
        #[cfg(feature = "all-algorithms")]
        Kind::Plain(_) => search(job, range),
        Kind::Sha256(_) => None,
    }
}
