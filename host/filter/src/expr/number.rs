//! Numbers: exact decimals up to 38 digits, else floating point.

use super::{Binary, Value};
use std::cmp::Ordering;

/// Decimal places of a quotient beyond those of the dividend are left to floating point.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// `mantissa / 10^scale`.
    Exact {
        mantissa: i128,
        scale: u32,
    },
    Real(f64),
}

impl Number {
    /// The number in a value, as MySQL takes it: of a string the longest part in front that is one. `None` for NULL.
    pub(crate) fn of(value: &Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Null => return None,
            Value::Int(n) => Self::Exact { mantissa: *n, scale: 0 },
            Value::Real(f) => Self::Real(*f),
            Value::Decimal(s) => exact(s.trim()).unwrap_or_else(|| Self::Real(leading_real(s))),
            Value::Text(s) => Self::Real(leading_real(s)),
            Value::Bytes(b) => Self::Real(leading_real(&String::from_utf8_lossy(b))),
        })
    }

    pub(crate) fn real(self) -> f64 {
        match self {
            Self::Real(f) => f,
            #[expect(clippy::cast_precision_loss, reason = "floating point is what is asked for")]
            Self::Exact { mantissa, scale } => mantissa as f64 / 10_f64.powi(i32::try_from(scale).unwrap_or(i32::MAX)),
        }
    }

    pub(crate) fn is_zero(self) -> bool {
        match self {
            Self::Exact { mantissa, .. } => mantissa == 0,
            Self::Real(f) => f == 0.0,
        }
    }

    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        if let Some((a, b, _)) = aligned(self, other) {
            return Some(a.cmp(&b));
        }
        self.real().partial_cmp(&other.real())
    }

    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Exact { mantissa, scale } => {
                mantissa.checked_neg().map_or(Self::Real(-self.real()), |mantissa| Self::Exact { mantissa, scale })
            }
            Self::Real(f) => Self::Real(-f),
        }
    }

    /// The result of an operation; `None` for a division by zero, which is NULL.
    pub(crate) fn calculate(op: Binary, a: Self, b: Self) -> Option<Self> {
        let (x, y) = (a.real(), b.real());
        let divides = matches!(op, Binary::Divide | Binary::IntDivide | Binary::Modulo);
        if divides && b.is_zero() {
            return None;
        }
        let exact = aligned(a, b).and_then(|(m, n, scale)| {
            let (mantissa, scale) = match op {
                Binary::Add => (m.checked_add(n)?, scale),
                Binary::Subtract => (m.checked_sub(n)?, scale),
                Binary::Multiply => (m.checked_mul(n)?, scale.checked_mul(2)?),
                Binary::IntDivide => (m.checked_div(n)?, 0),
                Binary::Modulo => (m.checked_rem(n)?, scale),
                _ => return None,
            };
            Some(Self::Exact { mantissa, scale })
        });
        Some(exact.unwrap_or_else(|| {
            Self::Real(match op {
                Binary::Add => x + y,
                Binary::Subtract => x - y,
                Binary::Multiply => x * y,
                Binary::IntDivide => (x / y).trunc(),
                Binary::Modulo => x % y,
                _ => x / y,
            })
        }))
    }

    pub(crate) fn into_value(self) -> Value<'static> {
        match self {
            Self::Exact { mantissa, scale: 0 } => Value::Int(mantissa),
            Self::Exact { mantissa, scale } => {
                let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale as usize + 1);
                let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
                let sign = if mantissa < 0 { "-" } else { "" };
                Value::Decimal(format!("{sign}{whole}.{fraction}").into())
            }
            Self::Real(f) => Value::Real(f),
        }
    }
}

/// Both mantissas at one scale.
fn aligned(a: Number, b: Number) -> Option<(i128, i128, u32)> {
    let (Number::Exact { mantissa: m, scale: s }, Number::Exact { mantissa: n, scale: t }) = (a, b) else {
        return None;
    };
    let scale = s.max(t);
    let raise = |m: i128, by: u32| m.checked_mul(10_i128.checked_pow(by)?);
    Some((raise(m, scale - s)?, raise(n, scale - t)?, scale))
}

fn exact(text: &str) -> Option<Number> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mantissa = format!("{whole}{fraction}").parse().ok()?;
    Some(Number::Exact { mantissa, scale: u32::try_from(fraction.len()).ok()? })
}

fn leading_real(text: &str) -> f64 {
    let text = text.trim_start();
    let is_part = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    let mut end = text.bytes().take_while(|b| is_part(*b)).count();
    while end > 0 {
        if let Some(Ok(f)) = text.get(..end).map(str::parse::<f64>) {
            return f;
        }
        end -= 1;
    }
    0.0
}
