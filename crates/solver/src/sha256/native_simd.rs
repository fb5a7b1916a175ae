//! Four candidates at a time in the 128-bit vectors of the target machine: for measurements of the kernel without
//! WebAssembly only.

use wide::u32x4;

use super::lanes::Lanes;

pub(crate) const NAME: &str = "native-simd";

pub(crate) type Vector = u32x4;

impl Lanes for u32x4 {
    const COUNT: usize = 4;

    #[inline(always)]
    fn splat(word: u32) -> u32x4 {
        u32x4::splat(word)
    }
    #[inline(always)]
    fn from_fn(word: impl FnMut(usize) -> u32) -> u32x4 {
        u32x4::new(core::array::from_fn(word))
    }
    #[inline(always)]
    fn add(self, other: u32x4) -> u32x4 {
        self + other
    }
    #[inline(always)]
    fn xor(self, other: u32x4) -> u32x4 {
        self ^ other
    }
    #[inline(always)]
    fn rotate_right<const BITS: u32>(self) -> u32x4 {
        self >> BITS | self << (32 - BITS)
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> u32x4 {
        self >> BITS
    }
    #[inline(always)]
    fn select(self, ones: u32x4, zeros: u32x4) -> u32x4 {
        zeros ^ (self & (ones ^ zeros))
    }
    #[inline(always)]
    fn equal(self, other: u32x4) -> u32 {
        self.simd_eq(other).to_bitmask()
    }
    #[inline(always)]
    fn first(self) -> u32 {
        self.to_array()[0]
    }
    #[cfg(feature = "kdf-lanes")]
    #[inline(always)]
    fn words(self) -> [u32; 4] {
        self.to_array()
    }
}
