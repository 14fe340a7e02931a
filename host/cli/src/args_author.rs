//! Arguments of the commands for those who write plugins. They need no server.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// A language that plugins are written in.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "names of languages")]
pub enum Lang {
    Rust,
    Go,
    Python,
    Js,
    Ts,
    C,
}

impl Lang {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Go => "go",
            Self::Python => "python",
            Self::Js => "js",
            Self::Ts => "ts",
            Self::C => "c",
        }
    }
}

/// What a plugin does.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum PluginKind {
    /// Writes rows
    Sink,
    /// Says where rows go
    Dispatcher,
    /// Makes rows of rows
    Transform,
}

impl PluginKind {
    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::Dispatcher => "dispatcher",
            Self::Transform => "transform",
        }
    }
}

/// Commands that make and try a plugin.
#[derive(Subcommand, Debug, Clone)]
pub enum Author {
    /// Begin a plugin: a folder with first code, a first example and the SDK
    New(NewArgs),
    /// Build the plugin in a folder
    Build {
        /// The plugin's folder
        #[arg(default_value = ".", value_name = "DIR")]
        dir: PathBuf,
    },
    /// Check a plugin against the contract, without a cluster
    Test(TestArgs),
    /// Measure a plugin beside one that does nothing
    Bench(BenchArgs),
    /// Look a component over: world, imports, manifest, configuration, size
    Check {
        /// The component, or the folder of a plugin that is built first
        #[arg(default_value = ".", value_name = "COMPONENT|DIR")]
        plugin: PathBuf,
    },
}

/// Flags of new.
#[derive(Args, Debug, Clone)]
pub struct NewArgs {
    /// Name: lower-case letters, digits and `-`
    pub name: String,
    /// Language
    #[arg(long, value_enum, default_value = "rust")]
    pub lang: Lang,
    /// What it does
    #[arg(long, value_enum, default_value = "sink")]
    pub kind: PluginKind,
    /// Where the folder goes
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
}

/// Flags of test.
#[derive(Args, Debug, Clone)]
pub struct TestArgs {
    /// The component, or the folder of a plugin that is built first
    #[arg(default_value = ".", value_name = "COMPONENT|DIR")]
    pub plugin: PathBuf,
    /// Only this check or example; may be given several times
    #[arg(long = "check", value_name = "NAME")]
    pub checks: Vec<String>,
    /// Seed of everything that is generated
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Schedules of each check that has several
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rounds: u32,
    /// Settings: configuration, grants, checks to leave out [default: tests/kit.toml of the folder]
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Configuration of the plugin as JSON, in place of the settings' own
    #[arg(long, value_name = "JSON")]
    pub config: Option<String>,
    /// Folder of examples [default: tests of the folder]
    #[arg(long, value_name = "DIR")]
    pub examples: Option<PathBuf>,
    /// Replay these recorded rows in place of generated ones
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    pub corpus: Option<PathBuf>,
    /// Write the generated rows of the seed to a file, and run nothing
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// List the checks, and run nothing
    #[arg(long)]
    pub list: bool,
}

/// Flags of bench.
#[derive(Args, Debug, Clone)]
pub struct BenchArgs {
    /// The component, or the folder of a plugin that is built first
    #[arg(default_value = ".", value_name = "COMPONENT|DIR")]
    pub plugin: PathBuf,
    /// Configuration of the plugin as JSON
    #[arg(long, value_name = "JSON")]
    pub config: Option<String>,
    /// Rows of a sample
    #[arg(long, default_value_t = 200_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub rows: u64,
}

/// Flags of `tidegate dev`.
#[derive(Args, Debug, Clone)]
pub struct DevArgs {
    /// The component, or the folder of a plugin
    #[arg(default_value = ".", value_name = "COMPONENT|DIR")]
    pub plugin: PathBuf,
    /// Configuration of the plugin as JSON
    #[arg(long, value_name = "JSON")]
    pub config: Option<String>,
    /// Rows written per second upstream
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rows_per_sec: u32,
    /// Where the API and the console listen [default: any port]
    #[arg(long)]
    pub addr: Option<String>,
    /// End after so many seconds [default: when interrupted]
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Makes workloads repeatable
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}
