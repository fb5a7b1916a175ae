use crate::{Challenge, decimal};
use alloc::string::String;
use base64ct::{Base64, Encoding};

/// A solved challenge: the number, and the challenge echoed as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Solution<'a> {
    challenge: &'a Challenge,
    number: u64,
}

impl<'a> Solution<'a> {
    pub(crate) fn new(challenge: &'a Challenge, number: u64) -> Self {
        Self { challenge, number }
    }

    /// The number that was found.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The value of [`SOLUTION_HEADER`](crate::SOLUTION_HEADER): base64, with padding, of compact JSON.
    ///
    /// The JSON is ASCII alone, since some servers decode base64 to Latin-1 instead of UTF-8.
    #[must_use]
    pub fn to_header(&self) -> String {
        let challenge = self.challenge;
        let mut json = String::with_capacity(96 + challenge.challenge().len() * 2 + challenge.salt().len());
        json.push_str("{\"algorithm\":");
        push_json_string(&mut json, challenge.algorithm_name());
        json.push_str(",\"challenge\":");
        push_json_string(&mut json, challenge.challenge());
        json.push_str(",\"number\":");
        decimal::push_canonical(&mut json, self.number);
        json.push_str(",\"salt\":");
        push_json_string(&mut json, challenge.salt());
        json.push_str(",\"signature\":");
        push_json_string(&mut json, challenge.signature());
        json.push('}');
        Base64::encode_string(json.as_bytes())
    }
}

fn push_json_string(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            ' '..='~' => json.push(character),
            _ => {
                for &mut unit in character.encode_utf16(&mut [0; 2]) {
                    push_escape(json, unit);
                }
            }
        }
    }
    json.push('"');
}

fn push_escape(json: &mut String, unit: u16) {
    json.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        let digit = (unit >> shift & 15) as u8;
        json.push(char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
    }
}
