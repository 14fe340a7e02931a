//! Floating-point numbers as Go programs print them.

use std::io::Write;

/// From here up JSON numbers have an exponent.
const JSON_EXPONENT_FROM: f64 = 1e21;
/// Below this JSON numbers other than zero have an exponent.
const JSON_EXPONENT_BELOW: f64 = 1e-6;
/// From this exponent of ten up `%v` prints one, whatever the number of digits.
const PLAIN_EXPONENT_FROM: i32 = 6;
/// Below this exponent of ten `%v` prints one.
const PLAIN_EXPONENT_BELOW: i32 = -4;

/// The digits a number needs to be read back: those of an f32 or of an f64.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Float {
    /// Needs an f32's digits.
    Single(f32),
    /// Needs an f64's digits.
    Double(f64),
}

impl Float {
    fn size(self) -> f64 {
        match self {
            Self::Single(value) => f64::from(value.abs()),
            Self::Double(value) => value.abs(),
        }
    }
}

/// Appends the shortest decimal that reads back, never with an exponent. What is not finite prints as 0: TiDB stores no such.
pub fn decimal(out: &mut Vec<u8>, value: Float) {
    if !value.size().is_finite() {
        out.push(b'0');
        return;
    }
    // Writing to a Vec cannot fail.
    let _ = match value {
        Float::Single(value) => write!(out, "{value}"),
        Float::Double(value) => write!(out, "{value}"),
    };
}

/// Appends a JSON number.
pub fn json(out: &mut Vec<u8>, value: Float) {
    let size = value.size();
    if !size.is_finite() || size == 0.0 || (JSON_EXPONENT_BELOW..JSON_EXPONENT_FROM).contains(&size) {
        decimal(out, value);
    } else {
        exponent(out, value, 1);
    }
}

/// Appends what `%v` prints.
pub fn plain(out: &mut Vec<u8>, value: Float) {
    let size = value.size();
    if !size.is_finite() || size == 0.0 {
        decimal(out, value);
        return;
    }
    let at = out.len();
    exponent(out, value, 2);
    let power = out.get(at..).and_then(power_of_ten).unwrap_or(0);
    if (PLAIN_EXPONENT_BELOW..PLAIN_EXPONENT_FROM).contains(&power) {
        out.truncate(at);
        decimal(out, value);
    }
}

/// `1.5e+38`, with at least so many digits of the exponent.
fn exponent(out: &mut Vec<u8>, value: Float, digits: usize) {
    let at = out.len();
    // Writing to a Vec cannot fail.
    let _ = match value {
        Float::Single(value) => write!(out, "{value:e}"),
        Float::Double(value) => write!(out, "{value:e}"),
    };
    let power = out.get(at..).and_then(power_of_ten).unwrap_or(0);
    if let Some(e) = out.get(at..).and_then(|text| text.iter().position(|b| *b == b'e')) {
        out.truncate(at + e);
    }
    out.extend_from_slice(if power < 0 { b"e-" } else { b"e+" });
    let _ = write!(out, "{:0digits$}", power.unsigned_abs());
}

fn power_of_ten(text: &[u8]) -> Option<i32> {
    let text = std::str::from_utf8(text).ok()?;
    text.split_once('e')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Float, decimal, json, plain};

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_numbers() {
        for (value, want) in [
            (0.0, "0"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-1.5e-7, "-1.5e-7"),
            (1e-6, "0.000001"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(text(|o| json(o, Float::Double(value))), want);
        }
        assert_eq!(text(|o| json(o, Float::Single(-3.4e38))), "-3.4e+38");
        assert_eq!(text(|o| json(o, Float::Double(f64::NAN))), "0");
    }

    #[test]
    fn plain_numbers() {
        for (value, want) in [
            (0.0, "0"),
            (1234.567, "1234.567"),
            (-0.001, "-0.001"),
            (0.000_05, "5e-05"),
            (1e-38, "1e-38"),
            (1_234_567.0, "1.234567e+06"),
            (1e20, "1e+20"),
            (1e21, "1e+21"),
        ] {
            assert_eq!(text(|o| plain(o, Float::Double(value))), want);
        }
        assert_eq!(text(|o| decimal(o, Float::Single(0.1))), "0.1");
    }
}
