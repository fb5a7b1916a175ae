use alloc::vec::Vec;

/// The hex digits with which a key must begin.
pub(super) struct Prefix {
    /// The digits, two in each byte; of an odd number, the last is in the upper half of the last byte.
    bytes: Vec<u8>,
    is_odd: bool,
}

impl Prefix {
    /// Reads at least one digit, and not more than a key of `key_length` bytes has.
    pub(super) fn parse(digits: &str, key_length: usize) -> Option<Prefix> {
        if digits.is_empty() || digits.len() > key_length * 2 {
            return None;
        }
        let mut bytes = Vec::with_capacity(digits.len().div_ceil(2));
        for pair in digits.as_bytes().chunks(2) {
            let mut byte = 0;
            for (at, digit) in pair.iter().enumerate() {
                byte |= value(*digit)? << (4 - 4 * at);
            }
            bytes.push(byte);
        }
        Some(Prefix { bytes, is_odd: digits.len() % 2 == 1 })
    }

    /// Whether the key, or as much of it as `head` is, begins with the prefix.
    #[inline(never)]
    pub(super) fn matches(&self, head: &[u8]) -> bool {
        self.bytes.iter().zip(head).enumerate().all(|(at, (wanted, byte))| {
            let is_half = self.is_odd && at + 1 == self.bytes.len();
            (wanted ^ byte) & if is_half { 0xf0 } else { 0xff } == 0
        })
    }
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
