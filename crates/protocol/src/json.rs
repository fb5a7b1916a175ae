use crate::decimal;
use alloc::string::String;

/// Writes one JSON object (RFC 8259), in ASCII only, without white space.
///
/// ASCII, because some servers decode base64 to Latin-1 instead of UTF-8. Without serde, which would be a tenth of the
/// wasm module.
///
/// ```
/// use saltmine_protocol::JsonObject;
///
/// let json = JsonObject::new().text("salt", "ü\"").number("number", 42).finish();
/// assert_eq!(json, r#"{"salt":"\u00fc\"","number":42}"#);
/// ```
#[derive(Debug, Default)]
pub struct JsonObject {
    json: String,
}

impl JsonObject {
    /// Creates an object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a member that is a string.
    #[must_use]
    pub fn text(mut self, name: &str, text: &str) -> Self {
        self.name(name);
        self.string(text);
        self
    }

    /// Adds a member that is a whole number.
    #[must_use]
    pub fn number(mut self, name: &str, number: u64) -> Self {
        self.name(name);
        decimal::push_canonical(&mut self.json, number);
        self
    }

    /// Adds a member that is JSON already. Characters outside of ASCII, which only texts can contain, are escaped.
    #[must_use]
    pub fn raw(mut self, name: &str, json: &str) -> Self {
        self.name(name);
        for character in json.chars() {
            self.ascii(character);
        }
        self
    }

    /// Returns the object's text.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.json.push_str(if self.json.is_empty() { "{}" } else { "}" });
        self.json
    }

    #[inline(never)]
    fn name(&mut self, name: &str) {
        self.json.push(if self.json.is_empty() { '{' } else { ',' });
        self.string(name);
        self.json.push(':');
    }

    #[inline(never)]
    fn string(&mut self, text: &str) {
        self.json.push('"');
        for character in text.chars() {
            match character {
                '"' | '\\' => {
                    self.json.push('\\');
                    self.json.push(character);
                }
                '\0'..'\x20' => self.escape(character as u16),
                _ => self.ascii(character),
            }
        }
        self.json.push('"');
    }

    #[inline(never)]
    fn ascii(&mut self, character: char) {
        if character <= '~' {
            self.json.push(character);
        } else {
            for &mut unit in character.encode_utf16(&mut [0; 2]) {
                self.escape(unit);
            }
        }
    }

    fn escape(&mut self, unit: u16) {
        self.json.push_str("\\u");
        for shift in [12, 8, 4, 0] {
            let digit = (unit >> shift & 15) as u8;
            self.json.push(char::from(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 }));
        }
    }
}
