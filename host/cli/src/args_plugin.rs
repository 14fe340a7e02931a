//! Arguments of the commands on plugins and on rows that were put aside.

use crate::args::Id;
use crate::args_author::Author;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Commands on plugins.
#[derive(Subcommand, Debug)]
pub enum Plugin {
    /// Those that need no server.
    #[command(flatten)]
    Author(Author),
    /// Bring a component to the cluster
    #[command(disable_version_flag = true)]
    Push(PushArgs),
    /// List plugins
    List,
    /// Show a plugin
    Inspect {
        /// `name`, `name@version` or a digest
        #[arg(value_name = "NAME[@VERSION]")]
        plugin: String,
    },
    /// Have a name mean another version; changefeeds that follow the name swap to it
    Activate {
        /// `name@version`
        #[arg(value_name = "NAME@VERSION")]
        plugin: String,
        /// Let it run beside the old version on this share of the batches first, like 10%
        #[arg(long, value_name = "SHARE")]
        canary: Option<String>,
        /// Return at once, not when the new version has proved itself
        #[arg(long)]
        no_wait: bool,
    },
    /// Go back to the version that was active before
    Rollback {
        /// Name of the plugin
        name: String,
        /// Return at once, not when the earlier version has proved itself
        #[arg(long)]
        no_wait: bool,
    },
    /// Remove a version, or all versions of a name
    Remove {
        /// `name` or `name@version`
        #[arg(value_name = "NAME[@VERSION]")]
        plugin: String,
        /// Do not ask
        #[arg(long)]
        no_confirm: bool,
    },
    /// Show what a plugin logged last
    Logs {
        /// Name of the plugin
        name: String,
        /// Go on showing lines as they come
        #[arg(short, long)]
        follow: bool,
        /// Lines to begin with
        #[arg(short = 'n', long, default_value_t = 100, value_name = "N")]
        lines: usize,
    },
    /// Make a key to sign components with
    Keygen {
        /// File for the private key; must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Sign a component
    Sign {
        /// The component
        #[arg(value_name = "COMPONENT")]
        file: PathBuf,
        /// File of the private key
        #[arg(long, value_name = "FILE")]
        key_file: PathBuf,
        /// File for the signature [default: COMPONENT.sig]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Flags of `plugin push`.
#[derive(Args, Debug, Clone)]
pub struct PushArgs {
    /// The component
    #[arg(value_name = "COMPONENT")]
    pub file: PathBuf,
    /// Its name [default: what it says of itself]
    #[arg(long)]
    pub name: Option<String>,
    /// Its version [default: what it says of itself]
    #[arg(long = "version", id = "plugin_version", value_name = "VERSION")]
    pub version: Option<String>,
    /// File of its signature [default: COMPONENT.sig, if there is one]
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
    /// Have the name mean it; changefeeds that follow the name swap to it
    #[arg(long)]
    pub activate: bool,
    /// Let it run beside the old version on this share of the batches first, like 10%
    #[arg(long, value_name = "SHARE", requires = "activate")]
    pub canary: Option<String>,
    /// Return at once, not when the new version has proved itself
    #[arg(long)]
    pub no_wait: bool,
}

/// Commands on rows that were put aside.
#[derive(Subcommand, Debug)]
pub enum Quarantine {
    /// List them
    List {
        /// Of this changefeed
        #[command(flatten)]
        id: Id,
        /// Only those with a greater number
        #[arg(long, default_value_t = 0, value_name = "ROW")]
        after: u64,
        /// At most so many
        #[arg(short = 'n', long, default_value_t = 100, value_name = "N")]
        limit: usize,
    },
    /// Show one with its values
    Show {
        /// Of this changefeed
        #[command(flatten)]
        id: Id,
        /// Number of the row
        row: u64,
    },
    /// Hand rows to the sink again; what was written to their keys since is written over
    Replay {
        /// Of this changefeed
        #[command(flatten)]
        id: Id,
        /// These rows
        #[command(flatten)]
        rows: Rows,
    },
    /// Delete rows
    Drop {
        /// Of this changefeed
        #[command(flatten)]
        id: Id,
        /// These rows
        #[command(flatten)]
        rows: Rows,
    },
}

/// Chooses rows.
#[derive(Args, Debug, Clone)]
pub struct Rows {
    /// Numbers of the rows
    #[arg(value_name = "ROW", required_unless_present = "all", conflicts_with = "all")]
    pub rows: Vec<u64>,
    /// All rows
    #[arg(long)]
    pub all: bool,
    /// Do not ask
    #[arg(long)]
    pub no_confirm: bool,
}
