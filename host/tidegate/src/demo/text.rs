//! Numbers, times and bars for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Places of a progress bar.
const BAR_PLACES: usize = 32;

/// A number in groups of three: `12,345`.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in whole MiB.
pub(super) fn mib(bytes: u64) -> String {
    format!("{} MiB", grouped(bytes >> 20))
}

/// A duration: milliseconds below a second, then seconds, then minutes.
pub(super) fn span(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..120_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min", ms / 60_000),
    }
}

/// The time of day of a Unix timestamp, in the machine's zone: `10:44:12.120`.
pub(super) fn clock(unix_ms: u64) -> String {
    let time = Timestamp::from_millisecond(unix_ms.cast_signed()).unwrap_or_default();
    time.to_zoned(TimeZone::system()).strftime("%H:%M:%S%.3f").to_string()
}

/// A bar, `done` of `of` filled; a bar of nothing is full.
pub(super) fn bar(done: u64, of: u64) -> String {
    let places = BAR_PLACES as u64;
    let filled = (done.min(of).saturating_mul(places)).checked_div(of).unwrap_or(places) as usize;
    let mut out = "━".repeat(filled);
    out.push_str(&"┄".repeat(BAR_PLACES - filled.min(BAR_PLACES)));
    out
}

/// The plural of a word when it needs one.
pub(super) fn count(n: u64, word: &str) -> String {
    format!("{} {word}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// Terminal styles, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// What matters.
    pub(super) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What explains.
    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// What is well.
    pub(super) fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// What is not.
    pub(super) fn bad(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// What moves.
    pub(super) fn accent(self, text: &str) -> String {
        self.wrap("36", text)
    }
}

#[cfg(test)]
mod tests {
    use super::{bar, count, grouped, mib, span};

    #[test]
    fn numbers_read_well() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), text);
        }
        assert_eq!(mib(3 << 30), "3,072 MiB");
        assert_eq!((count(1, "table"), count(2, "table")), ("1 table".to_owned(), "2 tables".to_owned()));
        for (ms, text) in [(0, "0 ms"), (999, "999 ms"), (1_250, "1.2 s"), (119_999, "119.9 s"), (180_000, "3 min")] {
            assert_eq!(span(ms), text);
        }
    }

    #[test]
    fn bars_are_as_long_as_each_other() {
        for (done, of, filled) in [(0, 10, 0), (5, 10, 16), (10, 10, 32), (11, 10, 32), (0, 0, 32), (1, u64::MAX, 0)] {
            let bar = bar(done, of);
            assert_eq!(bar.chars().count(), 32, "{done} of {of}");
            assert_eq!(bar.chars().filter(|c| *c == '━').count(), filled, "{done} of {of}");
        }
    }
}
