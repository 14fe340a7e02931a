//! Dates and times: the packed form of DATE, DATETIME and TIMESTAMP, and durations in nanoseconds.

/// Nanoseconds of a second.
const SECOND_NS: i64 = 1_000_000_000;

/// Packs `YYYY-MM-DD[ HH:MM:SS[.ffffff]]`; zero months and days are legal. `None` when it is no time.
#[must_use]
pub fn pack(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(' ').unwrap_or((text, "00:00:00"));
    let mut ymd = date.splitn(3, '-').map(|p| p.parse::<u64>().ok());
    let (year, month, day) = (ymd.next()??, ymd.next()??, ymd.next()??);
    let (clock, micro) = fraction(time)?;
    let mut hms = clock.splitn(3, ':').map(|p| p.parse::<u64>().ok());
    let (hour, minute, second) = (hms.next()??, hms.next()??, hms.next()??);
    if year > 9999 || month > 12 || day > 31 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let ymd = (year * 13 + month) << 5 | day;
    let hms = hour << 12 | minute << 6 | second;
    Some((ymd << 17 | hms) << 24 | micro)
}

/// The text of a packed time; `fsp` fraction digits; only the date when `date_only`.
#[must_use]
pub fn packed_text(packed: u64, date_only: bool, fsp: usize) -> String {
    let micro = packed & 0xff_ffff;
    let (ymd, hms) = (packed >> 41, packed >> 24 & 0x1_ffff);
    let (month, day) = (ymd >> 5, ymd & 31);
    let date = format!("{:04}-{:02}-{day:02}", month / 13, month % 13);
    if date_only {
        return date;
    }
    let clock = format!("{:02}:{:02}:{:02}", hms >> 12, hms >> 6 & 63, hms & 63);
    format!("{date} {clock}{}", fraction_text(micro, fsp))
}

/// Nanoseconds of `[-]HH:MM:SS[.ffffff]`; `None` when it is no duration.
#[must_use]
pub fn duration(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (clock, micro) = fraction(text)?;
    let mut hms = clock.splitn(3, ':').map(|p| p.parse::<i64>().ok());
    let (hour, minute, second) = (hms.next()??, hms.next()??, hms.next()??);
    Some(sign * ((hour * 3600 + minute * 60 + second) * SECOND_NS + micro as i64 * 1000))
}

/// The text of a duration with `fsp` fraction digits.
#[must_use]
pub fn duration_text(ns: i64, fsp: usize) -> String {
    let abs = ns.unsigned_abs();
    let (seconds, micro) = (abs / SECOND_NS as u64, abs % SECOND_NS as u64 / 1000);
    let sign = if ns < 0 { "-" } else { "" };
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{sign}{clock}{}", fraction_text(micro, fsp))
}

/// Splits off a fraction of up to six digits and gives it in microseconds.
fn fraction(text: &str) -> Option<(&str, u64)> {
    let Some((clock, digits)) = text.split_once('.') else {
        return Some((text, 0));
    };
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    Some((clock, format!("{digits:0<6}").parse().ok()?))
}

fn fraction_text(micro: u64, fsp: usize) -> String {
    if fsp == 0 { String::new() } else { format!(".{}", &format!("{micro:06}")[..fsp.min(6)]) }
}
