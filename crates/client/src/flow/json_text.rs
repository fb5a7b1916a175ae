//! A member of a JSON object as it is written: its numbers and members must not be changed on the way.

/// Returns the text of the member `name` of the JSON object `source`, which has been parsed before. If a name occurs
/// twice, the last member counts, as everywhere in JavaScript.
pub(super) fn member<'a>(source: &'a str, name: &str) -> Option<&'a str> {
    let bytes = source.as_bytes();
    let mut depth = 0_u32;
    let mut at = 0;
    // The last string of the object's own, and where the value after its colon begins.
    let mut key = 0..0;
    let mut value = None;
    let mut found = None;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let start = at + 1;
                at = string_end(bytes, start)?;
                if depth == 1 && value.is_none() {
                    key = start..at;
                }
            }
            b'{' | b'[' => depth += 1,
            b':' if depth == 1 => value = Some(at + 1),
            b',' | b'}' if depth == 1 => {
                if let Some(start) = value.take()
                    && bytes.get(key.clone()) == Some(name.as_bytes())
                {
                    found = source.get(start..at);
                }
                depth -= u32::from(*byte == b'}');
            }
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
    }
    found
}

/// Returns where the string that begins at `at` ends: the index of its quotation mark.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::member;

    #[test]
    fn members_are_found_as_they_are_written() {
        let source = r#" { "a\"b" : "}" , "parameters" : {"cost":1e21,"data":{"parameters":1,"x":"\\\"}{"}} ,
            "signature":"ab", "list":[{"signature":2},",\"signature\":3"], "last":null}"#;
        let trimmed = |name| member(source, name).map(str::trim);
        assert_eq!(trimmed("parameters"), Some(r#"{"cost":1e21,"data":{"parameters":1,"x":"\\\"}{"}}"#));
        assert_eq!(trimmed("signature"), Some("\"ab\""));
        assert_eq!(trimmed("last"), Some("null"));
        assert_eq!(trimmed("list"), Some(r#"[{"signature":2},",\"signature\":3"]"#));
        for absent in ["x", "cost", "ab", ""] {
            assert_eq!(member(source, absent), None, "{absent}");
        }
    }

    #[test]
    fn the_last_of_two_members_counts() {
        assert_eq!(member(r#"{"a":1,"a":2}"#, "a"), Some("2"));
    }

    #[test]
    fn broken_texts_do_no_harm() {
        for text in ["", "{", "}", "{\"a\":", "{\"a", "]]", "{\"a\\", "{}}", "[\"a\"]"] {
            assert_eq!(member(text, "a"), None, "{text}");
        }
    }
}
