//! Where it shows what goes on: lines that stay, and one that lives in a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Time between two plain lines of a status.
const PLAIN_EVERY: Duration = Duration::from_secs(5);
/// Characters of a line that are shown.
const LINE_CHARS: usize = 400;

/// The output.
pub(super) struct Screen {
    live: Option<ProgressBar>,
    colour: bool,
    plain_last: Option<Instant>,
}

impl Screen {
    /// Standard output, whatever it is.
    pub(super) fn new() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let live = terminal.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            bar
        });
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        Self { live, colour, plain_last: None }
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn line(&self, text: &str) {
        match &self.live {
            Some(bar) => bar.suspend(|| print(text)),
            None => print(text),
        }
    }

    /// Something went well.
    pub(super) fn good(&self, text: &str) {
        self.line(&format!("{} {text}", self.paint("32", "✓")));
    }

    /// Something to know.
    pub(super) fn dim(&self, text: &str) {
        self.line(&self.paint("2", text));
    }

    /// A line of the plugin's own log.
    pub(super) fn guest(&self, level: &str, text: &str) {
        let style = match level {
            "error" => "1;31",
            "warn" => "33",
            "info" => "36",
            _ => "2",
        };
        self.line(&format!("{} {}", self.paint(style, &format!("{level:>5}")), cut(text)));
    }

    /// Something the plugin sent.
    pub(super) fn caught(&self, text: &str) {
        self.line(&format!("{} {}", self.paint("35", " http"), cut(text)));
    }

    /// An error, with its page.
    pub(super) fn error(&self, code: &str, message: &str) {
        let message = message.strip_prefix(&format!("[{code}]")).unwrap_or(message);
        let mut text = format!("{} {message}", self.paint("1;31", &format!("✗ {code}")));
        let pages = crate::codes::ALL.iter().copied().flatten();
        if let Some(page) = pages.into_iter().find(|p| p.code.to_string() == code) {
            text += &format!(
                "\n  {}  {}\n  {} {}",
                self.paint("36", "why:"),
                page.cause,
                self.paint("36", "next:"),
                page.action
            );
        }
        self.line(&text);
    }

    /// How it goes: live in a terminal, a line now and then elsewhere.
    pub(super) fn status(&mut self, text: &str) {
        match &self.live {
            Some(bar) => {
                bar.set_message(text.to_owned());
                bar.tick();
            }
            None if self.plain_last.is_none_or(|at| at.elapsed() >= PLAIN_EVERY) => {
                self.plain_last = Some(Instant::now());
                print(text);
            }
            None => {}
        }
    }

    /// Takes the live part away.
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.live {
            bar.finish_and_clear();
        }
    }
}

fn cut(text: &str) -> String {
    let cut: String = text.chars().take(LINE_CHARS).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever read this has gone; it goes on until it is interrupted.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
