//! scrypt (RFC 7914): SIMD inside of each instance, and several instances interleaved.

use alloc::vec::Vec;
use core::hint::black_box;

use super::password::Passwords;
use super::search::Kernel;
use super::sha256::{Hmac, Sha256, write_lane};
use super::{Error, Parameters};
use crate::sha256::lanes::Lanes;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
type Row = core::arch::wasm32::v128;
#[cfg(all(feature = "native-simd", not(target_arch = "wasm32")))]
type Row = wide::u32x4;
#[cfg(not(any(
    all(target_arch = "wasm32", target_feature = "simd128"),
    all(feature = "native-simd", not(target_arch = "wasm32"))
)))]
type Row = [u32; 4];

/// How many instances are interleaved: with vectors, one waits while the other computes.
pub(super) const WAYS: usize =
    if cfg!(any(target_feature = "simd128", feature = "native-simd")) { 2 } else { 1 };

/// 64 bytes: the diagonals of Salsa20's matrix, so that a quarter-round of four columns is one of whole rows.
type Line = [Row; 4];

/// The word of Salsa20's matrix that is in a place of a [`Line`].
const DIAGONALS: [usize; 16] = [0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11];

/// Salsa20/8 has four double rounds.
const DOUBLE_ROUNDS: usize = 4;

pub(super) struct Scrypt {
    salt: Vec<u8>,
    n: u32,
    r: usize,
    p: usize,
    sha256: Sha256<u32>,
    /// Of each instance: the blocks that are derived from the password, as bytes.
    blocks: Vec<u8>,
    /// Of each way: N blocks, then two that the mixing alternates between.
    lines: [Vec<Line>; WAYS],
}

impl Scrypt {
    pub(super) fn new(parameters: &Parameters<'_>) -> Result<Scrypt, Error> {
        let r = parameters.memory_cost as usize;
        let p = parameters.parallelism as usize;
        let count = (parameters.cost as usize).checked_add(2).and_then(|n| n.checked_mul(2 * r));
        let mut blocks = Vec::new();
        // One counter for each way, or the instances of one.
        let length = if p == 1 { WAYS } else { p } * 128 * r;
        blocks.try_reserve_exact(length).map_err(|_| Error::Memory)?;
        blocks.resize(length, 0);
        let mut lines = [const { Vec::new() }; WAYS];
        for lines in &mut lines {
            let count = count.ok_or(Error::Memory)?;
            lines.try_reserve_exact(count).map_err(|_| Error::Memory)?;
            lines.resize(count, [Row::splat(0); 4]);
        }
        let (salt, sha256) = (parameters.salt.into(), Sha256::new());
        Ok(Scrypt { salt, n: parameters.cost, r, p, sha256, blocks, lines })
    }

    /// Mixes the instances from `first` on, as many as there are ways; those beyond the last repeat it.
    fn mix(&mut self, first: usize) {
        let Scrypt { r, n, .. } = *self;
        let instances = self.blocks.len() / (128 * r);
        let instance = |way: usize| (first + way).min(instances - 1) * 128 * r;
        for (way, lines) in self.lines.iter_mut().enumerate() {
            read(&self.blocks[instance(way)..][..128 * r], &mut lines[..2 * r]);
        }
        romix(&mut self.lines, n, r);
        for (way, lines) in self.lines.iter().enumerate() {
            write(&lines[n as usize * 2 * r..][..2 * r], &mut self.blocks[instance(way)..][..128 * r]);
        }
    }
}

impl Kernel for Scrypt {
    fn width(&self) -> usize {
        if self.p == 1 { WAYS } else { 1 }
    }

    fn heads(&mut self, passwords: &Passwords, heads: &mut [u8]) {
        let (width, length) = (self.width(), 128 * self.r * self.p);
        let hmac = |sha256: &mut Sha256<u32>, lane| {
            Hmac::new(sha256, passwords.len(), &|_, at| passwords.byte(lane, at))
        };
        for lane in 0..width {
            let hmac = hmac(&mut self.sha256, lane);
            let blocks = &mut self.blocks[lane * length..][..length];
            pbkdf2(&hmac, &mut self.sha256, &self.salt, blocks);
        }
        let instances = self.blocks.len() / (128 * self.r);
        for first in (0..instances).step_by(WAYS) {
            self.mix(first);
        }
        let head_length = heads.len() / width;
        for (lane, head) in heads.chunks_exact_mut(head_length).enumerate() {
            let hmac = hmac(&mut self.sha256, lane);
            pbkdf2(&hmac, &mut self.sha256, &self.blocks[lane * length..][..length], head);
        }
    }

    fn whole(&mut self, _: usize, _: &mut [u8]) {}
}

/// PBKDF2 with one iteration.
#[inline(never)]
fn pbkdf2(hmac: &Hmac<u32>, sha256: &mut Sha256<u32>, salt: &[u8], key: &mut [u8]) {
    for (index, bytes) in (1..).zip(key.chunks_mut(32)) {
        let block = hmac.pbkdf2(sha256, salt.len(), &|_, at| salt[at], 1, index);
        write_lane(&block, 0, bytes);
    }
}

