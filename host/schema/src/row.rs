//! Takes one byte string out of a row of the job table, whatever the row format.
//!
//! Rows of system tables come in the old format (column id and value datums in turn), newer servers may
//! write the new one (TiDB's row format version 2, first byte 128). Only the kinds of values that the job
//! table has are known here; the mounter decodes rows in full.

const VERSION_2: u8 = 128;
const FLAG_LARGE: u8 = 1;

/// The bytes of column `id`; `Ok(None)` when the row has no value for it.
///
/// # Errors
/// What is wrong with the row, in words.
pub(crate) fn bytes_of_column(row: &[u8], id: i64) -> Result<Option<&[u8]>, &'static str> {
    match row.first() {
        None => Err("the row is empty"),
        Some(&VERSION_2) => version_2(row, id).ok_or("a row of format 2 is cut short"),
        Some(_) => version_1(row, id),
    }
}

fn version_2(row: &[u8], id: i64) -> Option<Option<&[u8]>> {
    let large = row.get(1)? & FLAG_LARGE != 0;
    let count = |at: usize| Some(usize::from(u16::from_le_bytes(row.get(at..at + 2)?.try_into().ok()?)));
    let (full, nulls) = (count(2)?, count(4)?);
    let (id_len, offset_len) = if large { (4, 4) } else { (1, 2) };
    let little = |at: usize, len: usize| {
        let bytes = row.get(at..at + len)?;
        Some(bytes.iter().rev().fold(0_usize, |n, b| (n << 8) | usize::from(*b)))
    };
    let offsets = 6 + (full + nulls) * id_len;
    let data = offsets + full * offset_len;
    for i in 0..full {
        if i64::try_from(little(6 + i * id_len, id_len)?).ok()? != id {
            continue;
        }
        let start = if i == 0 { 0 } else { little(offsets + (i - 1) * offset_len, offset_len)? };
        let end = little(offsets + i * offset_len, offset_len)?;
        return Some(Some(row.get(data.checked_add(start)?..data.checked_add(end)?)?));
    }
    Some(None)
}

enum Datum<'a> {
    Null,
    Int(i64),
    Bytes(&'a [u8]),
}

fn version_1(mut row: &[u8], id: i64) -> Result<Option<&[u8]>, &'static str> {
    if row == [0] {
        return Ok(None);
    }
    while !row.is_empty() {
        let (column, rest) = datum(row)?;
        let (value, rest) = datum(rest)?;
        row = rest;
        match (column, value) {
            (Datum::Int(n), Datum::Bytes(b)) if n == id => return Ok(Some(b)),
            (Datum::Int(n), Datum::Int(_)) if n == id => {
                return Err("the column holds a number, not bytes");
            }
            (Datum::Int(_), _) => {}
            _ => return Err("a column id is not a number"),
        }
    }
    Ok(None)
}

fn datum(input: &[u8]) -> Result<(Datum<'_>, &[u8]), &'static str> {
    const SHORT: &str = "a row of format 1 is cut short";
    let (flag, rest) = input.split_first().ok_or(SHORT)?;
    match flag {
        0 => Ok((Datum::Null, rest)),
        2 => {
            let (len, rest) = signed(rest).ok_or(SHORT)?;
            let len = usize::try_from(len).map_err(|_| SHORT)?;
            let (bytes, rest) = rest.split_at_checked(len).ok_or(SHORT)?;
            Ok((Datum::Bytes(bytes), rest))
        }
        3 | 4 => {
            let (bytes, rest) = rest.split_at_checked(8).ok_or(SHORT)?;
            let raw = u64::from_be_bytes(bytes.try_into().map_err(|_| SHORT)?);
            Ok((Datum::Int(if *flag == 3 { raw ^ (1 << 63) } else { raw }.cast_signed()), rest))
        }
        8 => signed(rest).map(|(n, rest)| (Datum::Int(n), rest)).ok_or(SHORT),
        9 => unsigned(rest).map(|(n, rest)| (Datum::Int(n.cast_signed()), rest)).ok_or(SHORT),
        _ => Err("a value has a kind that the job table does not have"),
    }
}

fn unsigned(input: &[u8]) -> Option<(u64, &[u8])> {
    let mut n = 0_u64;
    for (i, b) in input.iter().enumerate().take(10) {
        n |= u64::from(b & 0x7f).checked_shl(7 * u32::try_from(i).ok()?)?;
        if *b < 0x80 {
            return Some((n, input.get(i + 1..)?));
        }
    }
    None
}

fn signed(input: &[u8]) -> Option<(i64, &[u8])> {
    let (n, rest) = unsigned(input)?;
    Some(((n >> 1).cast_signed() ^ -(n & 1).cast_signed(), rest))
}

#[cfg(test)]
mod tests {
    use super::bytes_of_column;

    #[test]
    fn both_formats_give_the_column() {
        let old = [8, 2, 8, 9, 8, 10, 2, 6, b'a', b'b', b'c', 8, 4, 0];
        assert_eq!(bytes_of_column(&old, 5), Ok(Some(&b"abc"[..])));
        assert_eq!(bytes_of_column(&old, 2), Ok(None));
        assert!(bytes_of_column(&old, 1).is_err(), "a number");
        assert_eq!(bytes_of_column(&[0], 5), Ok(None));
        let new = [128, 0, 2, 0, 1, 0, 1, 5, 7, 1, 0, 4, 0, 9, b'a', b'b', b'c'];
        assert_eq!(bytes_of_column(&new, 5), Ok(Some(&b"abc"[..])));
        assert_eq!(bytes_of_column(&new, 7), Ok(None));
        let large = [128, 1, 1, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0, b'x', b'y'];
        assert_eq!(bytes_of_column(&large, 5), Ok(Some(&b"xy"[..])));
    }

    #[test]
    fn no_cut_row_is_taken_for_a_whole_one() {
        let old = [8, 2, 8, 9, 8, 10, 2, 6, b'a', b'b', b'c'];
        let new = [128, 0, 1, 0, 0, 0, 5, 3, 0, b'a', b'b', b'c'];
        for row in [&old[..], &new[..]] {
            for len in 0..row.len() {
                assert_ne!(bytes_of_column(&row[..len], 5), Ok(Some(&b"abc"[..])), "{len}");
            }
        }
    }
}
