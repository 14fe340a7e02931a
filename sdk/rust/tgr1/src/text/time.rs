//! Packed times and durations.

use std::fmt;

/// A date and time of day whose parts may be zero, packed as the format says: bits 0–23 microseconds, 24–29 second, 30–35
/// minute, 36–40 hour, 41–45 day, 46–63 year × 13 + month. Orders by time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PackedTime(pub u64);

impl PackedTime {
    /// `0000-00-00 00:00:00`.
    pub const ZERO: Self = Self(0);

    /// Packs the parts; `None` when one is out of range (year up to 9999, month to 12, day to 31; zeros are fine).
    #[must_use]
    pub const fn from_parts(
        year: u16,
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
        second: u8,
        micro: u32,
    ) -> Option<Self> {
        if year > 9999 || month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59 || micro > 999_999 {
            return None;
        }
        let ymd = (year as u64 * 13 + month as u64) << 5 | day as u64;
        let hms = (hour as u64) << 12 | (minute as u64) << 6 | second as u64;
        Some(Self((ymd << 17 | hms) << 24 | micro as u64))
    }

    /// Year.
    #[must_use]
    pub const fn year(self) -> u16 {
        ((self.0 >> 46) / 13) as u16
    }

    /// Month, 0 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        ((self.0 >> 46) % 13) as u8
    }

    /// Day of the month; 0: none.
    #[must_use]
    pub const fn day(self) -> u8 {
        (self.0 >> 41 & 31) as u8
    }

    /// Hour.
    #[must_use]
    pub const fn hour(self) -> u8 {
        (self.0 >> 36 & 31) as u8
    }

    /// Minute.
    #[must_use]
    pub const fn minute(self) -> u8 {
        (self.0 >> 30 & 63) as u8
    }

    /// Second.
    #[must_use]
    pub const fn second(self) -> u8 {
        (self.0 >> 24 & 63) as u8
    }

    /// Microsecond.
    #[must_use]
    pub const fn micro(self) -> u32 {
        (self.0 & 0xff_ffff) as u32
    }

    /// Appends `2020-02-20`.
    pub fn date_text(self, out: &mut Vec<u8>) {
        digits4(out, self.year());
        out.push(b'-');
        digits2(out, self.month());
        out.push(b'-');
        digits2(out, self.day());
    }

    /// Appends `2020-02-20 02:20:20.123456` with `fsp` fraction digits (at most 6; further ones are cut, not rounded).
    pub fn datetime_text(self, out: &mut Vec<u8>, fsp: u8) {
        self.date_text(out);
        out.push(b' ');
        clock(out, self.hour(), self.minute(), self.second());
        fraction(out, self.micro(), fsp);
    }
}

impl fmt::Display for PackedTime {
    /// With six fraction digits unless they are zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(26);
        self.datetime_text(&mut out, if self.micro() == 0 { 0 } else { 6 });
        out.iter().try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl fmt::Debug for PackedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackedTime({self})")
    }
}

/// Appends a TIME of signed microseconds: `-HH:MM:SS` with at least two hour digits and `fsp` fraction digits.
pub fn time_text(out: &mut Vec<u8>, micros: i64, fsp: u8) {
    if micros < 0 {
        out.push(b'-');
    }
    let micros = micros.unsigned_abs();
    let seconds = micros / 1_000_000;
    let hours = seconds / 3600;
    if hours < 10 {
        out.push(b'0');
    }
    super::u64_text(out, hours);
    out.push(b':');
    digits2(out, (seconds / 60 % 60) as u8);
    out.push(b':');
    digits2(out, (seconds % 60) as u8);
    fraction(out, (micros % 1_000_000) as u32, fsp);
}

fn clock(out: &mut Vec<u8>, hour: u8, minute: u8, second: u8) {
    digits2(out, hour);
    out.push(b':');
    digits2(out, minute);
    out.push(b':');
    digits2(out, second);
}

fn digits2(out: &mut Vec<u8>, n: u8) {
    out.extend_from_slice(&[b'0' + n / 10 % 10, b'0' + n % 10]);
}

fn digits4(out: &mut Vec<u8>, n: u16) {
    digits2(out, (n / 100 % 100) as u8);
    digits2(out, (n % 100) as u8);
}

fn fraction(out: &mut Vec<u8>, micro: u32, fsp: u8) {
    if fsp == 0 {
        return;
    }
    out.push(b'.');
    let mut scale = 100_000;
    for _ in 0..fsp.min(6) {
        out.push(b'0' + (micro / scale % 10) as u8);
        scale /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::{PackedTime, time_text};

    #[test]
    fn parts_survive_packing() {
        let time = PackedTime::from_parts(2020, 2, 20, 2, 20, 20, 123_456).unwrap();
        assert_eq!(time.0, 1_848_068_099_308_380_736);
        assert_eq!(time.to_string(), "2020-02-20 02:20:20.123456");
        assert_eq!(PackedTime::from_parts(2020, 0, 0, 0, 0, 0, 0).unwrap().0, 1_847_883_222_105_456_640);
        assert_eq!(PackedTime::from_parts(10_000, 1, 1, 0, 0, 0, 0), None);
        assert_eq!(PackedTime::from_parts(1, 13, 1, 0, 0, 0, 0), None);
    }

    #[test]
    fn text_has_the_asked_digits() {
        let time = PackedTime::from_parts(7, 1, 2, 3, 4, 5, 67_890).unwrap();
        for (fsp, expected) in
            [(0, "0007-01-02 03:04:05"), (3, "0007-01-02 03:04:05.067"), (6, "0007-01-02 03:04:05.067890")]
        {
            let mut out = Vec::new();
            time.datetime_text(&mut out, fsp);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        assert_eq!(PackedTime::ZERO.to_string(), "0000-00-00 00:00:00");
    }

    #[test]
    fn durations() {
        let cases = [
            (0, 0, "00:00:00"),
            (-1_000, 3, "-00:00:00.001"),
            (3_020_399_999_999, 6, "838:59:59.999999"),
            (-37_845_000_000, 0, "-10:30:45"),
        ];
        for (micros, fsp, expected) in cases {
            let mut out = Vec::new();
            time_text(&mut out, micros, fsp);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