fn read(bytes: &[u8], lines: &mut [Line]) {
    for (bytes, line) in bytes.chunks_exact(64).zip(lines) {
        *line = core::array::from_fn(|row| {
            Row::from_fn(|lane| {
                let at = DIAGONALS[row * 4 + lane] * 4;
                u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
            })
        });
    }
}

fn write(lines: &[Line], bytes: &mut [u8]) {
    for (bytes, line) in bytes.chunks_exact_mut(64).zip(lines) {
        for (row, words) in line.iter().enumerate() {
            for (lane, word) in words.words().into_iter().enumerate() {
                bytes[DIAGONALS[row * 4 + lane] * 4..][..4].copy_from_slice(&word.to_le_bytes());
            }
        }
    }
}

/// ROMix: from the first block, writes the result into the block after the first N.
#[inline(never)]
fn romix(lines: &mut [Vec<Line>; WAYS], n: u32, r: usize) {
    // A count that the compiler does not know keeps the double rounds a loop, which is faster than straight code.
    let rounds = black_box(DOUBLE_ROUNDS);
    let length = 2 * r;
    for i in 1..=n as usize {
        let mut halves = lines.each_mut().map(|lines| lines[(i - 1) * length..].split_at_mut(length));
        let mut tail = halves.each_ref().map(|(from, _)| from[length - 1]);
        for at in 0..length {
            for ((from, _), tail) in halves.iter().zip(&mut tail) {
                xor(tail, &from[at]);
            }
            salsa(&mut tail, rounds);
            for ((_, to), tail) in halves.iter_mut().zip(&tail) {
                to[place(at, r)] = *tail;
            }
        }
    }
    let memory = n as usize * length;
    let (mut from, mut to) = (memory, memory + length);
    for _ in 0..n {
        let mut picked = [0; WAYS];
        let mut tail = [[Row::splat(0); 4]; WAYS];
        for way in 0..WAYS {
            let lines = &lines[way];
            tail[way] = lines[from + length - 1];
            picked[way] = (tail[way][0].first() & (n - 1)) as usize * length;
            let block = &lines[picked[way]..][..length];
            xor(&mut tail[way], &block[length - 1]);
            // Reads a part of each line, so that all of the block is on its way from memory at once.
            let mut touched = Row::splat(0);
            for line in &block[..length - 1] {
                touched = touched.xor(line[0]);
            }
            black_box(touched);
        }
        for at in 0..length {
            for way in 0..WAYS {
                let lines = &lines[way];
                xor(&mut tail[way], &lines[from + at]);
                xor(&mut tail[way], &lines[picked[way] + at]);
            }
            salsa(&mut tail, rounds);
            for way in 0..WAYS {
                lines[way][to + place(at, r)] = tail[way];
            }
        }
        (from, to) = (to, from);
    }
    // N is even: the result is where the first block was, after the memory.
}

/// Where BlockMix puts a line: the even ones first.
#[inline(always)]
fn place(at: usize, r: usize) -> usize {
    at / 2 + if at % 2 == 1 { r } else { 0 }
}

#[inline(always)]
fn xor(line: &mut Line, other: &Line) {
    for (row, other) in line.iter_mut().zip(other) {
        *row = row.xor(*other);
    }
}

/// Salsa20/8 of each way.
#[inline(always)]
fn salsa(lines: &mut [Line; WAYS], rounds: usize) {
    let start = *lines;
    for _ in 0..rounds {
        for [a, b, c, d] in lines.iter_mut() {
            half_round(a, b, c, d);
            (*b, *c, *d) = (turn::<1>(*b), turn::<2>(*c), turn::<3>(*d));
            // The rows of the second half: what was d is turned to be the next after a.
            half_round(a, d, c, b);
            (*b, *c, *d) = (turn::<3>(*b), turn::<2>(*c), turn::<1>(*d));
        }
    }
    for (line, start) in lines.iter_mut().zip(&start) {
        for (row, start) in line.iter_mut().zip(start) {
            *row = row.add(*start);
        }
    }
}

#[inline(always)]
fn half_round(a: &mut Row, b: &mut Row, c: &mut Row, d: &mut Row) {
    *b = b.xor(a.add(*d).rotate_right::<{ 32 - 7 }>());
    *c = c.xor(b.add(*a).rotate_right::<{ 32 - 9 }>());
    *d = d.xor(c.add(*b).rotate_right::<{ 32 - 13 }>());
    *a = a.xor(d.add(*c).rotate_right::<{ 32 - 18 }>());
}

/// The row with each lane moved up by `BY` places.
#[inline(always)]
fn turn<const BY: usize>(row: Row) -> Row {
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    return match BY {
        1 => core::arch::wasm32::u32x4_shuffle::<3, 0, 1, 2>(row, row),
        2 => core::arch::wasm32::u32x4_shuffle::<2, 3, 0, 1>(row, row),
        _ => core::arch::wasm32::u32x4_shuffle::<1, 2, 3, 0>(row, row),
    };
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    {
        let words = row.words();
        Row::from_fn(|lane| words[(lane + 4 - BY) % 4])
    }
}
