//! The commands for those who write plugins: `tidegate plugin new|build|test|bench|check`.
//!
//! Does: find or build the component, hand it to the kit, print what comes out.
//! Does not: need a server, or leave anything running.

mod bench;
mod check;
mod error;
mod find;
mod new;
mod test;

pub(crate) use error::CommandError;
pub(crate) use find::{Found, find};

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use tg_cli::Author;

/// Runs a command and prints its answer, or its error with the page.
pub(crate) async fn run(command: Author, json: bool) -> ExitCode {
    start_log();
    let done = match command {
        Author::New(args) => new::run(&args, json),
        Author::Build { dir } => new::build(&dir, json),
        Author::Test(args) => test::run(&args, json).await,
        Author::Bench(args) => bench::run(&args, json).await,
        Author::Check { plugin } => check::run(&plugin, json).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::print_error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Logs only when `RUST_LOG` asks for it.
fn start_log() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_default_env() {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    }
}

/// Prints a line of the answer.
fn say(line: &str) {
    // Whoever read this has gone; there is nobody left to tell.
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints a note that is no part of the answer.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints the answer for programs.
fn say_json(value: &impl serde::Serialize) {
    say(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Whether the answer may be coloured.
fn colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// A text in a terminal's style, when the answer may have one.
fn paint(style: &str, text: &str) -> String {
    if colour() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
}
