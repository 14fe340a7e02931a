//! Arguments of `tidegate consume`.

use clap::Args;
use std::path::PathBuf;

/// Flags of `tidegate consume`.
#[derive(Args, Debug, Clone)]
pub struct ConsumeArgs {
    /// Where the changes are: the sink URI of the changefeed that wrote them (s3://bucket/prefix?protocol=csv, gcs://…, azblob://…, file:///…, kafka://broker/topic?protocol=simple)
    #[arg(value_name = "URI")]
    pub source: String,
    /// The changefeed's configuration file, for the options the files were written with
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where they go: a MySQL URI (mysql://user:password@host:3306/) [default: standard output, as lines of JSON]
    #[arg(long, value_name = "URI")]
    pub to: Option<String>,
    /// Go on with what comes
    #[arg(long)]
    pub follow: bool,
    /// Milliseconds between two looks, with --follow
    #[arg(long, default_value_t = 1000, value_name = "MS", value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    pub every: u64,
}

/// Flags of `tidegate tap`.
#[derive(Args, Debug, Clone)]
pub struct TapArgs {
    /// The changefeed
    #[arg(value_name = "CHANGEFEED")]
    pub changefeed_id: String,
    /// Rows of these tables only: a rule like shop.* (may be given again) [default: all]
    #[arg(short, long = "table", value_name = "RULE")]
    pub tables: Vec<String>,
    /// Rows that fulfil this only, like "id > 5 and state = 'new'"
    #[arg(short, long = "where", value_name = "CONDITION")]
    pub condition: Option<String>,
    /// End after so many lines
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<u64>,
}
