use alloc::string::String;

/// The largest number that every JSON reader represents exactly: 2^53 - 1.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// Returns the integer of a double that is a whole number: 0 if that is negative, the largest if it is too large.
///
/// Not inlined, nor is [`double`]: in a module that is translated to JavaScript, which has no 64-bit integers, each use
/// would be a page of code.
#[inline(never)]
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `as` saturates, which is what is wanted
pub fn whole(number: f64) -> u64 {
    number as u64
}

/// Returns a number of at most 53 bits as a double.
#[inline(never)]
#[must_use]
#[allow(clippy::cast_precision_loss)] // not with so few bits
pub fn double(number: u64) -> f64 {
    number as f64
}

/// Writes the canonical spelling. Not with a library: the libraries' tables would be a twentieth of the wasm module.
pub(crate) fn push_canonical(text: &mut String, number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    let mut rest = number;
    loop {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend(digits[first..].iter().copied().map(char::from));
}

/// Reads the one canonical spelling of an integer in `0..=MAX_NUMBER`: only digits, no leading zero.
///
/// Two texts never give the same number, so that a hash of the number is also a hash of the text that was sent.
pub(crate) fn parse_canonical(text: &[u8]) -> Option<u64> {
    // 2^53 - 1 has 16 digits.
    if text.is_empty() || text.len() > 16 || (text.len() > 1 && text[0] == b'0') {
        return None;
    }
    // A double is exact up to 2^53, and what is larger stays larger.
    let mut number = 0.0;
    for byte in text {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10.0 + f64::from(byte - b'0');
    }
    let number = whole(number);
    (number <= MAX_NUMBER).then_some(number)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::{MAX_NUMBER, parse_canonical, push_canonical};
    use alloc::string::String;
    use proptest::prelude::*;
    use std::string::ToString;

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(number in 0..=MAX_NUMBER) {
            prop_assert_eq!(parse_canonical(number.to_string().as_bytes()), Some(number));
        }

        #[test]
        fn writes_what_the_standard_library_writes(number: u64) {
            let mut text = String::from("n=");
            push_canonical(&mut text, number);
            prop_assert_eq!(text, std::format!("n={number}"));
        }

        #[test]
        fn accepts_only_what_it_would_write(text in "[0-9+\\-.eE ]{0,20}") {
            if let Some(number) = parse_canonical(text.as_bytes()) {
                prop_assert_eq!(number.to_string(), text);
            }
        }
    }

    #[test]
    fn knows_its_borders() {
        assert_eq!(parse_canonical(b"0"), Some(0));
        assert_eq!(parse_canonical(b"9007199254740991"), Some(MAX_NUMBER));
        for text in ["", "00", "042", "+42", "-0", "9007199254740992", "18446744073709551616", "٣"] {
            assert_eq!(parse_canonical(text.as_bytes()), None, "{text}");
        }
    }
}
