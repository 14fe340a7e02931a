//! Keys of the meta data and of the job table.
//!
//! A hash field is `m`, the hash name in memory-comparable form, the letter `h` as eight bytes, the field
//! in memory-comparable form (TiDB's transactional structures).

use bytes::Bytes;
use tg_model::Span;

/// A group of eight bytes and its marker.
const GROUP_BYTES: usize = 9;
/// Marker of a group without padding.
const MARKER_FULL: u8 = 0xff;
/// Type tag of hash fields.
const TAG_HASH: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, b'h'];

/// The ranges with everything that [`crate::SchemaStore::from_snapshot`] wants.
pub(crate) fn scan_ranges() -> Vec<Span> {
    // Hash names share their first eight bytes with the key, so `DB:{id}` is one range for all ids,
    // and `DBs` begins a group of its own.
    [("mDB:", "mDB;"), ("mDBs", "mDBt")]
        .into_iter()
        .filter_map(|(s, e)| Span::new(Bytes::from_static(s.as_bytes()), Bytes::from_static(e.as_bytes())).ok())
        .collect()
}

/// Splits a key into hash name and field; `None` for a key of another kind.
pub(crate) fn hash_field(key: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let rest = key.strip_prefix(b"m")?;
    let (name, rest) = decode_bytes(rest)?;
    let rest = rest.strip_prefix(&TAG_HASH)?;
    let (field, rest) = decode_bytes(rest)?;
    rest.is_empty().then_some((name, field))
}

/// Decodes memory-comparable bytes; returns them and what follows.
pub(crate) fn decode_bytes(mut input: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut out = Vec::new();
    loop {
        let (group, rest) = input.split_at_checked(GROUP_BYTES)?;
        let (marker, data) = group.split_last()?;
        input = rest;
        if *marker == MARKER_FULL {
            out.extend_from_slice(data);
            continue;
        }
        let used = data.len().checked_sub(usize::from(MARKER_FULL - marker))?;
        let (data, pad) = data.split_at_checked(used)?;
        out.extend_from_slice(data);
        return pad.iter().all(|b| *b == 0).then_some((out, input));
    }
}

/// The number in an ASCII field as `Table:104`; `None` when the prefix or the number is another.
pub(crate) fn numbered(field: &[u8], prefix: &str) -> Option<i64> {
    std::str::from_utf8(field).ok()?.strip_prefix(prefix)?.parse().ok()
}

/// Table id and integer handle of a record key; `None` for any other key.
pub(crate) fn record(key: &[u8]) -> Option<(i64, i64)> {
    let rest = key.strip_prefix(b"t")?;
    let (table, rest) = rest.split_at_checked(8)?;
    let handle = rest.strip_prefix(b"_r")?;
    Some((comparable_int(table)?, comparable_int(handle)?))
}

fn comparable_int(bytes: &[u8]) -> Option<i64> {
    Some((u64::from_be_bytes(bytes.try_into().ok()?) ^ (1 << 63)).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::{hash_field, numbered, record, scan_ranges};

    fn check(hex_key: &str, want: Option<(&str, &str)>) {
        let key = hex::decode(hex_key).unwrap();
        let got = hash_field(&key).map(|(a, b)| (String::from_utf8(a).unwrap(), String::from_utf8(b).unwrap()));
        assert_eq!(got, want.map(|(a, b)| (a.to_owned(), b.to_owned())), "{hex_key}");
        let ours = want.is_some_and(|(name, _)| name.starts_with("DB"));
        assert_eq!(scan_ranges().iter().any(|s| s.contains(&key)), ours, "{hex_key}");
    }

    #[test]
    fn hash_fields_are_split() {
        check("6d4442730000000000fa000000000000006844423a3200000000fb", Some(("DBs", "DB:2")));
        check("6d44423a3200000000fb00000000000000685461626c653a3130ff3400000000000000f8", Some(("DB:2", "Table:104")));
        check(
            "6d506f6c6963696573ff0000000000000000f70000000000000068506f6c6963793a31ff0000000000000000f7",
            Some(("Policies", "Policy:1")),
        );
        check("6d536368656d615665ff7273696f6e4b6579ff0000000000000000f70000000000000073", None);
        check("6d", None);
    }

    #[test]
    fn damaged_keys_are_no_fields() {
        for key in [
            "6d44423a3200000000fb0000000000000068",
            "6d44423a3200000001fb000000000000006844423a3200000000fb",
            "6d44423a32000000006b00",
        ] {
            assert_eq!(hash_field(&hex::decode(key).unwrap()), None, "{key}");
        }
    }

    #[test]
    fn numbers_and_records() {
        assert_eq!(numbered(b"Table:104", "Table:"), Some(104));
        assert_eq!(numbered(b"TARID:104", "Table:"), None);
        assert_eq!(numbered(b"Table:1x", "Table:"), None);
        assert_eq!(
            record(&hex::decode("748000fffffffffffe5f728000000000000064").unwrap()),
            Some((281_474_976_710_654, 100))
        );
        assert_eq!(record(b"t1234"), None);
    }
}
