//! The `tidegate` binary: arguments go to the command line crate; servers and the demo run here.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod author;
mod codes;
mod consume;
mod demo;
mod dev;
mod import;
mod migrate;
mod server;

use std::{
    io::{self, BufReader, IsTerminal},
    process::ExitCode,
    time::Duration,
};
use tg_cli::{Outcome, Terminal};
use tg_model::Coded;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long the process waits at its end for calls that block: nobody waits for their answers any more.
const END_MAX: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("tidegate: the system gives no threads or timers: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(Box::pin(run()));
    runtime.shutdown_timeout(END_MAX);
    code
}

async fn run() -> ExitCode {
    let ended = match command_line().await {
        Outcome::Done(code) => return code,
        Outcome::Server(args) => server::run(*args).await,
        Outcome::Demo(args) => return demo::run(args).await,
        Outcome::Author(command, json) => return author::run(command, json).await,
        Outcome::Dev(args) => return Box::pin(dev::run(args)).await,
        Outcome::Migrate(args) => migrate::run(*args).await,
        Outcome::Import(args, keyspace, json) => Box::pin(import::run(*args, keyspace, json)).await,
        Outcome::Consume(args) => {
            return match Box::pin(consume::run(args)).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    print_error(&error);
                    ExitCode::FAILURE
                }
            };
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Colour only where a person looks and did not ask for none (`NO_COLOR`).
fn wants_colour() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Code, what happened, why, and the next step.
pub(crate) fn print_error(error: &impl Coded) {
    let (mut out, mut err, mut input) = (io::stdout(), io::stderr(), io::empty());
    let mut terminal =
        Terminal { out: &mut out, err: &mut err, input: &mut input, interactive: false, colour: wants_colour() };
    tg_cli::print_error(&mut terminal, error.code(), &error.to_string(), codes::ALL);
}

async fn command_line() -> Outcome {
    let (mut out, mut err, mut input) = (io::stdout(), io::stderr(), BufReader::new(io::stdin()));
    let interactive = io::stdin().is_terminal();
    let colour = wants_colour();
    let mut terminal = Terminal { out: &mut out, err: &mut err, input: &mut input, interactive, colour };
    tg_cli::run(std::env::args_os().collect(), &mut terminal, codes::ALL).await
}
