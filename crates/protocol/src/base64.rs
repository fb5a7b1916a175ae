use alloc::string::String;

/// Encodes bytes in base64 with padding (RFC 4648, 4). A library's code, which can fail, would be a thirtieth of the
/// wasm module, and a fifteenth of its translation to JavaScript.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            text.push(if place <= chunk.len() { digit(group >> (18 - 6 * place) & 63) } else { '=' });
        }
    }
    text
}

/// Reads standard base64, with complete padding or without any.
#[cfg(feature = "verify")]
pub(crate) fn decode(text: &str) -> Option<alloc::vec::Vec<u8>> {
    use base64ct::{Base64, Base64Unpadded, Encoding};
    let decoded =
        if text.ends_with('=') { Base64::decode_vec(text) } else { Base64Unpadded::decode_vec(text) };
    decoded.ok()
}

fn digit(value: u32) -> char {
    let value = value as u8;
    char::from(match value {
        0..26 => b'A' + value,
        26..52 => b'a' + value - 26,
        52..62 => b'0' + value - 52,
        62 => b'+',
        _ => b'/',
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::encode;
    use base64ct::{Base64, Encoding};
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn writes_what_a_library_writes(bytes: Vec<u8>) {
            prop_assert_eq!(encode(&bytes), Base64::encode_string(&bytes));
        }
    }

    #[test]
    fn writes_the_vectors_of_the_rfc() {
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(text.as_bytes()), encoded);
        }
    }
}
