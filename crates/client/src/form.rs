//! A JSON object's members as they cross from JavaScript: `application/x-www-form-urlencoded` (WHATWG URL, section 5),
//! which JavaScript writes with `URLSearchParams`. A value's first letter is its JSON type: `s` for a string, `n` for a
//! number in decimal, anything else for what is neither.

use alloc::string::String;
use alloc::vec::Vec;

use crate::flow::Json;

/// Members that have been handed over.
pub struct Form(Vec<u8>);

impl Form {
    /// Takes a form as it was written.
    ///
    /// # Safety
    /// It is what `URLSearchParams` writes: its escapes are the bytes of well-formed UTF-8. They are not checked again,
    /// which would be a fortieth of the module.
    #[must_use]
    pub unsafe fn new(text: Vec<u8>) -> Self {
        Self(text)
    }

    fn value(&self, name: &str) -> Option<(u8, Vec<u8>)> {
        let mut members = self.0.split(|byte| *byte == b'&');
        let value = members.find_map(|member| member.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
        let (kind, rest) = value.split_first()?;
        Some((*kind, decode(rest)))
    }
}

impl Json for Form {
    fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            // SAFETY: the promise made to `new`.
            (b's', bytes) => Some(unsafe { String::from_utf8_unchecked(bytes) }),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<f64> {
        let (kind, digits) = self.value(name)?;
        let integer = kind == b'n' && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        // What is no whole number is none that the protocol knows; the digits of one over 2^53 only need to stay over it.
        Some(if integer {
            digits.iter().fold(0.0, |number, digit| number * 10.0 + f64::from(digit - b'0'))
        } else {
            f64::NAN
        })
    }
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => nibble(rest.next()) << 4 | nibble(rest.next()),
            _ => byte,
        });
    }
    bytes
}

/// `URLSearchParams` writes upper case.
fn nibble(digit: Option<u8>) -> u8 {
    match digit.unwrap_or_default() {
        digit @ b'0'..=b'9' => digit - b'0',
        digit => digit.wrapping_sub(b'A' - 10) & 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Form {
        // SAFETY: all texts of these tests are well-formed.
        unsafe { Form::new(text.into()) }
    }

    #[test]
    fn texts_are_decoded() {
        let members = form("salt=sa%3Fexpires%3D1%26+%F0%9F%A7%82%2B&saltier=sno&empty=s&number=n1");
        assert_eq!(members.text("salt").as_deref(), Some("a?expires=1& 🧂+"));
        assert_eq!(members.text("saltier").as_deref(), Some("no"));
        assert_eq!(members.text("empty").as_deref(), Some(""));
        for absent in ["sal", "number", "", "a"] {
            assert_eq!(members.text(absent), None, "{absent}");
        }
    }

    #[test]
    fn numbers_are_whole_or_none() {
        let members =
            form("zero=n0&large=n9007199254740993&half=n1.5&low=n-1&huge=n1e%2B30&text=s12&other=o&no=n");
        assert_eq!(members.number("zero"), Some(0.0));
        assert!(members.number("large").is_some_and(|number| number > 9_007_199_254_740_991.0));
        for name in ["half", "low", "huge", "text", "other", "no"] {
            assert!(members.number(name).is_some_and(f64::is_nan), "{name}");
        }
        assert_eq!(members.number("absent"), None);
    }

    #[test]
    fn broken_escapes_do_no_harm() {
        for text in ["a=s%", "a=s%4", "a=s%4z", "a", "=", "&&", "a="] {
            let _ = form(text).text("a");
        }
    }
}
