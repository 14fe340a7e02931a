//! Arguments. The names of `cdc cli` where it has them.

use crate::args_author::DevArgs;
use crate::args_consume::{ConsumeArgs, TapArgs};
use crate::args_plugin::{Plugin, Quarantine};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use tg_config::server::ServerOverrides;

/// Tidegate replicates changes of TiDB clusters to other systems.
#[derive(Parser, Debug)]
#[command(name = "tidegate", version, about, propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
}

/// Form of the output.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Flags of every command.
#[derive(Args, Debug, Clone)]
pub struct Global {
    /// Address of a server
    #[arg(long, global = true, env = "TIDEGATE_SERVER", default_value = "http://127.0.0.1:8300", value_name = "URL")]
    pub server: String,
    /// Form of the output
    #[arg(short, long, global = true, value_enum, default_value = "table")]
    pub output: Format,
    /// The same as `-o json`
    #[arg(long, global = true)]
    pub json: bool,
    /// CA certificate that servers are checked with; of `server`: PD, TiKV and clients too
    #[arg(long, global = true, env = "TICDC_CA_PATH", value_name = "FILE")]
    pub ca: Option<String>,
    /// Certificate to show
    #[arg(long, global = true, env = "TICDC_CERT_PATH", value_name = "FILE")]
    pub cert: Option<String>,
    /// Key of the certificate
    #[arg(long, global = true, env = "TICDC_KEY_PATH", value_name = "FILE")]
    pub key: Option<String>,
    /// Namespace of changefeeds
    #[arg(long, short = 'k', global = true, visible_alias = "keyspace", default_value = "default")]
    pub namespace: String,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run a server
    Server(Box<ServerArgs>),
    /// Run everything in one process on an embedded upstream
    Demo(DemoArgs),
    /// Try a plugin on an upstream in this process; saves are taken up
    Dev(DevArgs),
    /// Move what a server knows between its data directory and etcd
    #[command(subcommand)]
    Meta(Meta),
    /// Read changes from a folder or bucket, print them or apply them to a database
    Consume(ConsumeArgs),
    /// Manage changefeeds
    #[command(subcommand, visible_alias = "cf")]
    Changefeed(Changefeed),
    /// Manage plugins
    #[command(subcommand)]
    Plugin(Plugin),
    /// Look at rows that were put aside
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Show the rows of a changefeed as they pass, as lines of JSON
    Tap(TapArgs),
    /// Manage the nodes of a cluster
    #[command(subcommand)]
    Capture(Capture),
    /// See and change on which node tables are
    #[command(subcommand)]
    Span(Span),
    /// Show what the scheduler does, and why; see and change its limits
    Schedule {
        /// Instead
        #[command(subcommand)]
        command: Option<Schedule>,
    },
    /// Timestamps of the upstream
    #[command(subcommand)]
    Tso(TsoCommand),
    /// Show the server that answers
    Status,
    /// Explain an error code, or list all codes
    Explain {
        /// The code, like TG-1203
        code: Option<String>,
    },
    /// Print the version
    Version,
}

/// Flags of `tidegate server`.
#[derive(Args, Debug, Clone)]
pub struct ServerArgs {
    /// Configuration file
    #[arg(long, env = "TIDEGATE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8300]
    #[arg(long, env = "TIDEGATE_ADDR")]
    pub addr: Option<String>,
    /// Where others reach this server [default: --addr]
    #[arg(long, env = "TIDEGATE_ADVERTISE_ADDR")]
    pub advertise_addr: Option<String>,
    /// Endpoints of PD, separated by commas [default: http://127.0.0.1:2379]
    #[arg(long, env = "TIDEGATE_PD")]
    pub pd: Option<String>,
    /// Cluster to belong to [default: default]
    #[arg(long, env = "TIDEGATE_CLUSTER_ID")]
    pub cluster_id: Option<String>,
    /// Where the nodes of a cluster keep their metadata, like etcd://host:2379,host:2379 [default: the data directory]
    #[arg(long, env = "TIDEGATE_METASTORE", value_name = "URL")]
    pub metastore: Option<String>,
    /// Folder for sorted data and metadata
    #[arg(long, env = "TIDEGATE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// trace, debug, info, warn or error [default: info]
    #[arg(long, env = "TIDEGATE_LOG_LEVEL")]
    pub log_level: Option<String>,
    /// File for the log [default: standard error]
    #[arg(long, env = "TIDEGATE_LOG_FILE", value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Time zone of TIMESTAMP values [default: System]
    #[arg(long, env = "TIDEGATE_TZ")]
    pub tz: Option<String>,
    /// Bound of the process' memory, like 4GiB [default: 75 % of the machine's]
    #[arg(long, env = "TIDEGATE_MEMORY_LIMIT", value_name = "SIZE")]
    pub memory_limit: Option<String>,
    /// Seconds PD keeps data for a changefeed that does not move [default: 86400]
    #[arg(long, env = "TIDEGATE_GC_TTL", value_name = "SECONDS")]
    pub gc_ttl: Option<u64>,
    /// Common names that clients' certificates may have, separated by commas
    #[arg(long, value_name = "NAMES")]
    pub cert_allowed_cn: Option<String>,
    /// Accepted without effect
    #[arg(long, short = 'x', hide = true)]
    pub newarch: bool,
    /// Certificates, of the flags of every command.
    #[arg(skip)]
    pub tls: TlsFiles,
}

