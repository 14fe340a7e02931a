//! Where the demo shows what it does: a live block below finished lines in a terminal, plain lines elsewhere.

use super::text::Paint;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Time between two plain lines of a status.
const PLAIN_EVERY: Duration = Duration::from_secs(2);
/// Frames of the sign that something is going on.
const FRAMES: &[&str] = &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "];
/// Time between two of them.
const FRAME: Duration = Duration::from_millis(100);

/// The output.
pub(super) struct Screen {
    live: Option<ProgressBar>,
    paint: Paint,
    plain_last: Option<Instant>,
}

impl Screen {
    /// Standard output, whatever it is.
    pub(super) fn new() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let live = terminal.then(|| ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout()));
        Self { live, paint: Paint(colour), plain_last: None }
    }

    /// The styles that the output takes.
    pub(super) const fn paint(&self) -> Paint {
        self.paint
    }

    /// Prints a line that stays.
    pub(super) fn line(&self, text: &str) {
        match &self.live {
            Some(bar) => bar.suspend(|| print(text)),
            None => print(text),
        }
    }

    /// Shows what is being waited for, until the next line or block.
    pub(super) fn begin(&self, what: &str) {
        let Some(bar) = &self.live else { return };
        if let Ok(style) = ProgressStyle::with_template("{spinner:.cyan} {msg}") {
            bar.set_style(style.tick_strings(FRAMES));
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(FRAME);
    }

    /// Shows a status: `block` live in a terminal, `plain` as a line now and then elsewhere.
    pub(super) fn status(&mut self, block: impl FnOnce(Paint) -> String, plain: impl FnOnce() -> String) {
        match &self.live {
            Some(bar) => {
                bar.disable_steady_tick();
                if let Ok(style) = ProgressStyle::with_template("{msg}") {
                    bar.set_style(style);
                }
                bar.set_message(block(self.paint));
                bar.tick();
            }
            None if self.plain_last.is_none_or(|at| at.elapsed() >= PLAIN_EVERY) => {
                self.plain_last = Some(Instant::now());
                print(&plain());
            }
            None => {}
        }
    }

    /// Takes the live part away.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.live {
            bar.disable_steady_tick();
            bar.set_message("");
            bar.finish_and_clear();
            bar.reset();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.clear();
    }
}

fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever read this has gone; the demo ends all the same.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
