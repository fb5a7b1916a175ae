//! The text under a challenge's signature: `JSON.stringify` of the parameters with their objects sorted.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde_json::value::RawValue;

/// The maximum depth of objects and arrays. Parameters have two levels, and with `data` a few more.
const MAX_DEPTH: u32 = 64;

/// Returns the canonical JSON of `parameters`, or `None` if the text is not a JSON object, nests deeper than 64 levels, or
/// has a number beyond the range of a double.
///
/// The members of objects are sorted by their names' UTF-16 code units, except inside of arrays; names that are array
/// indices come first, in numerical order; of members with the same name, the last one counts; numbers are written as
/// ECMAScript prints them.
///
/// ```
/// use saltmine_protocol::v2::canonical;
/// let text = r#"{"salt": "\u00e4", "cost": 5e3, "9": [ {"b":1, "a":2} ], "10": null}"#;
/// assert_eq!(canonical(text).as_deref(), Some(r#"{"9":[{"b":1,"a":2}],"10":null,"cost":5000,"salt":"ä"}"#));
/// ```
#[must_use]
pub fn canonical(parameters: &str) -> Option<String> {
    let mut text = String::with_capacity(parameters.len());
    write_object(&mut text, &Object::parse(parameters)?);
    Some(text)
}

/// A JSON object, its members in canonical order and their values in canonical JSON.
pub(super) struct Object(Vec<Member>);

struct Member {
    name: Vec<u16>,
    value: String,
}

impl Object {
    pub(super) fn parse(json: &str) -> Option<Self> {
        // The reader below relies on a valid text. `RawValue` admits texts with lone surrogates, as JavaScript does.
        let valid: &RawValue = serde_json::from_str(json).ok()?;
        let mut reader = Reader { rest: valid.get().as_bytes(), depth: 0 };
        reader.take(b'{').then(|| reader.object(true))?
    }

    /// The canonical JSON of a member's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let member = self.0.iter().find(|member| name.encode_utf16().eq(member.name.iter().copied()))?;
        Some(&member.value)
    }
}

pub(super) fn write_object(text: &mut String, object: &Object) {
    text.push('{');
    for (at, member) in object.0.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        write_text(text, &member.name);
        text.push(':');
        text.push_str(&member.value);
    }
    text.push('}');
}

/// Reads a text that is known to be valid JSON.
struct Reader<'a> {
    rest: &'a [u8],
    depth: u32,
}

