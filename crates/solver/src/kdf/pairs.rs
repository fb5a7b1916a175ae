//! The vector type of Argon2id's compression: a few operations on two 64-bit words.

/// Two words side by side.
pub(super) trait Pairs: Copy {
    const ZERO: Self;

    fn new(low: u64, high: u64) -> Self;
    fn words(self) -> [u64; 2];
    fn add(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn rotate_right<const BITS: u32>(self) -> Self;
    /// The high word of `self`, then the low word of `next`.
    fn align(self, next: Self) -> Self;
    /// Of both pairs, the products of the lower halves of the words.
    fn products(a: [Self; 2], b: [Self; 2]) -> [Self; 2];
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128 {
    use core::arch::wasm32::*;

    impl super::Pairs for v128 {
        const ZERO: v128 = u64x2(0, 0);

        #[inline(always)]
        fn new(low: u64, high: u64) -> v128 {
            u64x2(low, high)
        }
        #[inline(always)]
        fn words(self) -> [u64; 2] {
            [u64x2_extract_lane::<0>(self), u64x2_extract_lane::<1>(self)]
        }
        #[inline(always)]
        fn add(self, other: v128) -> v128 {
            u64x2_add(self, other)
        }
        #[inline(always)]
        fn xor(self, other: v128) -> v128 {
            v128_xor(self, other)
        }
        #[inline(always)]
        fn rotate_right<const BITS: u32>(self) -> v128 {
            // Whole bytes are shuffled, which is one instruction.
            match BITS {
                32 => u32x4_shuffle::<1, 0, 3, 2>(self, self),
                24 => u8x16_shuffle::<3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10>(self, self),
                16 => u16x8_shuffle::<1, 2, 3, 0, 5, 6, 7, 4>(self, self),
                63 => v128_or(u64x2_add(self, self), u64x2_shr(self, 63)),
                _ => v128_or(u64x2_shr(self, BITS), u64x2_shl(self, 64 - BITS)),
            }
        }
        #[inline(always)]
        fn align(self, next: v128) -> v128 {
            u64x2_shuffle::<1, 2>(self, next)
        }
        #[inline(always)]
        fn products(a: [v128; 2], b: [v128; 2]) -> [v128; 2] {
            // One shuffle gathers four lower halves for two multiplications.
            let a = u32x4_shuffle::<0, 2, 4, 6>(a[0], a[1]);
            let b = u32x4_shuffle::<0, 2, 4, 6>(b[0], b[1]);
            [u64x2_extmul_low_u32x4(a, b), u64x2_extmul_high_u32x4(a, b)]
        }
    }
}

impl Pairs for [u64; 2] {
    const ZERO: [u64; 2] = [0, 0];

    #[inline(always)]
    fn new(low: u64, high: u64) -> Self {
        [low, high]
    }
    #[inline(always)]
    fn words(self) -> [u64; 2] {
        self
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        [self[0].wrapping_add(other[0]), self[1].wrapping_add(other[1])]
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        [self[0] ^ other[0], self[1] ^ other[1]]
    }
    #[inline(always)]
    fn rotate_right<const BITS: u32>(self) -> Self {
        self.map(|word| word.rotate_right(BITS))
    }
    #[inline(always)]
    fn align(self, next: Self) -> Self {
        [self[1], next[0]]
    }
    #[inline(always)]
    fn products(a: [Self; 2], b: [Self; 2]) -> [Self; 2] {
        let product = |a: u64, b: u64| u64::from(a as u32) * u64::from(b as u32);
        core::array::from_fn(|at| [product(a[at][0], b[at][0]), product(a[at][1], b[at][1])])
    }
}
