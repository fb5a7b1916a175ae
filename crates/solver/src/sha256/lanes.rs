//! The vector type of the kernel: a few operations on 32-bit words, the same in every lane.

/// `COUNT` words side by side. The kernel is written once over this trait; a backend is a type that implements it.
pub(crate) trait Lanes: Copy {
    const COUNT: usize;

    /// The same word in every lane.
    fn splat(word: u32) -> Self;
    /// A word for each lane, from the lane's index.
    fn from_fn(word: impl FnMut(usize) -> u32) -> Self;
    fn add(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn rotate_right<const BITS: u32>(self) -> Self;
    fn shift_right<const BITS: u32>(self) -> Self;
    /// The bits of `ones` where `self` has a one, those of `zeros` elsewhere.
    fn select(self, ones: Self, zeros: Self) -> Self;
    /// The lanes that equal the same lane of `other`: the bit of the lane's index is set.
    fn equal(self, other: Self) -> u32;
    /// The word in the first lane.
    fn first(self) -> u32;
    /// The words of all lanes; those beyond `COUNT` are 0.
    #[cfg(feature = "kdf-lanes")]
    fn words(self) -> [u32; 4];

    #[inline(always)]
    fn xor3(self, y: Self, z: Self) -> Self {
        self.xor(y).xor(z)
    }
    /// Σ0 of FIPS 180-4.
    #[inline(always)]
    fn sum0(self) -> Self {
        self.rotate_right::<2>().xor3(self.rotate_right::<13>(), self.rotate_right::<22>())
    }
    /// Σ1 of FIPS 180-4.
    #[inline(always)]
    fn sum1(self) -> Self {
        self.rotate_right::<6>().xor3(self.rotate_right::<11>(), self.rotate_right::<25>())
    }
    /// σ0 of FIPS 180-4.
    #[inline(always)]
    fn sigma0(self) -> Self {
        self.rotate_right::<7>().xor3(self.rotate_right::<18>(), self.shift_right::<3>())
    }
    /// σ1 of FIPS 180-4.
    #[inline(always)]
    fn sigma1(self) -> Self {
        self.rotate_right::<17>().xor3(self.rotate_right::<19>(), self.shift_right::<10>())
    }
}

/// One word: the scalar backend, and the arithmetic outside of the hot loop.
impl Lanes for u32 {
    const COUNT: usize = 1;

    #[inline(always)]
    fn splat(word: u32) -> u32 {
        word
    }
    #[inline(always)]
    fn from_fn(mut word: impl FnMut(usize) -> u32) -> u32 {
        word(0)
    }
    #[inline(always)]
    fn add(self, other: u32) -> u32 {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn xor(self, other: u32) -> u32 {
        self ^ other
    }
    #[inline(always)]
    fn rotate_right<const BITS: u32>(self) -> u32 {
        self.rotate_right(BITS)
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> u32 {
        self >> BITS
    }
    #[inline(always)]
    fn select(self, ones: u32, zeros: u32) -> u32 {
        zeros ^ (self & (ones ^ zeros))
    }
    #[inline(always)]
    fn equal(self, other: u32) -> u32 {
        u32::from(self == other)
    }
    #[inline(always)]
    fn first(self) -> u32 {
        self
    }
    #[cfg(feature = "kdf-lanes")]
    #[inline(always)]
    fn words(self) -> [u32; 4] {
        [self, 0, 0, 0]
    }
}

/// Four words in an array: the reference implementation of the four-lane backend in tests, on any machine and under
/// Miri, and the scalar backend of scrypt.
#[cfg(any(test, feature = "kdf-scrypt"))]
impl Lanes for [u32; 4] {
    const COUNT: usize = 4;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        [word; 4]
    }
    #[inline(always)]
    fn from_fn(word: impl FnMut(usize) -> u32) -> Self {
        core::array::from_fn(word)
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        core::array::from_fn(|lane| self[lane].wrapping_add(other[lane]))
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        core::array::from_fn(|lane| self[lane] ^ other[lane])
    }
    #[inline(always)]
    fn rotate_right<const BITS: u32>(self) -> Self {
        self.map(|word| word.rotate_right(BITS))
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        self.map(|word| word >> BITS)
    }
    #[inline(always)]
    fn select(self, ones: Self, zeros: Self) -> Self {
        core::array::from_fn(|lane| (self[lane] & ones[lane]) | (!self[lane] & zeros[lane]))
    }
    #[inline(always)]
    fn equal(self, other: Self) -> u32 {
        (0..4).map(|lane| u32::from(self[lane] == other[lane]) << lane).sum()
    }
    #[inline(always)]
    fn first(self) -> u32 {
        self[0]
    }
    #[cfg(feature = "kdf-lanes")]
    #[inline(always)]
    fn words(self) -> [u32; 4] {
        self
    }
}
