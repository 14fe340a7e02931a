//! Statements of one transaction, put into few packets.

/// A packet is closed from here on: larger ones save nothing and cost memory.
pub const PACKET_SOFT_BYTES: usize = 4 << 20;

/// Joins statements (`data[ends[i-1]..ends[i]]`), separated by `;`, into packets: one at a time, so that a large transaction is not
/// held twice.
#[derive(Debug)]
pub struct Packets<'a> {
    data: &'a [u8],
    ends: &'a [u32],
    start: usize,
    /// What opens the first packet.
    first: Option<String>,
    bytes_max: usize,
}

impl<'a> Packets<'a> {
    /// Of at most `bytes_max`, unless one statement alone is larger. `first` opens the first one.
    #[must_use]
    pub const fn new(first: String, data: &'a [u8], ends: &'a [u32], bytes_max: usize) -> Self {
        Self { data, ends, start: 0, first: Some(first), bytes_max }
    }
}

impl Iterator for Packets<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut packet = match self.first.take() {
            Some(first) => first.into_bytes(),
            None if self.ends.is_empty() => return None,
            None => Vec::new(),
        };
        let left = self.data.len().saturating_sub(self.start) + self.ends.len();
        packet.reserve(left.min(self.bytes_max));
        while let Some((end, rest)) = self.ends.split_first() {
            let statement = self.data.get(self.start..*end as usize).unwrap_or_default();
            if !packet.is_empty() {
                if packet.len() + 1 + statement.len() > self.bytes_max {
                    break;
                }
                packet.push(b';');
            }
            packet.extend_from_slice(statement);
            (self.start, self.ends) = (*end as usize, rest);
        }
        Some(packet)
    }
}

#[cfg(test)]
mod tests {
    use super::Packets;

    fn check(statements: &[&str], bytes_max: usize, expected: &[&str]) {
        let data: Vec<u8> = statements.concat().into_bytes();
        let end = |end: &mut u32, s: &&str| {
            *end += s.len() as u32;
            Some(*end)
        };
        let ends: Vec<u32> = statements.iter().scan(0, end).collect();
        let packets = Packets::new("BEGIN".to_owned(), &data, &ends, bytes_max);
        let got: Vec<String> = packets.map(|p| String::from_utf8(p).unwrap()).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn statements_share_packets_up_to_the_limit() {
        check(&[], 100, &["BEGIN"]);
        check(&["aa", "bb", "cc"], 100, &["BEGIN;aa;bb;cc"]);
        check(&["aa", "bb", "cc"], 11, &["BEGIN;aa;bb", "cc"]);
        check(&["aa", "bb"], 1, &["BEGIN", "aa", "bb"]);
    }
}
