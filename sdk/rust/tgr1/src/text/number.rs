//! Numbers and vectors.

use std::io::Write;

/// From here up numbers print with an exponent.
const EXPONENT_FROM: f64 = 1e15;
/// Below this numbers other than zero print with an exponent.
const EXPONENT_BELOW: f64 = 1e-15;

/// Appends an unsigned integer.
pub fn u64_text(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a signed integer.
pub fn i64_text(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    u64_text(out, value.unsigned_abs());
}

/// Appends a DOUBLE: the shortest digits that read back, with an exponent (`1e-38`, no `+`) from 1e15 up and below 1e-15.
/// Infinities and NaN, which TiDB does not store, print as `0`, as it does.
pub fn f64_text(out: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    // Writing to a Vec cannot fail.
    let _ = if !size.is_finite() {
        out.write_all(b"0")
    } else if size >= EXPONENT_FROM || (size != 0.0 && size < EXPONENT_BELOW) {
        write!(out, "{value:e}")
    } else {
        write!(out, "{value}")
    };
}

/// Appends a FLOAT: as [`f64_text`] with the digits an f32 needs.
pub fn f32_text(out: &mut Vec<u8>, value: f32) {
    let size = f64::from(value.abs());
    // Writing to a Vec cannot fail.
    let _ = if !size.is_finite() {
        out.write_all(b"0")
    } else if size >= EXPONENT_FROM || (size != 0.0 && size < EXPONENT_BELOW) {
        write!(out, "{value:e}")
    } else {
        write!(out, "{value}")
    };
}

/// Appends a vector, `[1,2.5,-30000000000]`, from its little-endian f32s; never with exponents. Bytes after the last whole
/// f32 are ignored.
pub fn vector_text(out: &mut Vec<u8>, elements: &[u8]) {
    out.push(b'[');
    for (i, bytes) in elements.as_chunks::<4>().0.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{}", f32::from_le_bytes(*bytes));
    }
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn integers() {
        assert_eq!(text(|o| i64_text(o, i64::MIN)), i64::MIN.to_string());
        assert_eq!(text(|o| i64_text(o, 0)), "0");
        assert_eq!(text(|o| u64_text(o, u64::MAX)), u64::MAX.to_string());
    }

    #[test]
    fn doubles_are_shortest_and_change_form_at_1e15() {
        let cases = [
            (0.0, "0"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e15, "1e15"),
            (-1.5e15, "-1.5e15"),
            (999_999_999_999_999.0, "999999999999999"),
            (1e-15, "0.000000000000001"),
            (1e-16, "1e-16"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e308"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(|o| f64_text(o, value)), expected);
        }
    }

    #[test]
    fn floats_have_the_digits_of_an_f32() {
        for (value, expected) in [(0.1_f32, "0.1"), (-3.4e38, "-3.4e38"), (1e-38, "1e-38"), (16_777_216.0, "16777216")]
        {
            assert_eq!(text(|o| f32_text(o, value)), expected);
        }
    }

    #[test]
    fn vectors() {
        let bytes: Vec<u8> = [1.0_f32, 2.5, -3e10].iter().flat_map(|f| f.to_le_bytes()).collect();
        assert_eq!(text(|o| vector_text(o, &bytes)), "[1,2.5,-30000000000]");
        assert_eq!(text(|o| vector_text(o, &[])), "[]");
    }
}
