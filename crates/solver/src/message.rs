//! The end of the hashed message: what is left of the salt, the number in decimal, and the padding.

/// The most decimal digits a `u64` has.
pub(crate) const MAX_DIGITS: usize = 20;

/// A number in decimal, without leading zeros, that counts up cheaply.
#[derive(Clone, Copy)]
pub(crate) struct Decimal {
    /// The digits in ASCII, right-aligned.
    ascii: [u8; MAX_DIGITS],
    len: usize,
}

impl Decimal {
    pub(crate) fn new(mut number: u64) -> Decimal {
        let mut decimal = Decimal { ascii: [b'0'; MAX_DIGITS], len: 1 };
        for position in (0..MAX_DIGITS).rev() {
            if number == 0 {
                break;
            }
            decimal.ascii[position] = b'0' + (number % 10) as u8;
            decimal.len = MAX_DIGITS - position;
            number /= 10;
        }
        decimal
    }

    /// `number` with leading zeros up to `len` digits.
    pub(crate) fn padded(number: u64, len: usize) -> Decimal {
        Decimal { len, ..Decimal::new(number) }
    }

    pub(crate) fn increment(&mut self) {
        for position in (0..MAX_DIGITS).rev() {
            if self.ascii[position] < b'9' {
                self.ascii[position] += 1;
                self.len = self.len.max(MAX_DIGITS - position);
                return;
            }
            self.ascii[position] = b'0';
        }
    }

    fn digits(&self) -> &[u8] {
        &self.ascii[MAX_DIGITS - self.len..]
    }
}

/// The part of the salt that does not fill a block of `BLOCK` bytes.
#[derive(Clone, Copy)]
pub(crate) struct Tail<const BLOCK: usize> {
    /// The bytes that are left, then zeros.
    bytes: [u8; BLOCK],
    len: usize,
    /// Bytes in the whole salt.
    salt_len: u64,
}

impl<const BLOCK: usize> Tail<BLOCK> {
    /// The bytes before the number in the last blocks.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Splits a salt into its whole blocks and its tail.
    pub(crate) fn split(salt: &[u8]) -> (&[[u8; BLOCK]], Tail<BLOCK>) {
        let (blocks, rest) = salt.as_chunks();
        let mut bytes = [0; BLOCK];
        bytes[..rest.len()].copy_from_slice(rest);
        (blocks, Tail { bytes, len: rest.len(), salt_len: salt.len() as u64 })
    }

    /// The last one or two blocks of the message `salt ‖ number`, padding included.
    pub(crate) fn message(&self, number: &Decimal) -> ([[u8; BLOCK]; 2], usize) {
        let digits = number.digits();
        let mut blocks = [self.bytes, [0; BLOCK]];
        let bytes = blocks.as_flattened_mut();
        let end = self.len + digits.len();
        bytes[self.len..end].copy_from_slice(digits);
        bytes[end] = 0x80;
        // The length field is an eighth of a block wide. Its upper bits stay zero: a salt fits into memory.
        let count = if end + 1 + BLOCK / 8 <= BLOCK { 1 } else { 2 };
        let bits = (self.salt_len + digits.len() as u64) * 8;
        bytes[count * BLOCK - 8..count * BLOCK].copy_from_slice(&bits.to_be_bytes());
        (blocks, count)
    }
}
