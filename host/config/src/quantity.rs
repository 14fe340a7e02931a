//! Durations and sizes as users write them.

use std::{fmt, str::FromStr, time::Duration};

/// A duration. Written `10m`, `1h30m`, `500ms` (the form of Go's `time.Duration`), or as an integer of nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Interval(Duration);

/// Unit names and their nanoseconds; the longer name first where one begins with the other.
const UNITS_NS: &[(&str, f64)] =
    &[("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("h", 3.6e12), ("m", 6e10), ("s", 1e9)];

impl Interval {
    /// From whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// From milliseconds.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }

    /// As the standard library's type.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// Nanoseconds; saturates.
    #[must_use]
    pub fn as_nanos(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no duration; write it like \"10m\", \"1h30m\" or \"500ms\"");
        if text == "0" {
            return Ok(Self::default());
        }
        let mut rest = text;
        let mut total_ns = 0.0;
        if rest.is_empty() {
            return Err(bad());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
            let (number, tail) = rest.split_at(digits);
            let (unit, unit_ns) = UNITS_NS.iter().find(|(u, _)| tail.starts_with(u)).ok_or_else(bad)?;
            total_ns += number.parse::<f64>().map_err(|_| bad())? * unit_ns;
            rest = tail.strip_prefix(unit).unwrap_or_default();
        }
        if total_ns > i64::MAX as f64 {
            return Err(format!("`{text}` is longer than a duration can be (292 years)"));
        }
        Ok(Self(Duration::from_nanos(total_ns.round() as u64)))
    }
}

impl fmt::Display for Interval {
    /// The form Go prints: `10m0s`, `1h0m0s`, `1.5s`, `50ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.as_nanos();
        if ns == 0 {
            return f.write_str("0s");
        }
        if ns < 1_000 {
            return write!(f, "{ns}ns");
        }
        if ns < 1_000_000 {
            return write!(f, "{}µs", ns as f64 / 1e3);
        }
        if ns < 1_000_000_000 {
            return write!(f, "{}ms", ns as f64 / 1e6);
        }
        let (secs, frac) = (ns / 1_000_000_000, ns % 1_000_000_000);
        let (h, m, s) = (secs / 3600, secs / 60 % 60, secs % 60);
        if h > 0 {
            write!(f, "{h}h")?;
        }
        if secs >= 60 {
            write!(f, "{m}m")?;
        }
        if frac == 0 {
            return write!(f, "{s}s");
        }
        let digits = format!("{frac:09}");
        write!(f, "{s}.{}s", digits.trim_end_matches('0'))
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Interval {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// A size in bytes. Written as a number of bytes or with a unit: `512MiB`, `1GB`, `64k`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ByteSize(u64);

/// Unit names (lower case) and their bytes. Single letters and `b`-less forms are powers of 1024.
const UNITS_BYTES: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("k", 1 << 10),
    ("kb", 1000),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mb", 1_000_000),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gb", 1_000_000_000),
    ("gib", 1 << 30),
    ("t", 1 << 40),
    ("tb", 1_000_000_000_000),
    ("tib", 1 << 40),
];

impl ByteSize {
    /// From bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no size; write it like 1048576, \"64KiB\" or \"512MiB\"");
        let trimmed = text.trim();
        let end = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(end);
        let unit = unit.trim().to_ascii_lowercase();
        let factor = UNITS_BYTES.iter().find(|(u, _)| *u == unit).ok_or_else(bad)?.1;
        if let Ok(whole) = number.parse::<u64>() {
            return whole.checked_mul(factor).map(Self).ok_or_else(bad);
        }
        let part = number.parse::<f64>().map_err(|_| bad())? * factor as f64;
        if part < u64::MAX as f64 { Ok(Self(part as u64)) } else { Err(bad()) }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = ["TiB", "GiB", "MiB", "KiB"].into_iter().zip([40_u32, 30, 20, 10]);
        match unit.into_iter().find(|(_, shift)| self.0 != 0 && self.0.trailing_zeros() >= *shift) {
            Some((name, shift)) => write!(f, "{}{name}", self.0 >> shift),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl fmt::Debug for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for ByteSize {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(self.0)
    }
}

/// Reads a number (made a `T` by `of`) or a text that `T` parses.
struct NumberOrText<T> {
    expecting: &'static str,
    of: fn(u64) -> T,
}

impl<T: FromStr<Err = String>> serde::de::Visitor<'_> for NumberOrText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<T, E> {
        let n = u64::try_from(n).map_err(|_| E::custom(format!("{n} is below zero")))?;
        self.visit_u64(n)
    }

    fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<T, E> {
        Ok((self.of)(n))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

impl<'de> serde::Deserialize<'de> for Interval {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(NumberOrText {
            expecting: "a duration like \"10m\"",
            of: |ns| Self(Duration::from_nanos(ns)),
        })
    }
}

impl<'de> serde::Deserialize<'de> for ByteSize {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(NumberOrText { expecting: "a size like 1048576 or \"512MiB\"", of: Self })
    }
}

#[cfg(test)]
mod tests {
    use super::{ByteSize, Interval};

    #[test]
    fn durations_read_and_print_as_go_does() {
        for (text, ns, printed) in [
            ("10m", 600_000_000_000, "10m0s"),
            ("24h", 86_400_000_000_000, "24h0m0s"),
            ("1h30m", 5_400_000_000_000, "1h30m0s"),
            ("1.5s", 1_500_000_000, "1.5s"),
            ("90s", 90_000_000_000, "1m30s"),
            ("50ms", 50_000_000, "50ms"),
            ("2us", 2_000, "2µs"),
            ("7ns", 7, "7ns"),
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
        ] {
            let d: Interval = text.parse().unwrap();
            assert_eq!((d.as_nanos(), d.to_string()), (ns, printed.to_owned()), "{text}");
        }
        for bad in ["", "10", "m", "10 m", "10x", "-1s", "1.2.3s", "9999999h"] {
            assert!(bad.parse::<Interval>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn sizes_read_and_print() {
        for (text, bytes, printed) in [
            ("0", 0, "0B"),
            ("1024", 1024, "1KiB"),
            ("512MiB", 512 << 20, "512MiB"),
            ("1 GiB", 1 << 30, "1GiB"),
            ("1.5g", 3 << 29, "1536MiB"),
            ("10kb", 10_000, "10000B"),
        ] {
            let s: ByteSize = text.parse().unwrap();
            assert_eq!((s.get(), s.to_string()), (bytes, printed.to_owned()), "{text}");
        }
        for bad in ["", "x", "-1", "1XB", "1.2.3M", "99999999T"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad:?}");
        }
    }
}
