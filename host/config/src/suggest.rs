//! "Did you mean …?"

/// The candidate that `word` was probably meant to be: the nearest one, if it is near enough.
///
/// `-` and `_` count as the same, and so do upper and lower case.
#[must_use]
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |s: &str| s.to_ascii_lowercase().replace('_', "-");
    let word = plain(word);
    // A third of the word may be wrong; short words allow one slip.
    let slips_max = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&word, &plain(c)), c))
        .filter(|(slips, _)| *slips <= slips_max)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn near_words_only() {
        let words = ["worker-count", "max-txn-row", "safe-mode"];
        assert_eq!(did_you_mean("worker_count", words), Some("worker-count"));
        assert_eq!(did_you_mean("worker-cuont", words), Some("worker-count"));
        assert_eq!(did_you_mean("safemode", words), Some("safe-mode"));
        assert_eq!(did_you_mean("compression", words), None);
    }
}
