//! Text of defaults to values. The upstream checked and normalised the texts, so forms are strict.

use tgr1::PackedTime;

/// `YYYY-MM-DD` or `YYYY-MM-DD HH:MM:SS[.ffffff]`, packed.
pub(super) fn date_time(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (date.next()?.parse().ok()?, date.next()?.parse().ok()?, date.next()?.parse().ok()?);
    let (hour, minute, second, micro) = clock(time)?;
    Some(PackedTime::from_parts(year, month, day, u8::try_from(hour).ok()?, minute, second, micro)?.0)
}

/// `[-]HH:MM:SS[.ffffff]` in microseconds.
pub(super) fn duration_micros(text: &str) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (hour, minute, second, micro) = clock(text)?;
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    let micros = seconds * 1_000_000 + i64::from(micro);
    Some(if negative { -micros } else { micros })
}

fn clock(text: &str) -> Option<(u16, u8, u8, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.splitn(3, ':');
    let (hour, minute, second) =
        (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    if fraction.len() > 6 || minute > 59 || second > 59 {
        return None;
    }
    let micro = if fraction.is_empty() { 0 } else { format!("{fraction:0<6}").parse().ok()? };
    Some((hour, minute, second, micro))
}

/// A decimal without exponent, brought to exactly `frac` fraction digits, rounded half away from zero.
pub(super) fn decimal(text: &[u8], frac: u32) -> Option<Vec<u8>> {
    let frac = frac as usize;
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let point = text.iter().position(|byte| *byte == b'.').unwrap_or(text.len());
    let (int, rest) = text.split_at(point);
    let behind = rest.get(1..).unwrap_or_default();
    if int.is_empty() && behind.is_empty() || !int.iter().chain(behind).all(u8::is_ascii_digit) {
        return None;
    }
    let mut digits: Vec<u8> = std::iter::once(b'0').chain(int.iter().copied()).collect();
    digits.extend(behind.iter().copied().chain(std::iter::repeat(b'0')).take(frac));
    if behind.get(frac).is_some_and(|digit| *digit >= b'5') {
        round_up(&mut digits);
    }
    let (int, behind) = digits.split_at(digits.len() - frac);
    let lead = int.iter().take_while(|digit| **digit == b'0').count().min(int.len() - 1);
    let mut out = Vec::with_capacity(digits.len() + 2);
    if negative && digits.iter().any(|digit| *digit != b'0') {
        out.push(b'-');
    }
    out.extend_from_slice(int.get(lead..).unwrap_or_default());
    if frac > 0 {
        out.push(b'.');
        out.extend_from_slice(behind);
    }
    Some(out)
}

/// Adds one in the last place; the first digit is a spare zero.
fn round_up(digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
}

/// `[1,2.5]` as little-endian f32s.
pub(super) fn vector(text: &str) -> Option<Vec<u8>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?.trim();
    if inner.is_empty() {
        return Some(Vec::new());
    }
    let mut out = Vec::new();
    for element in inner.split(',') {
        out.extend_from_slice(&element.trim().parse::<f32>().ok()?.to_le_bytes());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_get_the_columns_digits() {
        let cases = [
            ("0", 2, "0.00"),
            ("-1.5", 3, "-1.500"),
            ("9.999", 2, "10.00"),
            ("-0.004", 2, "0.00"),
            (".5", 0, "1"),
            ("007", 0, "7"),
        ];
        for (text, frac, expected) in cases {
            assert_eq!(decimal(text.as_bytes(), frac).as_deref(), Some(expected.as_bytes()), "{text}");
        }
        for bad in ["", "-", "1e3", "1.2.3", "x"] {
            assert_eq!(decimal(bad.as_bytes(), 2), None, "{bad}");
        }
    }

    #[test]
    fn times_are_parsed() {
        let text = |text| PackedTime(date_time(text).unwrap()).to_string();
        assert_eq!(text("2020-02-20"), "2020-02-20 00:00:00");
        assert_eq!(text("2020-00-00 01:02:03.5"), "2020-00-00 01:02:03.500000");
        assert_eq!(duration_micros("-838:59:59"), Some(-3_020_399_000_000));
        assert_eq!(duration_micros("00:00:00.000001"), Some(1));
        for bad in ["2020", "2020-13-01", "2020-01-01 24:00:00", "2020-01-01 00:60:00", "CURRENT_TIMESTAMP"] {
            assert_eq!(date_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn vectors_are_parsed() {
        assert_eq!(vector("[]"), Some(Vec::new()));
        assert_eq!(vector("[1, -2.5]").unwrap(), [1.0_f32.to_le_bytes(), (-2.5_f32).to_le_bytes()].concat());
        assert_eq!(vector("1"), None);
    }
}
