//! How the demo gets on: what is measured, and how it is shown.

use super::text::{Paint, bar, clock, grouped, mib, span};
use std::collections::VecDeque;
use std::time::Duration;

/// Rates are taken over this long.
const RATE_OVER: Duration = Duration::from_secs(2);
/// Samples kept for rates.
const SAMPLES_MAX: usize = 256;
/// Columns of a label.
const LABEL: usize = 11;
/// How long a note is shown.
const NOTE_MAX: Duration = Duration::from_secs(15);

/// A counter that falls to zero when a run begins anew, as one that only rises.
#[derive(Debug, Default)]
pub(super) struct Rising {
    base: u64,
    last: u64,
}

impl Rising {
    /// Takes what the counter says now and gives the count since the beginning.
    pub(super) fn take(&mut self, now: u64) -> u64 {
        if now < self.last {
            self.base += self.last;
        }
        self.last = now;
        self.base + now
    }
}

/// Rows per second in and out, over the last seconds.
#[derive(Debug, Default)]
pub(super) struct Rates(VecDeque<(Duration, u64, u64)>);

impl Rates {
    /// Takes the totals at a time since the start and gives the rates.
    pub(super) fn take(&mut self, at: Duration, rows_in: u64, rows_out: u64) -> (u64, u64) {
        while self.0.len() >= SAMPLES_MAX || (self.0.len() > 1 && self.0.get(1).is_some_and(|s| s.0 + RATE_OVER < at)) {
            self.0.pop_front();
        }
        self.0.push_back((at, rows_in, rows_out));
        let Some((then, first_in, first_out)) = self.0.front().copied() else { return (0, 0) };
        let ms = (at.saturating_sub(then).as_millis() as u64).max(1);
        let rate = |now: u64, then: u64| now.saturating_sub(then) * 1000 / ms;
        if then == at { (0, 0) } else { (rate(rows_in, first_in), rate(rows_out, first_out)) }
    }
}

/// What is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// What goes on: `catch-up`, `running`, ...
    pub(super) phase: &'static str,
    /// How far it is.
    pub(super) done: u64,
    /// Of how much.
    pub(super) of: u64,
    /// The same for a person: `12 of 20 s`.
    pub(super) progress: String,
    /// Rows per second written upstream.
    pub(super) rate_in: u64,
    /// Rows per second durable downstream.
    pub(super) rate_out: u64,
    /// Rows durable downstream since the start.
    pub(super) rows_out: u64,
    /// Milliseconds from the checkpoint to now.
    pub(super) lag_ms: u64,
    /// Unix milliseconds of the checkpoint.
    pub(super) checkpoint_ms: u64,
    /// DDLs run downstream.
    pub(super) ddls: u64,
    /// Tables replicated.
    pub(super) tables: u64,
    /// Resident memory of the process.
    pub(super) rss_bytes: u64,
    /// Bytes of changes on disk.
    pub(super) spilled_bytes: u64,
    /// What happened to the upstream, and how long ago.
    pub(super) note: Option<(String, Duration)>,
    /// The error the changefeed recovers from.
    pub(super) trouble: Option<String>,
}

impl Status {
    fn shown_note(&self) -> Option<(&str, u64)> {
        self.note.as_ref().filter(|(_, age)| *age < NOTE_MAX).map(|(what, age)| (what.as_str(), age.as_secs()))
    }

    /// The block for a terminal, at most 80 columns wide.
    pub(super) fn block(&self, paint: Paint) -> String {
        let label = |name: &str| paint.dim(&format!("{name:<LABEL$}"));
        let cell = |value: String| format!("{value:<20}");
        let spilled =
            if self.spilled_bytes > 0 { format!(", {} on disk", mib(self.spilled_bytes)) } else { String::new() };
        let mut out = vec![
            String::new(),
            format!("  {}{}  {}", label(self.phase), paint.accent(&bar(self.done, self.of)), self.progress),
            format!(
                "  {}{}{}{} in all",
                label("rows"),
                cell(format!("{}/s in", grouped(self.rate_in))),
                cell(format!("{}/s out", grouped(self.rate_out))),
                grouped(self.rows_out)
            ),
            format!("  {}{}checkpoint {}", label("lag"), cell(span(self.lag_ms)), clock(self.checkpoint_ms)),
            format!("  {}{}{} DDLs", label("tables"), cell(grouped(self.tables)), grouped(self.ddls)),
            format!("  {}{}{spilled}", label("memory"), mib(self.rss_bytes)),
        ];
        let happened = self.shown_note().map_or_else(String::new, |(what, age)| format!("{what}, {age} s ago"));
        out.push(format!("  {}{happened}", label("upstream")));
        if let Some(trouble) = &self.trouble {
            out.push(format!("  {}{}", label("recovers"), paint.bad(&shortened(trouble))));
        }
        out.join("\n")
    }

