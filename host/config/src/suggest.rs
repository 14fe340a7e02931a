//! "Did you mean …?"

/// Characters in which a word and what it is the beginning of must agree.
const STEM_MIN: usize = 5;

/// The candidate that `word` was probably meant to be: the nearest one, if it is near enough or begins as the word does.
///
/// `-` and `_` count as the same, and so do upper and lower case.
#[must_use]
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |s: &str| s.to_ascii_lowercase().replace('_', "-");
    let word = plain(word);
    // A third of the word may be wrong; short words allow one slip.
    let length = word.chars().count();
    let slips_max = (length / 3).max(1);
    // The last letter may be a plural's.
    let stem: String = word.chars().take(length.saturating_sub(1).max(STEM_MIN)).collect();
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&word, &plain(c)), c))
        .filter(|(slips, c)| *slips <= slips_max || length >= STEM_MIN && plain(c).starts_with(&stem))
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
        assert_eq!(did_you_mean("workers", words), Some("worker-count"));
        assert_eq!(did_you_mean("compression", words), None);
    }
}
