//! Decimals as the bytes of their unscaled number: two's complement, big endian, as short as can be.

/// Most digits of a DECIMAL.
const DIGITS_MAX: usize = 65;

/// Appends the unscaled number of a decimal's text. False: the text is none, or has more fraction digits than the scale.
pub fn write(out: &mut Vec<u8>, text: &[u8], scale: usize) -> bool {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let (whole, fraction) = match digits.iter().position(|b| *b == b'.') {
        Some(at) => (digits.get(..at).unwrap_or_default(), digits.get(at + 1..).unwrap_or_default()),
        None => (digits, &[][..]),
    };
    let known = whole.len() + fraction.len();
    if fraction.len() > scale || known == 0 || known > DIGITS_MAX * 2 || scale > DIGITS_MAX {
        return false;
    }
    let at = out.len();
    out.push(0);
    let zeros = std::iter::repeat_n(&b'0', scale - fraction.len());
    for digit in whole.iter().chain(fraction).chain(zeros) {
        if !digit.is_ascii_digit() || !times_ten_plus(out, at, digit - b'0') {
            return false;
        }
    }
    // Room for the sign.
    out.insert(at, 0);
    if negative {
        negate(out, at);
    }
    shorten(out, at);
    true
}

/// The number from `at` on, times ten and a digit; it grows at the front.
fn times_ten_plus(out: &mut Vec<u8>, at: usize, digit: u8) -> bool {
    let mut carry = u16::from(digit);
    for byte in out.iter_mut().skip(at).rev() {
        let sum = u16::from(*byte) * 10 + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    if carry > 0 {
        out.insert(at, carry as u8);
    }
    true
}

/// Two's complement of the bytes from `at` on.
fn negate(out: &mut [u8], at: usize) {
    let mut carry = true;
    for byte in out.iter_mut().skip(at).rev() {
        let (sum, more) = (!*byte).overflowing_add(u8::from(carry));
        *byte = sum;
        carry = more;
    }
}

/// Takes away leading bytes that say no more than the sign.
fn shorten(out: &mut Vec<u8>, at: usize) {
    loop {
        match out.get(at..) {
            Some([0, next, ..]) if next & 0x80 == 0 => {}
            Some([0xff, next, ..]) if next & 0x80 != 0 => {}
            _ => break,
        }
        out.remove(at);
    }
}

/// The text of an unscaled number with so many fraction digits.
#[must_use]
pub fn text(bytes: &[u8], scale: usize) -> Option<String> {
    const BYTES_MAX: usize = 64;
    if bytes.is_empty() || bytes.len() > BYTES_MAX || scale > DIGITS_MAX {
        return None;
    }
    let negative = bytes.first().is_some_and(|b| b & 0x80 != 0);
    let mut number = bytes.to_vec();
    if negative {
        negate(&mut number, 0);
    }
    let mut digits = Vec::new();
    while number.iter().any(|b| *b != 0) {
        let mut rest = 0_u16;
        for byte in &mut number {
            let part = rest << 8 | u16::from(*byte);
            *byte = (part / 10) as u8;
            rest = part % 10;
        }
        digits.push(b'0' + rest as u8);
    }
    while digits.len() <= scale {
        digits.push(b'0');
    }
    if scale > 0 {
        digits.insert(scale, b'.');
    }
    if negative {
        digits.push(b'-');
    }
    digits.reverse();
    String::from_utf8(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::{text, write};
    use proptest::prelude::*;

    #[test]
    fn shortest_bytes() {
        let bytes = |text: &str, scale| {
            let mut out = vec![9];
            assert!(write(&mut out, text.as_bytes(), scale), "{text}");
            out.split_off(1)
        };
        assert_eq!(bytes("0", 0), [0]);
        assert_eq!(bytes("1.27", 2), [127]);
        assert_eq!(bytes("1.28", 2), [0, 128]);
        assert_eq!(bytes("-1.28", 2), [128]);
        assert_eq!(bytes("-1.29", 2), [0xff, 0x7f]);
        assert_eq!(bytes("-0.01", 2), [0xff]);
        assert_eq!(bytes("3", 1), [30]);
        for bad in ["", "-", "1.234", "x", "1e3"] {
            assert!(!write(&mut Vec::new(), bad.as_bytes(), 2), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn both_ways(value in any::<i128>(), scale in 0_usize..30) {
            let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            let point = if scale > 0 { "." } else { "" };
            let sign = if value < 0 { "-" } else { "" };
            let want = format!("{sign}{whole}{point}{fraction}");
            let mut out = Vec::new();
            prop_assert!(write(&mut out, want.as_bytes(), scale));
            prop_assert_eq!(text(&out, scale), Some(want));
        }
    }
}