impl Reader<'_> {
    /// Reads the next value, and returns it in canonical JSON.
    fn value(&mut self, is_sorted: bool) -> Option<String> {
        let mut text = String::new();
        self.skip_space();
        if self.take(b'"') {
            write_text(&mut text, &self.text()?);
        } else if self.take(b'{') {
            write_object(&mut text, &self.object(is_sorted)?);
        } else if self.take(b'[') {
            text.push('[');
            self.elements(b']', |reader| {
                if text.len() > 1 {
                    text.push(',');
                }
                text.push_str(&reader.value(false)?);
                Some(())
            })?;
            text.push(']');
        } else {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
            let len = self.rest.iter().position(ends).unwrap_or(self.rest.len());
            let (word, rest) = self.rest.split_at(len);
            self.rest = rest;
            let word = core::str::from_utf8(word).ok()?;
            text = match word {
                "null" | "true" | "false" => word.into(),
                number => ecmascript_number(number.parse().ok()?)?,
            };
        }
        Some(text)
    }

    /// The members up to the closing brace, in canonical order.
    fn object(&mut self, is_sorted: bool) -> Option<Object> {
        let mut members: Vec<Member> = Vec::new();
        self.elements(b'}', |reader| {
            reader.take(b'"').then_some(())?;
            let name = reader.text()?;
            reader.skip_space();
            reader.take(b':').then_some(())?;
            let value = reader.value(is_sorted)?;
            match members.iter_mut().find(|member| member.name == name) {
                Some(member) => member.value = value,
                None => members.push(Member { name, value }),
            }
            Some(())
        })?;
        if is_sorted {
            members.sort_by(|a, b| a.name.cmp(&b.name));
        }
        // Stable: names that are no indices stay in their order.
        members.sort_by_key(|member| array_index(&member.name).unwrap_or(u32::MAX));
        Some(Object(members))
    }

    /// Reads elements separated by commas, each by `element`, up to `end`.
    fn elements(&mut self, end: u8, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        loop {
            self.skip_space();
            if self.take(end) {
                self.depth -= 1;
                return Some(());
            }
            self.take(b',');
            self.skip_space();
            element(self)?;
        }
    }

    /// The text up to the closing quote, in UTF-16.
    fn text(&mut self) -> Option<Vec<u16>> {
        let mut units = Vec::new();
        loop {
            let len = self.rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
            units.extend(core::str::from_utf8(&self.rest[..len]).ok()?.encode_utf16());
            let (mark, escape) = (self.rest[len], *self.rest.get(len + 1).unwrap_or(&0));
            self.rest = self.rest.get(len + 1 + usize::from(mark == b'\\')..)?;
            if mark == b'"' {
                return Some(units);
            }
            units.push(match escape {
                b'b' => 8,
                b't' => 9,
                b'n' => 10,
                b'f' => 12,
                b'r' => 13,
                b'u' => {
                    let (digits, rest) = self.rest.split_at_checked(4)?;
                    self.rest = rest;
                    u16::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()?
                }
                other => u16::from(other),
            });
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.rest.first() == Some(&byte);
        self.rest = &self.rest[usize::from(is_next)..];
        is_next
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

/// The number that a name is, if JavaScript would treat it as an array's index: 0 to 2^32 - 2 in canonical decimal.
fn array_index(name: &[u16]) -> Option<u32> {
    let name = String::from_utf16(name).ok()?;
    let index: u32 = name.parse().ok().filter(|index| *index < u32::MAX)?;
    (format!("{index}") == name).then_some(index)
}

fn write_text(text: &mut String, units: &[u16]) {
    text.push('"');
    for character in char::decode_utf16(units.iter().copied()) {
        match character {
            Ok('"') => text.push_str("\\\""),
            Ok('\\') => text.push_str("\\\\"),
            Ok('\u{8}') => text.push_str("\\b"),
            Ok('\t') => text.push_str("\\t"),
            Ok('\n') => text.push_str("\\n"),
            Ok('\u{c}') => text.push_str("\\f"),
            Ok('\r') => text.push_str("\\r"),
            Ok(control @ ..='\u{1f}') => text.push_str(&format!("\\u{:04x}", u32::from(control))),
            Ok(character) => text.push(character),
            Err(lone) => text.push_str(&format!("\\u{:04x}", lone.unpaired_surrogate())),
        }
    }
    text.push('"');
}

/// `Number::toString` of ECMAScript for radix 10.
fn ecmascript_number(number: f64) -> Option<String> {
    if !number.is_finite() {
        return None;
    }
    if number == 0.0 {
        return Some("0".into());
    }
    // Rust writes the same shortest digits, with an exponent: "-1.2345e-7".
    let shortest = format!("{:e}", number.abs());
    let (mantissa, exponent) = shortest.split_once('e')?;
    let digits = mantissa.replace('.', "");
    let count = i32::try_from(digits.len()).ok()?;
    let point = exponent.parse::<i32>().ok()? + 1;
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let unsigned = if (count..=21).contains(&point) {
        format!("{digits}{}", zeros(point - count))
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(usize::try_from(point).ok()?);
        format!("{whole}.{fraction}")
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let sign = if point > 0 { "+" } else { "" };
        format!("{mantissa}e{sign}{}", point - 1)
    };
    Some(if number < 0.0 { format!("-{unsigned}") } else { unsigned })
}
