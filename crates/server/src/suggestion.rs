//! Suggestions of known names for a misspelt one.

/// Returns the most similar of the known names, if one is similar enough.
pub(crate) fn similar<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A longer name may differ by more letters.
    let limit = (name.chars().count() / 4).clamp(1, 4);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the end of an error's sentence that names the most similar of the known names; nothing if none is similar.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    similar(name, known).map_or_else(String::new, |known| format!("; did you mean `{known}`?"))
}

#[cfg(test)]
mod tests {
    use super::similar;

    #[test]
    fn a_misspelt_name_is_recognised() {
        let known = ["allowedDomains", "allowAnonymous", "enabled", "name"];
        assert_eq!(similar("allowAnonymus", known), Some("allowAnonymous"));
        assert_eq!(similar("enable", known), Some("enabled"));
        assert_eq!(similar("nmae", known), Some("name"));
        assert_eq!(similar("colour", known), None);
    }
}
