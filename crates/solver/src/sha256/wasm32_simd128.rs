//! Four candidates at a time, one in each lane of WebAssembly's 128-bit vectors.

#[cfg(not(target_feature = "simd128"))]
compile_error!("the wasm32_simd128 backend needs the target feature `simd128`");

use core::arch::wasm32::*;

use super::lanes::Lanes;

pub(crate) const NAME: &str = "simd128";

pub(crate) type Vector = v128;

impl Lanes for v128 {
    const COUNT: usize = 4;

    #[inline(always)]
    fn splat(word: u32) -> v128 {
        u32x4_splat(word)
    }
    #[inline(always)]
    fn from_fn(mut word: impl FnMut(usize) -> u32) -> v128 {
        u32x4(word(0), word(1), word(2), word(3))
    }
    #[inline(always)]
    fn add(self, other: v128) -> v128 {
        u32x4_add(self, other)
    }
    #[inline(always)]
    fn xor(self, other: v128) -> v128 {
        v128_xor(self, other)
    }
    #[inline(always)]
    fn rotate_right<const BITS: u32>(self) -> v128 {
        // There is no rotation: two shifts and an or.
        v128_or(u32x4_shr(self, BITS), u32x4_shl(self, 32 - BITS))
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> v128 {
        u32x4_shr(self, BITS)
    }
    #[inline(always)]
    fn select(self, ones: v128, zeros: v128) -> v128 {
        v128_bitselect(ones, zeros, self)
    }
    #[inline(always)]
    fn equal(self, other: v128) -> u32 {
        let equal = u32x4_eq(self, other);
        // Nearly always nothing is equal, and that question is cheaper than the mask.
        if v128_any_true(equal) { u32::from(u32x4_bitmask(equal)) } else { 0 }
    }
    #[inline(always)]
    fn first(self) -> u32 {
        u32x4_extract_lane::<0>(self)
    }
    #[cfg(feature = "kdf-lanes")]
    #[inline(always)]
    fn words(self) -> [u32; 4] {
        [
            u32x4_extract_lane::<0>(self),
            u32x4_extract_lane::<1>(self),
            u32x4_extract_lane::<2>(self),
            u32x4_extract_lane::<3>(self),
        ]
    }
}