    /// One line for a pipe or a file.
    pub(super) fn plain(&self) -> String {
        let mut out = format!(
            "{:<LABEL$}{}  {}/s in, {}/s out, {} rows, lag {}, checkpoint {}, {} DDLs, {}",
            self.phase,
            self.progress,
            grouped(self.rate_in),
            grouped(self.rate_out),
            grouped(self.rows_out),
            span(self.lag_ms),
            clock(self.checkpoint_ms),
            grouped(self.ddls),
            mib(self.rss_bytes)
        );
        if let Some((what, age)) = self.shown_note() {
            out.push_str(&format!(", {what} {age} s ago"));
        }
        if let Some(trouble) = &self.trouble {
            out.push_str(&format!(", recovers from {}", shortened(trouble)));
        }
        out
    }
}

/// Longest error shown in a status.
const TROUBLE_MAX_CHARS: usize = 66;

fn shortened(text: &str) -> String {
    if text.chars().count() <= TROUBLE_MAX_CHARS {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(TROUBLE_MAX_CHARS - 1).collect();
    out.push('…');
    out
}

/// Resident memory of this process in bytes; 0 where the system does not tell.
pub(super) fn resident_bytes() -> u64 {
    std::fs::read_to_string("/proc/self/status").ok().and_then(|text| resident(&text)).unwrap_or(0)
}

fn resident(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb << 10)
}

#[cfg(test)]
mod tests {
    use super::{Paint, Rates, Rising, Status, resident};
    use std::time::Duration;

    #[test]
    fn counters_survive_a_restart() {
        let mut rows = Rising::default();
        let seen: Vec<u64> = [0, 10, 25, 3, 7, 0, 1].into_iter().map(|n| rows.take(n)).collect();
        assert_eq!(seen, [0, 10, 25, 28, 32, 32, 33]);
    }

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let mut rates = Rates::default();
        let at = Duration::from_millis;
        assert_eq!(rates.take(at(0), 0, 0), (0, 0));
        assert_eq!(rates.take(at(500), 500, 250), (1000, 500));
        for i in 2..20 {
            rates.take(at(i * 500), i * 500, i * 250);
        }
        assert_eq!(rates.take(at(12_000), 9_500, 9_500), (0, 1900), "a standstill shows after two seconds");
    }

    #[test]
    fn the_block_fits_a_terminal_and_the_line_has_the_same() {
        let status = Status {
            phase: "running",
            done: 12,
            of: 20,
            progress: "12 of 20 s".to_owned(),
            rate_in: 123_456,
            rate_out: 123_456,
            rows_out: 1_234_567_890,
            lag_ms: 1_234,
            checkpoint_ms: 1_700_000_000_000,
            ddls: 1_234,
            tables: 12,
            rss_bytes: 3 << 30,
            spilled_bytes: 9 << 30,
            note: Some(("a region's leader moved".to_owned(), Duration::from_secs(3))),
            trouble: Some("x".repeat(200)),
        };
        let block = status.block(Paint(false));
        assert!(block.lines().all(|l| l.chars().count() <= 80), "{block}");
        for part in ["12 of 20 s", "123,456/s in", "1.2 s", "a region's leader moved", "…"] {
            assert!(block.contains(part) && status.plain().contains(part), "{part}\n{block}\n{}", status.plain());
        }
        assert!(!status.plain().contains('\n'));
    }

    #[test]
    fn the_system_tells_the_memory() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t   24576 kB\n"), Some(24_576 << 10));
    }
}
