//! MySQL's binary decimals.

/// Digits per word of four bytes.
const WORD_DIGITS: usize = 9;
/// Bytes of a group by its number of digits.
const GROUP_BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
/// Most digits of a decimal.
const PRECISION_MAX: usize = 65;
/// Most fraction digits of a decimal.
const FRAC_MAX: usize = 30;

/// Appends precision, fraction digits and the binary form of the decimal `text`.
///
/// `None` when the text is no decimal, does not fit, or precision and fraction are impossible;
/// surplus fraction digits are cut.
#[must_use]
pub fn put_decimal(out: &mut Vec<u8>, text: &str, precision: usize, frac: usize) -> Option<()> {
    if precision > PRECISION_MAX || frac > FRAC_MAX || frac > precision || precision == 0 {
        return None;
    }
    let (negative, digits) = digits(text, precision - frac, frac)?;
    out.push(precision as u8);
    out.push(frac as u8);
    let start = out.len();
    let (int, fraction) = digits.split_at(precision - frac);
    let lead = int.len() % WORD_DIGITS;
    put_group(out, &int[..lead]);
    int[lead..].chunks(WORD_DIGITS).for_each(|g| put_group(out, g));
    fraction.chunks(WORD_DIGITS).for_each(|g| put_group(out, g));
    if negative {
        out[start..].iter_mut().for_each(|b| *b = !*b);
    }
    out[start] ^= 0x80;
    Some(())
}

/// The digits of `text`, padded to `int` and `frac` places, and whether it is below zero.
fn digits(text: &str, int: usize, frac: usize) -> Option<(bool, Vec<u8>)> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole.trim_start_matches('0');
    if whole.len() > int || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut digits = vec![0; int - whole.len()];
    digits.extend(whole.bytes().map(|b| b - b'0'));
    digits.extend(fraction.bytes().take(frac).map(|b| b - b'0'));
    digits.resize(int + frac, 0);
    let zero = digits.iter().all(|d| *d == 0);
    Some((negative && !zero, digits))
}

fn put_group(out: &mut Vec<u8>, digits: &[u8]) {
    let n = digits.iter().fold(0u32, |n, d| n * 10 + u32::from(*d));
    out.extend_from_slice(&n.to_be_bytes()[4 - GROUP_BYTES[digits.len()]..]);
}

/// The text of a decimal that starts with its precision and fraction digits, and its length in bytes;
/// `None` when malformed.
#[must_use]
pub fn decimal_text(data: &[u8]) -> Option<(String, usize)> {
    let (&[precision, frac], body) = data.split_first_chunk::<2>()?;
    let (precision, frac) = (usize::from(precision), usize::from(frac));
    let int = precision.checked_sub(frac)?;
    let (lead, trail) = (int % WORD_DIGITS, frac % WORD_DIGITS);
    let mut groups = vec![lead];
    groups.resize(1 + int / WORD_DIGITS + frac / WORD_DIGITS, WORD_DIGITS);
    groups.push(trail);
    let negative = body.first()? & 0x80 == 0;
    let mut pos = 0;
    let mut digits = String::new();
    for group in groups.into_iter().filter(|g| *g > 0) {
        let bytes = body.get(pos..pos + GROUP_BYTES[group])?;
        let n = bytes.iter().enumerate().fold(0u32, |n, (i, b)| {
            let b = if pos + i == 0 { b ^ 0x80 } else { *b };
            n << 8 | u32::from(if negative { !b } else { b })
        });
        digits.push_str(&format!("{n:0group$}"));
        pos += bytes.len();
    }
    let (whole, fraction) = digits.split_at_checked(int)?;
    let whole = whole.trim_start_matches('0');
    let sign = if negative { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let text = if frac == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
    Some((text, pos + 2))
}
