//! Argon2id 1.3 (RFC 9106), the vectors inside of one instance.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hint::black_box;

use super::blake2b::{blake2b, variable_length};
use super::pairs::Pairs;
use super::password::Passwords;
use super::search::Kernel;
use super::{Error, Parameters};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
type Pair = core::arch::wasm32::v128;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
type Pair = [u64; 2];

/// 1024 bytes.
type Block = [Pair; 64];

const ZERO: Block = [Pair::ZERO; 64];
const SLICES: usize = 4;

pub(super) struct Argon2id {
    salt: Vec<u8>,
    key_length: u32,
    memory_cost: u32,
    passes: u32,
    lanes: usize,
    /// Blocks in a slice of a lane.
    segment: usize,
    memory: Vec<Block>,
    work: Box<Work>,
}

/// The buffers of a compression, and the pseudo-random words that do not depend on the memory.
struct Work {
    /// The exclusive or of the two blocks.
    input: Block,
    /// After the rows.
    rows: Block,
    /// The input of the addresses, and the addresses.
    counter: Block,
    addresses: Block,
}

/// Where in the memory a block is filled.
#[derive(Clone, Copy)]
struct Position {
    pass: usize,
    lane: usize,
    slice: usize,
    index: usize,
}

impl Argon2id {
    pub(super) fn new(parameters: &Parameters<'_>) -> Result<Argon2id, Error> {
        let lanes = parameters.parallelism as usize;
        let segment = parameters.memory_cost as usize / (SLICES * lanes);
        let mut memory = Vec::new();
        let blocks = segment * SLICES * lanes;
        memory.try_reserve_exact(blocks).map_err(|_| Error::Memory)?;
        memory.resize(blocks, ZERO);
        Ok(Argon2id {
            salt: parameters.salt.into(),
            key_length: parameters.key_length,
            memory_cost: parameters.memory_cost,
            passes: parameters.cost,
            lanes,
            segment,
            memory,
            work: Box::new(Work { input: ZERO, rows: ZERO, counter: ZERO, addresses: ZERO }),
        })
    }

    /// H0 of the password, and the first two blocks of each lane, which are made of it.
    fn start(&mut self, password: &[u8]) {
        let mut seed = [0; 64];
        let number = |number: usize| (number as u32).to_le_bytes();
        let parameters = [
            number(self.lanes),
            self.key_length.to_le_bytes(),
            self.memory_cost.to_le_bytes(),
            self.passes.to_le_bytes(),
            0x13_u32.to_le_bytes(),
            2_u32.to_le_bytes(),
            number(password.len()),
        ];
        let parts = [parameters.as_flattened(), password, &number(self.salt.len()), &self.salt, &[0; 8]];
        blake2b(&parts, &mut seed);
        let mut bytes = [0; 1024];
        for lane in 0..self.lanes {
            for at in 0..2 {
                variable_length([&seed, &number(at), &number(lane)], &mut bytes);
                let block = &mut self.memory[lane * SLICES * self.segment + at];
                for (pair, bytes) in block.iter_mut().zip(bytes.as_chunks::<8>().0.as_chunks::<2>().0) {
                    *pair = Pair::new(u64::from_le_bytes(bytes[0]), u64::from_le_bytes(bytes[1]));
                }
            }
        }
    }

    /// Fills a slice of a lane.
    fn fill(&mut self, pass: usize, slice: usize, lane: usize) {
        let is_independent = pass == 0 && slice < 2;
        // The first two blocks of a lane are made of the password.
        let first = if pass == 0 && slice == 0 { 2 } else { 0 };
        let mut position = Position { pass, lane, slice, index: first };
        if is_independent {
            let blocks = (SLICES * self.lanes * self.segment) as u64;
            let [pass, lane, slice] = [pass, lane, slice].map(|number| number as u64);
            self.work.counter = ZERO;
            self.work.counter[0] = Pair::new(pass, lane);
            self.work.counter[1] = Pair::new(slice, blocks);
            self.work.counter[2] = Pair::new(u64::from(self.passes), 2);
        }
        // The index of the block that the next one is made of, if it is known early.
        let mut reference = None;
        while position.index < self.segment {
            let start = lane * SLICES * self.segment;
            let current = start + slice * self.segment + position.index;
            // Before the first block of a lane is its last.
            let previous = if current == start { start + SLICES * self.segment } else { current } - 1;
            let from = match reference.take() {
                Some(from) => from,
                None if is_independent => {
                    let at = position.index % 128;
                    if at == 0 || position.index == first {
                        self.work.next_addresses();
                    }
                    let word = self.work.addresses[at / 2].words()[at % 2];
                    self.reference(position, word)
                }
                None => self.reference(position, self.memory[previous][0].words()[0]),
            };
            self.work.rows(&self.memory[previous], &self.memory[from]);
            let word = self.work.columns(&mut self.memory[current], 0, pass > 0);
            position.index += 1;
            if !is_independent && position.index < self.segment {
                // The first column has fixed what the next block is made of: it is read from memory meanwhile.
                let next = self.reference(position, word);
                let mut touched = Pair::ZERO;
                for line in self.memory[next].chunks_exact(4) {
                    touched = touched.xor(line[0]);
                }
                black_box(touched);
                reference = Some(next);
            }
            for column in 1..8 {
                self.work.columns(&mut self.memory[current], column, pass > 0);
            }
        }
    }

