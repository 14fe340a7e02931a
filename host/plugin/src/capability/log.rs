//! `log`: lines of guests, rate-limited, in the process's log.

use crate::bindings::api::log::{Host, Level};
use crate::state::State;
use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;

/// Lines an instance may log in [`WINDOW_TICKS`].
const LINES_MAX: u32 = 200;
/// Length of the window, in ticks of the engine: one second.
const WINDOW_TICKS: u64 = 100;
/// Bytes kept of a line.
const LINE_LEN_MAX: usize = 8 << 10;

/// Counts the lines of the current window.
#[derive(Default)]
pub(crate) struct LogLimit {
    window: u64,
    lines: u32,
}

impl LogLimit {
    /// Whether one more line may pass at `tick`.
    pub(crate) const fn admit(&mut self, tick: u64) -> bool {
        let window = tick / WINDOW_TICKS;
        if window != self.window {
            self.window = window;
            self.lines = 0;
        }
        self.lines = self.lines.saturating_add(1);
        self.lines <= LINES_MAX
    }
}

impl Host for State {
    fn enabled(&mut self, level: Level) -> wasmtime::Result<bool> {
        Ok(match level {
            Level::Trace => tracing::enabled!(target: "tidegate::guest", tracing::Level::TRACE),
            Level::Debug => tracing::enabled!(target: "tidegate::guest", tracing::Level::DEBUG),
            Level::Info => tracing::enabled!(target: "tidegate::guest", tracing::Level::INFO),
            Level::Warn => tracing::enabled!(target: "tidegate::guest", tracing::Level::WARN),
            Level::Error => tracing::enabled!(target: "tidegate::guest", tracing::Level::ERROR),
        })
    }

    fn log(&mut self, level: Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        if !self.log.admit(self.clock.now()) {
            self.metrics.logs_dropped.fetch_add(1, Relaxed);
            return Ok(());
        }
        let line = line(message, &fields);
        if matches!(level, Level::Warn | Level::Error) {
            self.last_warning = Some(line.clone());
        }
        let plugin = &*self.plugin;
        let feed = self.lane.changefeed.to_string();
        let (slot, lane) = (self.lane.slot.0, self.lane.lane.0);
        match level {
            Level::Trace => tracing::trace!(target: "tidegate::guest", plugin, feed, slot, lane, "{line}"),
            Level::Debug => tracing::debug!(target: "tidegate::guest", plugin, feed, slot, lane, "{line}"),
            Level::Info => tracing::info!(target: "tidegate::guest", plugin, feed, slot, lane, "{line}"),
            Level::Warn => tracing::warn!(target: "tidegate::guest", plugin, feed, slot, lane, "{line}"),
            Level::Error => tracing::error!(target: "tidegate::guest", plugin, feed, slot, lane, "{line}"),
        }
        Ok(())
    }
}

fn line(message: String, fields: &[(String, String)]) -> String {
    let mut line = message;
    for (k, v) in fields {
        // Writing to a string cannot fail.
        let _ = write!(line, " {k}={v:?}");
    }
    line.truncate(line.floor_char_boundary(LINE_LEN_MAX));
    line
}

#[cfg(test)]
mod tests {
    use super::{LINES_MAX, LogLimit, WINDOW_TICKS};

    #[test]
    fn a_window_takes_so_many_lines_and_the_next_starts_again() {
        let mut limit = LogLimit::default();
        let passed = (0..LINES_MAX * 2).filter(|_| limit.admit(5)).count();
        assert_eq!(passed, LINES_MAX as usize);
        assert!(limit.admit(5 + WINDOW_TICKS));
    }
}
