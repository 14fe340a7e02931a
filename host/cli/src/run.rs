//! From arguments to commands.

use crate::{
    CliError, Terminal,
    args::{
        Capture, Changefeed, Cli, Command, DemoArgs, Format, ImportArgs, Meta, MigrateArgs, ServerArgs, TsoCommand,
    },
    args_author::{Author, DevArgs},
    args_consume::ConsumeArgs,
    args_plugin::Plugin,
    changefeed,
    client::Client,
    cluster, explain, plugin, print_error, quarantine, schedule, span, tap, update,
};
use clap::Parser;
use serde_json::json;
use std::{ffi::OsString, process::ExitCode};
use tg_model::{Code, CodePage, Coded};

/// Arguments that make no sense.
const USAGE: Code = Code(8008);

/// What is left to do for the binary.
#[derive(Debug)]
pub enum Outcome {
    /// Nothing; end with this status.
    Done(ExitCode),
    /// Run a server.
    Server(Box<ServerArgs>),
    /// Run the demo.
    Demo(DemoArgs),
    /// Make or try a plugin; the output is JSON if the flag says so.
    Author(Author, bool),
    /// Run a plugin on an upstream in the process.
    Dev(DevArgs),
    /// Read changes from files.
    Consume(ConsumeArgs),
    /// Move metadata.
    Migrate(Box<MigrateArgs>),
    /// Take changefeeds of this keyspace over from TiCDC; the output is JSON if the flag says so.
    Import(Box<ImportArgs>, String, bool),
}

/// Reads the arguments (the program's name first) and does what they say, except for running servers.
/// `pages` are the help pages of every crate.
pub async fn run(args: Vec<OsString>, terminal: &mut Terminal<'_>, pages: &[&[CodePage]]) -> Outcome {
    let cli = match Cli::try_parse_from(without_cli(args)) {
        Ok(cli) => cli,
        Err(error) => {
            return Outcome::Done(not_understood(&error, terminal));
        }
    };
    let cli = match cli {
        Cli { command: Command::Server(mut args), global } => {
            args.tls = global.tls();
            return Outcome::Server(args);
        }
        Cli { command: Command::Demo(args), .. } => return Outcome::Demo(args),
        Cli { command: Command::Dev(args), .. } => return Outcome::Dev(args),
        Cli { command: Command::Consume(args), .. } => return Outcome::Consume(args),
        Cli { command: Command::Meta(Meta::Migrate(args)), .. } => return Outcome::Migrate(args),
        Cli { command: Command::Meta(Meta::ImportTicdc(mut args)), global } => {
            args.server.tls = global.tls();
            let json = global.json || global.output == Format::Json;
            return Outcome::Import(args, global.namespace, json);
        }
        Cli { command: Command::Plugin(Plugin::Author(command)), global } => {
            return Outcome::Author(command, global.json || global.output == Format::Json);
        }
        cli => cli,
    };
    match dispatch(cli, terminal, pages).await {
        Ok(()) => Outcome::Done(ExitCode::SUCCESS),
        Err(error) => {
            print_error(terminal, error.code(), &error.to_string(), pages);
            Outcome::Done(ExitCode::FAILURE)
        }
    }
}

/// Shows help and version, which are answers, on standard output, and mistakes with their code on standard error.
fn not_understood(error: &clap::Error, terminal: &mut Terminal<'_>) -> ExitCode {
    let text = if terminal.colour { error.render().ansi().to_string() } else { error.render().to_string() };
    // Nobody is left to be told when the output is gone.
    let _ = if error.use_stderr() {
        terminal.err.write_all(text.replacen("error:", &format!("error[{USAGE}]:"), 1).as_bytes())
    } else {
        terminal.out.write_all(text.as_bytes())
    };
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// `tidegate cli changefeed …` is the same as `tidegate changefeed …`, for fingers that know `cdc cli`.
fn without_cli(mut args: Vec<OsString>) -> Vec<OsString> {
    if args.get(1).is_some_and(|a| a == "cli") {
        args.remove(1);
    }
    args
}

async fn dispatch(cli: Cli, terminal: &mut Terminal<'_>, pages: &[&[CodePage]]) -> Result<(), CliError> {
    let as_json = cli.global.json || cli.global.output == Format::Json;
    match cli.command {
        Command::Explain { code } => {
            return explain::explain(terminal, as_json, code.as_deref(), pages);
        }
        Command::Version if as_json => {
            return terminal.json(&json!({ "version": env!("CARGO_PKG_VERSION") }));
        }
        Command::Version => {
            return terminal.say(&format!("tidegate {}", env!("CARGO_PKG_VERSION")));
        }
        _ => {}
    }
    let client = Client::new(&cli.global)?;
    match cli.command {
        Command::Changefeed(command) => on_changefeed(command, &client, terminal, as_json, pages).await,
        Command::Plugin(command) => plugin::run(command, &client, terminal, as_json).await,
        Command::Quarantine(command) => quarantine::run(command, &client, terminal, as_json).await,
        Command::Capture(Capture::List) => cluster::captures(&client, terminal, as_json).await,
        Command::Capture(Capture::Drain { capture_id }) => cluster::drain(&client, terminal, &capture_id).await,
        Command::Capture(Capture::Maintenance { node, seconds, off }) => {
            cluster::maintenance(&client, terminal, as_json, &node, (!off).then_some(seconds)).await
        }
        Command::Span(command) => span::run(command, &client, terminal, as_json).await,
        Command::Schedule { command } => schedule::run(command, &client, terminal, as_json).await,
        Command::Tso(TsoCommand::Query) => {
            let ts = cluster::tso(&client).await?;
            terminal.say(&ts.to_string())
        }
        Command::Tap(args) => tap::run(&args, &client, terminal).await,
        Command::Status => cluster::status(&client, terminal, as_json).await,
        Command::Server(_)
        | Command::Demo(_)
        | Command::Dev(_)
        | Command::Consume(_)
        | Command::Meta(_)
        | Command::Explain { .. }
        | Command::Version => Ok(()),
    }
}

async fn on_changefeed(
    command: Changefeed,
    client: &Client,
    terminal: &mut Terminal<'_>,
    as_json: bool,
    pages: &[&[CodePage]],
) -> Result<(), CliError> {
    match command {
        Changefeed::Create(args) => update::create(client, terminal, as_json, args).await,
        Changefeed::Update(args) => update::update(client, terminal, as_json, args).await,
        Changefeed::List { all } => changefeed::list(client, terminal, as_json, all).await,
        Changefeed::Query { id, simple } => {
            changefeed::query(client, terminal, as_json, &id.changefeed_id, simple, pages).await
        }
        Changefeed::Why { id } => changefeed::why(client, terminal, as_json, &id.changefeed_id, pages).await,
        Changefeed::Pause { id } => changefeed::pause(client, terminal, &id.changefeed_id).await,
        Changefeed::Resume { id, overwrite_checkpoint_ts, no_confirm } => {
            let from = overwrite_checkpoint_ts.as_deref();
            changefeed::resume(client, terminal, &id.changefeed_id, from, no_confirm).await
        }
        Changefeed::Remove { id, no_confirm } => {
            changefeed::remove(client, terminal, &id.changefeed_id, no_confirm).await
        }
    }
}
