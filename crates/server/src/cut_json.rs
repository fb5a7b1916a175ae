//! JSON of clients whose long texts are cut.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, de};
use serde_json::value::RawValue;
use std::fmt;

/// The maximum number of characters of a text in the data of an event or of feedback. Longer texts are cut: widgets send
/// complete answers, which are already in the conversation.
const MAX_TEXT_CHARACTERS: usize = 4000;

/// The reason why JSON was not copied.
#[derive(Debug)]
pub(crate) enum CutError {
    /// It has too many bytes, although long texts were cut.
    TooLong,
    /// It has a number that is out of range, or too many levels.
    Json(serde_json::Error),
}

/// Returns the JSON with its long texts cut. It is copied value by value: parsed as a whole, small objects take a hundred
/// times the memory of their text.
///
/// # Errors
///
/// If it has more than `max_bytes` even so, or values that no program could read.
pub(crate) fn cut_texts(json: &RawValue, max_bytes: usize) -> Result<Box<RawValue>, CutError> {
    let mut cut = Vec::new();
    let copy = Copy { json: &mut cut, max_bytes };
    let copied = copy.deserialize(&mut serde_json::Deserializer::from_str(json.get()));
    if cut.len() > max_bytes {
        return Err(CutError::TooLong);
    }
    copied.map_err(CutError::Json)?;
    serde_json::from_slice(&cut).map_err(CutError::Json)
}

/// Writes one value to `json`.
struct Copy<'a> {
    json: &'a mut Vec<u8>,
    max_bytes: usize,
}

impl Copy<'_> {
    fn inner(&mut self) -> Copy<'_> {
        Copy { json: self.json, max_bytes: self.max_bytes }
    }

    fn write<E: de::Error>(&mut self, value: impl Serialize) -> Result<(), E> {
        serde_json::to_writer(&mut *self.json, &value).map_err(E::custom)?;
        self.check()
    }

    fn push<E: de::Error>(&mut self, character: u8) -> Result<(), E> {
        self.json.push(character);
        self.check()
    }

    /// Writes the end of an array or an object in the place of the last comma.
    fn end<E: de::Error>(&mut self, character: u8) -> Result<(), E> {
        self.json.pop_if(|last| *last == b',');
        self.push(character)
    }

    fn check<E: de::Error>(&self) -> Result<(), E> {
        // The last comma will be replaced.
        if self.json.len() > self.max_bytes + 1 { Err(E::custom("it is too long")) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Copy<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Copy<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(mut self) -> Result<(), E> {
        self.write(())
    }

    fn visit_bool<E: de::Error>(mut self, value: bool) -> Result<(), E> {
        self.write(value)
    }

    fn visit_i64<E: de::Error>(mut self, value: i64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_u64<E: de::Error>(mut self, value: u64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_f64<E: de::Error>(mut self, value: f64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_str<E: de::Error>(mut self, text: &str) -> Result<(), E> {
        match text.char_indices().nth(MAX_TEXT_CHARACTERS) {
            Some((index, _)) => self.write(format_args!("{}…", &text[..index])),
            None => self.write(text),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.push(b'[')?;
        while items.next_element_seed(self.inner())?.is_some() {
            self.push(b',')?;
        }
        self.end(b']')
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        self.push(b'{')?;
        while let Some(name) = members.next_key::<String>()? {
            self.write(name)?;
            self.push(b':')?;
            members.next_value_seed(self.inner())?;
            self.push(b',')?;
        }
        self.end(b'}')
    }
}

#[cfg(test)]
mod tests {
    use super::{CutError, MAX_TEXT_CHARACTERS, cut_texts};
    use serde_json::value::{RawValue, to_raw_value};
    use serde_json::{Value, json};

    fn cut(value: &Value, max_bytes: usize) -> Option<Value> {
        let json = to_raw_value(value).unwrap();
        let cut = cut_texts(&json, max_bytes).ok()?;
        Some(serde_json::from_str(cut.get()).unwrap())
    }

    #[test]
    fn only_long_texts_are_cut() {
        let fits = "é".repeat(MAX_TEXT_CHARACTERS);
        let long = format!("{fits}x");
        let value = json!({ "a": [fits, long, 1], "b": { "c": long }, "d": null });
        let shorter = format!("{fits}…");
        let expected = json!({ "a": [fits, shorter, 1], "b": { "c": shorter }, "d": null });
        assert_eq!(cut(&value, 100_000), Some(expected));
    }

    #[test]
    fn every_value_is_the_same() {
        let text = r#"{"a":[],"b":{},"c":[true,false,null,-7,18446744073709551615,1.5e-7,1.0],"d":"\u0000\"\\,","e,":","}"#;
        let json = RawValue::from_string(text.to_owned()).unwrap();
        assert_eq!(cut_texts(&json, text.len()).unwrap().get(), text);
        for text in ["null", "7", r#""x""#, "[[]]", "[{}]"] {
            let json = RawValue::from_string(text.to_owned()).unwrap();
            assert_eq!(cut_texts(&json, text.len()).unwrap().get(), text);
        }
    }

    #[test]
    fn what_no_program_reads_is_not_too_long() {
        for text in ["[1e999]".to_owned(), "[".repeat(200) + &"]".repeat(200)] {
            let json = RawValue::from_string(text).unwrap();
            assert!(matches!(cut_texts(&json, 1000), Err(CutError::Json(_))), "{json}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        for (value, bytes) in
            [(json!([1, 2, 3]), 7), (json!({ "a": "b" }), 9), (json!([[[]]]), 6), (json!("a"), 3)]
        {
            assert!(cut(&value, bytes).is_some(), "{value}");
            assert!(cut(&value, bytes - 1).is_none(), "{value}");
        }
    }
}
