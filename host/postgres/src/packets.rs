//! Statements of one transaction, put into few messages.

/// A message is closed from here on: larger ones save nothing and cost memory.
pub(crate) const PACKET_SOFT_BYTES: usize = 4 << 20;

/// Joins statements (`data[ends[i-1]..ends[i]]`), separated by `;`, into texts of about [`PACKET_SOFT_BYTES`]: one at a time, so that
/// a large transaction is not held twice.
pub(crate) struct Packets<'a> {
    data: &'a [u8],
    ends: &'a [u32],
    start: usize,
    /// What opens the first text.
    first: Option<String>,
    soft: usize,
}

impl<'a> Packets<'a> {
    pub(crate) fn new(first: String, data: &'a [u8], ends: &'a [u32], soft: usize) -> Self {
        Self { data, ends, start: 0, first: Some(first), soft }
    }
}

impl Iterator for Packets<'_> {
    /// `Err`: a statement is no UTF-8.
    type Item = Result<String, std::str::Utf8Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut text = match self.first.take() {
            Some(first) => first,
            None if self.ends.is_empty() => return None,
            None => String::new(),
        };
        while let Some((end, rest)) = self.ends.split_first() {
            let statement = self.data.get(self.start..*end as usize).unwrap_or_default();
            if !text.is_empty() && text.len() + 1 + statement.len() > self.soft {
                break;
            }
            match std::str::from_utf8(statement) {
                Ok(statement) => {
                    if !text.is_empty() {
                        text.push(';');
                    }
                    text.push_str(statement);
                }
                Err(e) => return Some(Err(e)),
            }
            (self.start, self.ends) = (*end as usize, rest);
        }
        Some(Ok(text))
    }
}

#[cfg(test)]
mod tests {
    use super::Packets;

    fn check(statements: &[&str], soft: usize, expected: &[&str]) {
        let data: Vec<u8> = statements.concat().into_bytes();
        let mut end = 0;
        let ends: Vec<u32> = statements
            .iter()
            .map(|s| {
                end += s.len() as u32;
                end
            })
            .collect();
        let got: Vec<String> = Packets::new("BEGIN".into(), &data, &ends, soft).map(Result::unwrap).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn statements_share_texts_up_to_the_limit() {
        check(&[], 100, &["BEGIN"]);
        check(&["aa", "bb", "cc"], 100, &["BEGIN;aa;bb;cc"]);
        check(&["aa", "bb", "cc"], 11, &["BEGIN;aa;bb", "cc"]);
        check(&["aa", "", "bb"], 1, &["BEGIN", "aa", "bb"]);
        assert!(Packets::new(String::new(), &[0xff], &[1], 9).next().unwrap().is_err());
    }
}