/// Files of certificates.
#[derive(Debug, Clone, Default)]
pub struct TlsFiles {
    /// CA certificate.
    pub ca: Option<String>,
    /// Certificate.
    pub cert: Option<String>,
    /// Its key.
    pub key: Option<String>,
}

impl Global {
    /// The certificates.
    #[must_use]
    pub fn tls(&self) -> TlsFiles {
        TlsFiles { ca: self.ca.clone(), cert: self.cert.clone(), key: self.key.clone() }
    }
}

impl ServerArgs {
    /// What flags and environment said.
    #[must_use]
    pub fn overrides(&self) -> ServerOverrides {
        ServerOverrides {
            addr: self.addr.clone(),
            advertise_addr: self.advertise_addr.clone(),
            pd: self.pd.clone(),
            cluster_id: self.cluster_id.clone(),
            metastore: self.metastore.clone(),
            data_dir: self.data_dir.clone(),
            log_level: self.log_level.clone(),
            log_file: self.log_file.clone(),
            tz: self.tz.clone(),
            memory_limit: self.memory_limit.clone(),
            gc_ttl_secs: self.gc_ttl,
            ca: self.tls.ca.clone(),
            cert: self.tls.cert.clone(),
            key: self.tls.key.clone(),
            cert_allowed_cn: self.cert_allowed_cn.clone(),
        }
    }
}

/// Commands on metadata.
#[derive(Subcommand, Debug)]
pub enum Meta {
    /// Copy changefeeds and names of plugins from the data directory into the store that --metastore names; no server may run
    Migrate(Box<MigrateArgs>),
    /// Take over TiCDC's changefeeds, paused, at its checkpoints; no server may run on the data directory
    ImportTicdc(Box<ImportArgs>),
}

/// Flags of `tidegate meta import-ticdc`: those of the server say where the changefeeds go to.
#[derive(Args, Debug, Clone)]
pub struct ImportArgs {
    /// The server's.
    #[command(flatten)]
    pub server: ServerArgs,
    /// The etcd that holds TiCDC's keys, which is PD's: http://host:2379, several separated by commas
    #[arg(value_name = "ETCD_URL")]
    pub etcd: String,
    /// TiCDC's cluster id
    #[arg(long, value_name = "ID", default_value = "default")]
    pub ticdc_cluster_id: String,
    /// Only this changefeed; may be given more than once
    #[arg(long, short = 'c', value_name = "NAME")]
    pub changefeed_id: Vec<String>,
    /// Say what would be taken over, and take nothing over
    #[arg(long)]
    pub dry_run: bool,
}

/// Flags of `tidegate meta migrate`: those of the server, so that the same file and environment say where things are.
#[derive(Args, Debug, Clone)]
pub struct MigrateArgs {
    /// The server's.
    #[command(flatten)]
    pub server: ServerArgs,
    /// The other way: from the store that --metastore names into the data directory
    #[arg(long)]
    pub back: bool,
}

/// Flags of `tidegate demo`.
#[derive(Args, Debug, Clone)]
pub struct DemoArgs {
    /// Seconds to write before the tables are compared
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Write this many rows before the tables are compared, however long it takes
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    pub rows: Option<u64>,
    /// Go on until interrupted, with a comparison after each round
    #[arg(long)]
    pub forever: bool,
    /// Rows written per second; 0: as fast as it goes
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    pub rows_per_sec: u32,
    /// Tables of the largest workload
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub tables: u16,
    /// Makes workloads and faults repeatable
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Leave regions, leaders and connections alone
    #[arg(long)]
    pub no_faults: bool,
    /// Where the changes go; without it a MariaDB is started in a temporary folder
    #[arg(long, value_name = "URI")]
    pub sink_uri: Option<String>,
    /// Configuration of the changefeed
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the API and the console listen [default: 127.0.0.1:8300, or any port when that is taken]
    #[arg(long)]
    pub addr: Option<String>,
}

