//! Checks of single members of a body.

use crate::Error;

/// Returns the text without the white space around it, or an error if the rest is empty or too long.
pub(super) fn text(field: &str, text: String, max_characters: usize) -> Result<String, Error> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.chars().count() > max_characters {
        return Err(Error::field(field, format!("must have 1 to {max_characters} characters")));
    }
    if trimmed.contains('\0') {
        return Err(Error::field(field, "must not contain the character U+0000"));
    }
    Ok(trimmed.to_owned())
}
