//! The command line: arguments, the commands that are clients of the HTTP API, help on error codes.
//!
//! Does: read arguments, ask a server, print tables or JSON, ask before it destroys, say what to do next on errors.
//! Does not: run a server or the demo: [`Outcome`] hands their arguments to the binary.
//!
//! Invariants:
//! - Standard output holds the answer only; everything else goes to standard error.
//! - Nothing is asked when standard input is no terminal: what needs a yes then fails without `--no-confirm`.
//! - Exit status: 0 done, 1 an error, 2 arguments that make no sense.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod args;
mod args_author;
mod args_consume;
mod args_plugin;
mod changefeed;
mod client;
mod cluster;
mod codes;
mod error;
mod explain;
mod output;
mod plugin;
mod plugin_push;
mod plugin_sign;
mod quarantine;
mod run;
mod schedule;
mod span;
mod tap;
mod update;

pub use args::{Cli, Command, DemoArgs, ImportArgs, MigrateArgs, ServerArgs, TlsFiles};
pub use args_author::{Author, BenchArgs, DevArgs, Lang, NewArgs, PluginKind, TestArgs};
pub use args_consume::{ConsumeArgs, TapArgs};
pub use args_plugin::{Plugin, PushArgs, Quarantine, Rows};
pub use codes::CODES;
pub use error::{CliError, print_error};
pub use output::Terminal;
pub use run::{Outcome, run};
