//! Statements of one transaction, put into few packets.

/// A packet is closed from here on: larger ones save nothing and cost memory.
pub(crate) const PACKET_SOFT_BYTES: usize = 4 << 20;

/// Cuts `data` into statements (`data[ends[i-1]..ends[i]]`) and joins them, separated by `;`, into packets of about
/// `soft_bytes`, never of more than `max_bytes` unless one statement alone is larger. `first` opens the first packet.
pub(crate) fn packets(first: &str, data: &[u8], ends: &[u32], soft_bytes: usize, max_bytes: usize) -> Vec<Vec<u8>> {
    let limit = soft_bytes.min(max_bytes);
    let mut out = Vec::new();
    let mut packet = Vec::with_capacity((first.len() + data.len() + ends.len() + 1).min(limit + 1024));
    packet.extend_from_slice(first.as_bytes());
    let mut start = 0;
    for end in ends {
        let end = *end as usize;
        let statement = data.get(start..end).unwrap_or_default();
        start = end;
        if !packet.is_empty() && packet.len() + 1 + statement.len() > limit {
            out.push(std::mem::take(&mut packet));
        }
        if !packet.is_empty() {
            packet.push(b';');
        }
        packet.extend_from_slice(statement);
    }
    if !packet.is_empty() {
        out.push(packet);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::packets;

    fn check(statements: &[&str], soft: usize, expected: &[&str]) {
        let data: Vec<u8> = statements.concat().into_bytes();
        let ends: Vec<u32> = statements
            .iter()
            .scan(0, |end, s| {
                *end += s.len() as u32;
                Some(*end)
            })
            .collect();
        let got: Vec<String> =
            packets("BEGIN", &data, &ends, soft, 1000).into_iter().map(|p| String::from_utf8(p).unwrap()).collect();
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
