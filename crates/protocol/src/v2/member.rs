/// Returns the text of a member of a JSON object, as it is written; of several members of that name, the last.
///
/// A client sends a challenge's `parameters` back in this form, since a number or a member that it does not know must not
/// change. The text must be valid JSON, which the caller has parsed before; names with escapes are not recognised.
///
/// ```
/// use saltmine_protocol::v2::member;
/// let challenge = r#"{"signature":"ab", "parameters": {"cost":5000,"data":{"a":1e21}} }"#;
/// assert_eq!(member(challenge, "parameters"), Some(r#"{"cost":5000,"data":{"a":1e21}}"#));
/// assert_eq!(member(challenge, "cost"), None);
/// ```
#[must_use]
pub fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let bytes = object.as_bytes();
    let (mut depth, mut in_text, mut start) = (0_u32, false, 0);
    let (mut key, mut found) = ("", None);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => in_text = !in_text,
            b'\\' => at += 1,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !in_text {
            match byte {
                b'{' if depth == 1 => start = at + 1,
                b':' if depth == 1 => {
                    key = object.get(start..at)?.trim();
                    start = at + 1;
                }
                b',' | b'}' if depth == u32::from(*byte == b',') => {
                    if key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) == Some(name) {
                        found = object.get(start..at).map(str::trim);
                    }
                    key = "";
                    start = at + 1;
                }
                _ => {}
            }
        }
        at += 1;
    }
    found
}
