//! Appending short texts with stores of constant size: the buffer grows by a fixed block and is cut back, which costs less than
//! a copy of unknown length, above all in WebAssembly.

use tgr1::PackedTime;

/// "00" to "99".
const PAIRS: [[u8; 2]; 100] = pairs();
/// Digits of the longest u64.
const U64_DIGITS_MAX: usize = 20;

const fn pairs() -> [[u8; 2]; 100] {
    let mut out = [[b'0'; 2]; 100];
    let mut n = 0;
    while n < 100 {
        out[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    out
}

/// Two digits of a number below 100.
#[inline]
fn pair(n: usize) -> [u8; 2] {
    PAIRS.get(n).copied().unwrap_or([b'?'; 2])
}

/// Appends the first `len` bytes of a block.
#[inline]
fn append_block<const N: usize>(out: &mut Vec<u8>, block: &[u8; N], len: usize) {
    let end = out.len() + len;
    out.extend_from_slice(block);
    out.truncate(end);
}

/// Appends an unsigned integer.
#[inline]
pub(crate) fn push_u64(out: &mut Vec<u8>, mut value: u64) {
    let len = digits(value);
    let mut text = [0; U64_DIGITS_MAX];
    let mut at = len;
    while value >= 100 {
        at -= 2;
        put_pair(&mut text, at, (value % 100) as usize);
        value /= 100;
    }
    if at == 2 {
        put_pair(&mut text, 0, value as usize);
    } else {
        text[0] = b'0' + value as u8;
    }
    append_block(out, &text, len);
}

#[inline]
fn put_pair(text: &mut [u8], at: usize, n: usize) {
    if let Some(to) = text.get_mut(at..at + 2) {
        to.copy_from_slice(&pair(n));
    }
}

/// Decimal digits of a number, at least 1.
#[inline]
const fn digits(value: u64) -> usize {
    match value.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    }
}

/// Appends a signed integer.
#[inline]
pub(crate) fn push_i64(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    push_u64(out, value.unsigned_abs());
}

/// Appends `'YYYY-MM-DD'`.
pub(crate) fn push_date(out: &mut Vec<u8>, time: PackedTime) {
    let mut text = *b"'0000-00-00'";
    put_date(&mut text, time);
    out.extend_from_slice(&text);
}

/// Appends `'YYYY-MM-DD hh:mm:ss'`, with six fraction digits unless they are zero.
pub(crate) fn push_datetime(out: &mut Vec<u8>, time: PackedTime) {
    let mut text = *b"'0000-00-00 00:00:00.000000'";
    put_date(&mut text, time);
    for (at, n) in [(12, time.hour()), (15, time.minute()), (18, time.second())] {
        put_pair(&mut text, at, n.into());
    }
    let micro = time.micro() as usize;
    if micro == 0 {
        text[20] = b'\'';
        append_block(out, &text, 21);
        return;
    }
    for (at, n) in [(21, micro / 10_000), (23, micro / 100 % 100), (25, micro % 100)] {
        put_pair(&mut text, at, n);
    }
    out.extend_from_slice(&text);
}

fn put_date(text: &mut [u8], time: PackedTime) {
    let year = usize::from(time.year());
    for (at, n) in [(1, year / 100), (3, year % 100), (6, time.month().into()), (9, time.day().into())] {
        put_pair(text, at, n);
    }
}

#[cfg(test)]
mod tests {
    use super::{push_date, push_datetime, push_i64, push_u64};
    use proptest::prelude::*;
    use tgr1::PackedTime;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = b">".to_vec();
        write(&mut out);
        String::from_utf8(out).unwrap().split_off(1)
    }

    #[test]
    fn every_length_of_an_integer() {
        let powers = std::iter::successors(Some(1_u64), |n| n.checked_mul(10));
        for n in powers.flat_map(|n| [n - 1, n, n + 1]).chain([u64::MAX]) {
            assert_eq!(text(|o| push_u64(o, n)), n.to_string());
        }
        for n in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(text(|o| push_i64(o, n)), n.to_string());
        }
    }

    proptest! {
        #[test]
        fn as_the_format_crate_spells_it(
            n in any::<u64>(), shift in 0_u32..64,
            y in 0_u16..=9999, mo in 0_u8..=12, d in 0_u8..=31, h in 0_u8..24, mi in 0_u8..60, s in 0_u8..60,
            us in prop_oneof![Just(0_u32), 0_u32..1_000_000],
        ) {
            prop_assert_eq!(text(|o| push_u64(o, n >> shift)), (n >> shift).to_string());
            let t = PackedTime::from_parts(y, mo, d, h, mi, s, us).unwrap();
            prop_assert_eq!(text(|o| push_date(o, t)), format!("'{}'", text(|o| t.date_text(o))));
            let fsp = if us == 0 { 0 } else { 6 };
            prop_assert_eq!(text(|o| push_datetime(o, t)), format!("'{}'", text(|o| t.datetime_text(o, fsp))));
        }
    }
}