/// Commands on changefeeds.
#[derive(Subcommand, Debug)]
pub enum Changefeed {
    /// Create a changefeed
    Create(CreateArgs),
    /// List changefeeds
    List {
        /// Finished and removed ones too
        #[arg(short, long)]
        all: bool,
    },
    /// Show a changefeed
    Query {
        #[command(flatten)]
        id: Id,
        /// State and checkpoint only
        #[arg(short, long)]
        simple: bool,
    },
    /// Say what a changefeed waits for
    Why {
        #[command(flatten)]
        id: Id,
    },
    /// Stop a changefeed and keep its place
    Pause {
        #[command(flatten)]
        id: Id,
    },
    /// Start a changefeed again
    Resume {
        #[command(flatten)]
        id: Id,
        /// Start from this timestamp, or from `now`, and leave out what lies before
        #[arg(long, value_name = "TSO|now")]
        overwrite_checkpoint_ts: Option<String>,
        /// Do not ask
        #[arg(long)]
        no_confirm: bool,
    },
    /// Change a changefeed
    Update(UpdateArgs),
    /// Remove a changefeed
    Remove {
        #[command(flatten)]
        id: Id,
        /// Do not ask
        #[arg(long)]
        no_confirm: bool,
    },
}

/// Names a changefeed.
#[derive(Args, Debug, Clone)]
pub struct Id {
    /// Name of the changefeed
    #[arg(short = 'c', long, value_name = "NAME")]
    pub changefeed_id: String,
}

/// Flags of create.
#[derive(Args, Debug, Clone)]
pub struct CreateArgs {
    /// Name [default: made up by the server]
    #[arg(short = 'c', long, value_name = "NAME")]
    pub changefeed_id: Option<String>,
    /// Where the changes go
    #[arg(long, value_name = "URI")]
    pub sink_uri: String,
    /// Where to begin [default: now]
    #[arg(long, value_name = "TSO")]
    pub start_ts: Option<u64>,
    /// Where to end [default: never]
    #[arg(long, value_name = "TSO")]
    pub target_ts: Option<u64>,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// URL of the schema registry
    #[arg(long, value_name = "URL")]
    pub schema_registry: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub no_confirm: bool,
    /// Accepted without effect: the check always happens
    #[arg(long, hide = true)]
    pub disable_gc_check: bool,
    /// List the tables too
    #[arg(short, long)]
    pub verbose: bool,
}

/// Flags of update.
#[derive(Args, Debug, Clone)]
pub struct UpdateArgs {
    /// Names the changefeed.
    #[command(flatten)]
    pub id: Id,
    /// Where the changes go
    #[arg(long, value_name = "URI")]
    pub sink_uri: Option<String>,
    /// Where to end
    #[arg(long, value_name = "TSO")]
    pub target_ts: Option<u64>,
    /// Configuration file; replaces the whole configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Do not ask
    #[arg(long)]
    pub no_confirm: bool,
}

/// Commands on nodes.
#[derive(Subcommand, Debug)]
pub enum Capture {
    /// List nodes
    List,
    /// Move everything off a node
    Drain {
        /// Id of the node
        #[arg(long, value_name = "ID")]
        capture_id: String,
    },
    /// Have a node keep what it runs over a short absence, and get nothing new
    Maintenance {
        /// Its address, or its id
        #[arg(value_name = "NODE")]
        node: String,
        /// Seconds it may be away until its work goes to other nodes
        #[arg(long = "for", value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
        seconds: u64,
        /// It takes work again
        #[arg(long, conflicts_with = "seconds")]
        off: bool,
    },
}

/// Commands on the schedule.
#[derive(Subcommand, Debug)]
pub enum Schedule {
    /// Show how fast changefeeds may be moved, and change it while the cluster runs
    Limits {
        /// Set a limit; VALUE is a number or `default`
        #[arg(long, value_name = "NAME=VALUE", value_parser = crate::schedule::setting)]
        set: Vec<(String, Option<u64>)>,
    },
}

/// Commands on the places of tables.
#[derive(Subcommand, Debug)]
pub enum Span {
    /// List slots and tables with their nodes
    List {
        /// Of this changefeed
        #[command(flatten)]
        id: Id,
    },
    /// Move a slot with all its tables to a node
    Move {
        /// Of this changefeed
        #[command(flatten)]
        id: Id,
        /// Number of the slot
        #[arg(long, value_name = "N")]
        slot: u16,
        /// Id of the node; it stays there while that node is there
        #[arg(long, value_name = "ID", required_unless_present = "anywhere", conflicts_with = "anywhere")]
        to: Option<String>,
        /// Wherever it fits
        #[arg(long)]
        anywhere: bool,
    },
}

/// Commands on timestamps.
#[derive(Subcommand, Debug)]
pub enum TsoCommand {
    /// Print a fresh timestamp
    Query,
}
