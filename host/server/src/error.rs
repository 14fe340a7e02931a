//! What can go wrong on a node besides a changefeed's run.

use tg_model::{Code, Coded};

/// An error of the node.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named in the messages")]
pub enum ServerError {
    /// The upstream.
    #[error(transparent)]
    Upstream(#[from] tg_upstream::UpstreamError),
    /// The metadata.
    #[error(transparent)]
    Meta(#[from] tg_metastore::MetaError),
    /// The sorter.
    #[error(transparent)]
    Sorter(#[from] tg_sorter::SorterError),
    /// A plugin.
    #[error(transparent)]
    Plugin(#[from] tg_plugin::PluginError),
    /// A configuration.
    #[error(transparent)]
    Config(#[from] tg_config::ConfigError),
    /// A filter.
    #[error(transparent)]
    Filter(#[from] tg_filter::FilterError),
    /// The downstream.
    #[error("the downstream cannot be used: {0}")]
    Downstream(#[from] tg_downstream::Fault),
    /// A run.
    #[error(transparent)]
    Pipeline(#[from] tg_pipeline::PipelineError),
    /// A plugin that is not installed.
    #[error("there is no plugin `{name}` in this build and no {name}.wasm in {folder}; there are: {known}")]
    NoPlugin { name: String, known: String, folder: String },
    /// A plugin that cannot be used.
    #[error("plugin `{name}`: {source}")]
    BadPlugin { name: String, source: tg_plugin::PluginError },
    /// A plugin's file that cannot be read.
    #[error("the plugin file {path} cannot be read: {reason}")]
    PluginFile { path: String, reason: String },
    /// A plugin that is something else.
    #[error("plugin `{name}` is no {wanted}")]
    WrongKind { name: String, wanted: &'static str },
    /// A plugin with other bytes than agreed.
    #[error("plugin `{name}` has the digest sha256:{found}, not sha256:{wanted} as the changefeed says")]
    WrongDigest { name: String, wanted: String, found: String },
    /// Another process owns the metadata.
    #[error("another node owns this cluster's changefeeds: {owner}")]
    Owned { owner: String },
    /// The metadata belongs to another upstream.
    #[error("changefeed {changefeed} reads the upstream cluster {expected}, but PD says that this is cluster {found}")]
    OtherUpstream { changefeed: String, expected: u64, found: u64 },
    /// The start lies behind what is kept.
    #[error("start-ts {start} is older than the upstream keeps data for: the safe point is {safe_point}")]
    Collected { start: tg_model::Ts, safe_point: tg_model::Ts },
}

impl Coded for ServerError {
    fn code(&self) -> Code {
        match self {
            Self::Upstream(e) => e.code(),
            Self::Meta(e) => e.code(),
            Self::Sorter(e) => e.code(),
            Self::Plugin(e) => e.code(),
            Self::Config(e) => e.code(),
            Self::Filter(e) => e.code(),
            Self::Pipeline(e) => e.code(),
            Self::Downstream(e) => e.code(),
            Self::BadPlugin { source, .. } => source.code(),
            Self::NoPlugin { .. } => Code(4101),
            Self::Owned { .. } => Code(4102),
            Self::Collected { .. } => Code(4103),
            Self::PluginFile { .. } => Code(4104),
            Self::WrongKind { .. } => Code(4105),
            Self::WrongDigest { .. } => Code(4106),
            Self::OtherUpstream { .. } => Code(4107),
        }
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::Upstream(e) => e.is_retryable(),
            Self::Meta(e) => e.is_retryable(),
            Self::Sorter(e) => e.is_retryable(),
            Self::Pipeline(e) => e.is_retryable(),
            Self::Downstream(e) => e.is_retryable(),
            Self::Plugin(_)
            | Self::BadPlugin { .. }
            | Self::PluginFile { .. }
            | Self::WrongKind { .. }
            | Self::WrongDigest { .. }
            | Self::Config(_)
            | Self::Filter(_)
            | Self::NoPlugin { .. } => false,
            Self::Owned { .. } => true,
            Self::Collected { .. } | Self::OtherUpstream { .. } => false,
        }
    }
}
