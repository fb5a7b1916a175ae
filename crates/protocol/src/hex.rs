use alloc::vec::Vec;

/// Decodes a hex text of exactly `len` bytes, in either case.
#[inline(never)]
pub(crate) fn decode(text: &str, len: usize) -> Option<Vec<u8>> {
    if text.len() != len * 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(len);
    for pair in text.as_bytes().as_chunks::<2>().0 {
        bytes.push(nibble(pair[0])? << 4 | nibble(pair[1])?);
    }
    Some(bytes)
}

/// Decodes a hex text of whole bytes, in either case.
pub(crate) fn decode_all(text: &str) -> Option<Vec<u8>> {
    // Half of an odd length is rounded down, and then is not this length.
    decode(text, text.len() / 2)
}

pub(crate) fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Encodes bytes in lower-case hex, as in challenges, signatures and salts.
pub(crate) fn encode(bytes: &[u8]) -> alloc::string::String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    let mut text = alloc::string::String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}