    /// The index of the block that the pseudo-random word refers to (RFC 9106, 3.4).
    #[inline(always)]
    fn reference(&self, position: Position, word: u64) -> usize {
        let Position { pass, lane, slice, index } = position;
        let length = SLICES * self.segment;
        let (low, high) = (word as u32, (word >> 32) as usize);
        let is_first = pass == 0 && slice == 0;
        let from_lane = if self.lanes == 1 || is_first { lane } else { high % self.lanes };
        let (before, start) = match pass {
            0 => (slice * self.segment, 0),
            _ => (length - self.segment, (slice + 1) % SLICES * self.segment),
        };
        let area = if from_lane == lane { before + index - 1 } else { before - usize::from(index == 0) };
        let square = (u64::from(low) * u64::from(low)) >> 32;
        let back = ((area as u64 * square) >> 32) as usize;
        let at = start + area - 1 - back;
        from_lane * length + if at >= length { at - length } else { at }
    }
}

impl Kernel for Argon2id {
    fn width(&self) -> usize {
        1
    }

    fn heads(&mut self, passwords: &Passwords, heads: &mut [u8]) {
        self.start(passwords.first());
        for pass in 0..self.passes as usize {
            for slice in 0..SLICES {
                for lane in 0..self.lanes {
                    self.fill(pass, slice, lane);
                }
            }
        }
        let mut last = ZERO;
        for lane in self.memory.chunks_exact(SLICES * self.segment) {
            for (pair, other) in last.iter_mut().zip(&lane[lane.len() - 1]) {
                *pair = pair.xor(*other);
            }
        }
        let mut bytes = [0; 1024];
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(last.iter().flat_map(|pair| pair.words())) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        variable_length([&bytes, &[], &[]], heads);
    }

    fn whole(&mut self, _: usize, _: &mut [u8]) {}
}

impl Work {
    /// The next 128 pseudo-random words of Argon2i: the counter's block compressed twice.
    #[inline(never)]
    fn next_addresses(&mut self) {
        self.counter[3] = self.counter[3].add(Pair::new(1, 0));
        let mut block = self.counter;
        for _ in 0..2 {
            self.rows(&ZERO, &block);
            for column in 0..8 {
                self.columns(&mut block, column, false);
            }
        }
        self.addresses = block;
    }

    /// The first half of the compression: the rows of the exclusive or of two blocks.
    #[inline(never)]
    fn rows(&mut self, a: &Block, b: &Block) {
        let rows = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
        let out = self.input.as_chunks_mut::<8>().0.iter_mut().zip(self.rows.as_chunks_mut::<8>().0);
        for ((a, b), (input, row)) in rows.zip(out) {
            *input = core::array::from_fn(|at| a[at].xor(b[at]));
            *row = permute(*input);
        }
    }

    /// A column of the second half. Returns its first word.
    #[inline(always)]
    fn columns(&self, block: &mut Block, column: usize, keeps_old: bool) -> u64 {
        let pairs = permute(core::array::from_fn(|row| self.rows[row * 8 + column]));
        for (row, pair) in pairs.into_iter().enumerate() {
            let at = row * 8 + column;
            let mut pair = pair.xor(self.input[at]);
            if keeps_old {
                pair = pair.xor(block[at]);
            }
            block[at] = pair;
        }
        block[column].words()[0]
    }
}

/// The permutation P of 16 words.
#[inline(always)]
fn permute(v: [Pair; 8]) -> [Pair; 8] {
    let [a0, a1, b0, b1, c0, c1, d0, d1] = v;
    let (mut a, mut b, mut c, mut d) = ([a0, a1], [b0, b1], [c0, c1], [d0, d1]);
    quarter_rounds(&mut a, &mut b, &mut c, &mut d);
    b = [b[0].align(b[1]), b[1].align(b[0])];
    c = [c[1], c[0]];
    d = [d[1].align(d[0]), d[0].align(d[1])];
    quarter_rounds(&mut a, &mut b, &mut c, &mut d);
    b = [b[1].align(b[0]), b[0].align(b[1])];
    c = [c[1], c[0]];
    d = [d[0].align(d[1]), d[1].align(d[0])];
    [a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]]
}

#[inline(always)]
fn quarter_rounds(a: &mut [Pair; 2], b: &mut [Pair; 2], c: &mut [Pair; 2], d: &mut [Pair; 2]) {
    half::<32, 24>(a, b, c, d);
    half::<16, 63>(a, b, c, d);
}

#[inline(always)]
fn half<const FIRST: u32, const SECOND: u32>(
    a: &mut [Pair; 2],
    b: &mut [Pair; 2],
    c: &mut [Pair; 2],
    d: &mut [Pair; 2],
) {
    multiply_add(a, b);
    for (d, a) in d.iter_mut().zip(&*a) {
        *d = d.xor(*a).rotate_right::<FIRST>();
    }
    multiply_add(c, d);
    for (b, c) in b.iter_mut().zip(&*c) {
        *b = b.xor(*c).rotate_right::<SECOND>();
    }
}

/// a + b + 2 · low(a) · low(b)
#[inline(always)]
fn multiply_add(a: &mut [Pair; 2], b: &[Pair; 2]) {
    let products = Pair::products(*a, *b);
    for ((a, b), product) in a.iter_mut().zip(b).zip(products) {
        *a = a.add(*b).add(product.add(product));
    }
}
