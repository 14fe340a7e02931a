//! Decimals as unscaled numbers.

/// Most digits of a DECIMAL that readers agree on: what 16 bytes hold. Longer ones are text.
pub(crate) const DIGITS_MAX: u32 = 38;

/// Bytes that hold every number of so many digits, at most [`DIGITS_MAX`].
pub(crate) const fn width(digits: u32) -> usize {
    let greatest = 10_i128.pow(digits) - 1;
    // And a bit for the sign.
    (128 - greatest.leading_zeros() as usize + 1).div_ceil(8)
}

/// The unscaled number of a text with at most so many fraction digits; `None`: it is none, or longer than so many digits.
pub(crate) fn unscaled(text: &[u8], digits: u32, scale: u32) -> Option<i128> {
    let (negative, text) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let (whole, fraction) = match text.iter().position(|b| *b == b'.') {
        Some(at) => (text.get(..at)?, text.get(at + 1..)?),
        None => (text, &[][..]),
    };
    let missing = usize::try_from(scale).ok()?.checked_sub(fraction.len())?;
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = 0_i128;
    for digit in whole.iter().chain(fraction).chain(std::iter::repeat_n(&b'0', missing)) {
        let digit = char::from(*digit).to_digit(10)?;
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    let fits = number < 10_i128.checked_pow(digits)?;
    fits.then_some(if negative { -number } else { number })
}

/// The last bytes of the number, big endian: all of it when the width is that of its digits.
pub(crate) fn put(out: &mut Vec<u8>, number: i128, width: usize) {
    let bytes = number.to_be_bytes();
    out.extend_from_slice(bytes.get(bytes.len().saturating_sub(width)..).unwrap_or_default());
}

/// The number of big-endian bytes; `None`: there are none, or more than 16.
pub(crate) fn number(bytes: &[u8]) -> Option<i128> {
    let sign = if *bytes.first()? & 0x80 == 0 { 0 } else { 0xff };
    let mut all = [sign; 16];
    let at = all.len().checked_sub(bytes.len())?;
    all.get_mut(at..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(all))
}

/// The text of an unscaled number.
pub(crate) fn text(number: i128, scale: usize) -> String {
    let digits = format!("{:0width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let (sign, point) = (if number < 0 { "-" } else { "" }, if scale > 0 { "." } else { "" });
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::{DIGITS_MAX, number, put, text, unscaled, width};
    use proptest::prelude::*;

    #[test]
    fn widths_are_the_least_that_hold_the_digits() {
        assert_eq!([1, 2, 4, 9, 18, 19, 20, 38].map(width), [1, 1, 2, 4, 8, 9, 9, 16]);
    }

    #[test]
    fn what_is_no_such_number() {
        assert_eq!(unscaled(b"-12.5", 5, 2), Some(-1250));
        assert_eq!(unscaled(b"0", 1, 0), Some(0));
        for (bad, digits, scale) in
            [("", 5, 2), ("-", 5, 2), ("1.234", 5, 2), ("1e3", 5, 0), ("1000", 5, 2), ("+1", 5, 0)]
        {
            assert_eq!(unscaled(bad.as_bytes(), digits, scale), None, "{bad}");
        }
        assert_eq!((number(&[]), number(&[0; 17])), (None, None));
    }

    proptest! {
        #[test]
        fn both_ways(digits in 1..=DIGITS_MAX, any: i128, scale: u32) {
            let (value, scale) = (any % 10_i128.pow(digits), scale % (digits + 1));
            let written = text(value, scale as usize);
            prop_assert_eq!(unscaled(written.as_bytes(), digits, scale), Some(value));
            let mut bytes = Vec::new();
            put(&mut bytes, value, width(digits));
            prop_assert_eq!(number(&bytes), Some(value));
        }
    }
}
