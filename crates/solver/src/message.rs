//! The end of the hashed message: the rest of the salt, the number in decimal, and the padding.

/// The maximum number of decimal digits of a `u64`.
pub(crate) const MAX_DIGITS: usize = 20;

/// A number in decimal.
pub(crate) struct Decimal {
    /// The digits in ASCII, right-aligned, zeros before them.
    ascii: [u8; MAX_DIGITS],
    len: usize,
}

impl Decimal {
    /// `number` without leading zeros.
    pub(crate) fn new(number: u64) -> Decimal {
        Decimal::padded(number, 1)
    }

    /// How many digits it has.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The digits in ASCII.
    #[cfg(feature = "kdf")]
    pub(crate) fn digits(&self) -> &[u8] {
        &self.ascii[MAX_DIGITS - self.len..]
    }

    /// `number` with as many leading zeros as `len` digits need.
    #[inline(never)]
    pub(crate) fn padded(mut number: u64, len: usize) -> Decimal {
        let mut decimal = Decimal { ascii: [b'0'; MAX_DIGITS], len };
        for (after, digit) in decimal.ascii.iter_mut().rev().enumerate() {
            if number == 0 {
                break;
            }
            *digit = b'0' + (number % 10) as u8;
            decimal.len = len.max(after + 1);
            number /= 10;
        }
        decimal
    }
}

/// The longest block of the supported hashes, in bytes: SHA-384 and SHA-512.
const MAX_BLOCK: usize = 128;

/// The part of the salt that does not fill a block.
#[derive(Clone, Copy)]
pub(crate) struct Tail {
    /// The bytes that are left, then zeros.
    bytes: [u8; MAX_BLOCK],
    len: usize,
    /// Bytes in a block of the hash: 64 or 128.
    block_len: usize,
    /// Bytes in the whole salt.
    salt_len: u64,
}

impl Tail {
    /// Splits a salt into its whole blocks and its tail.
    pub(crate) fn split(salt: &[u8], block_len: usize) -> (&[u8], Tail) {
        let (blocks, rest) = salt.split_at(salt.len() - salt.len() % block_len);
        let mut bytes = [0; MAX_BLOCK];
        bytes[..rest.len()].copy_from_slice(rest);
        (blocks, Tail { bytes, len: rest.len(), block_len, salt_len: salt.len() as u64 })
    }

    /// The bytes before the number in the last blocks.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The number of blocks for the tail, a number of so many digits, and the padding: one or two.
    pub(crate) fn blocks(&self, digits: usize) -> usize {
        // A byte that ends the message, and its length in an eighth of a block.
        let end = self.len + digits + 1 + self.block_len / 8;
        if end <= self.block_len { 1 } else { 2 }
    }

    /// Writes a number of so many digits into the words of a message that has another there.
    pub(crate) fn write(&self, mut number: u64, digits: usize, words: &mut [u32]) {
        for at in (self.len..self.len + digits).rev() {
            let shift = 24 - at % 4 * 8;
            if let Some(word) = words.get_mut(at / 4) {
                *word = *word & !(0xff << shift) | (u32::from(b'0') + (number % 10) as u32) << shift;
            }
            number /= 10;
        }
    }

    /// The last blocks of the message `salt ‖ number`, padding included, then zeros.
    #[inline(never)]
    pub(crate) fn message(&self, number: &Decimal) -> [u8; 2 * MAX_BLOCK] {
        let mut bytes = [0; 2 * MAX_BLOCK];
        bytes[..MAX_BLOCK].copy_from_slice(&self.bytes);
        let digits = &number.ascii[MAX_DIGITS - number.len..];
        let end = self.len + digits.len();
        bytes[self.len..end].copy_from_slice(digits);
        bytes[end] = 0x80;
        let len = self.blocks(digits.len()) * self.block_len;
        // The upper bits of the length stay zero: a salt fits into memory.
        let bits = (self.salt_len + digits.len() as u64) * 8;
        bytes[len - 8..len].copy_from_slice(&bits.to_be_bytes());
        bytes
    }
}
