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
    /// Other nodes.
    #[error(transparent)]
    Cluster(#[from] crate::cluster::ClusterError),
    /// Metadata that cannot be moved.
    #[error("the metadata of `{cluster}` is not moved: {reason}")]
    Migrate { cluster: String, reason: String },
    /// Changefeeds of TiCDC that cannot go on here.
    #[error("nothing was taken over from TiCDC: {reasons}")]
    NotTakenOver { reasons: String },
    /// No such changefeeds of TiCDC.
    #[error("TiCDC has no such changefeeds below {below}: {missing}")]
    NoTicdc { below: String, missing: String },
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
    Downstream(#[from] tg_mysql::Fault),
    /// An object store.
    #[error("the downstream cannot be used: {0}")]
    Store(#[from] tg_object_store::StoreError),
    /// Kafka.
    #[error("Kafka cannot be used: {0}")]
    Kafka(#[from] tg_kafka::Fault),
    /// Rules that give rows topics, partitions or columns.
    #[error("the rules of the changefeed's file cannot be used: {reason}")]
    Rules { reason: String },
    /// A run.
    #[error(transparent)]
    Pipeline(#[from] tg_pipeline::PipelineError),
    /// A plugin that cannot be used.
    #[error("plugin `{name}`: {source}")]
    BadPlugin { name: String, source: tg_plugin::PluginError },
    /// A plugin that is something else.
    #[error("plugin `{name}` is no {wanted}")]
    WrongKind { name: String, wanted: &'static str },
    /// The record does not say what a role runs.
    #[error("the changefeed's record names no plugin for {role}")]
    NoRole { role: String },
    /// A secret that is not to be had.
    #[error("the secret `{name}` of the changefeed cannot be read: {reason}")]
    Secret { name: String, reason: String },
    /// A grant that this build cannot open.
    #[error("the grant `{grant}` cannot be opened: this build has no endpoints of that kind")]
    NoEndpoint { grant: String },
    /// The registry of plugins.
    #[error(transparent)]
    Registry(#[from] tg_registry::RegistryError),
    /// Rows that were put aside.
    #[error(transparent)]
    Quarantine(#[from] tg_pipeline::QuarantineError),
    /// A swap of plugins.
    #[error("changefeed {changefeed}: {source}")]
    Swap { changefeed: String, source: tg_pipeline::SwapError },
    /// A row cannot be handed over again.
    #[error("changefeed {changefeed}: {source}")]
    Replay { changefeed: String, source: tg_pipeline::ReplayError },
    /// A new version does something else than the one that runs.
    #[error("changefeed {changefeed}: {to} was run beside what runs now, and is not taken: {reason}")]
    Canary { changefeed: String, to: String, reason: String },
    /// A grant that cannot be opened as it is written.
    #[error("the grant `{grant}` cannot be opened: {reason}")]
    BadGrant { grant: String, reason: String },
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
            Self::Cluster(e) => e.code(),
            Self::Sorter(e) => e.code(),
            Self::Plugin(e) => e.code(),
            Self::Config(e) => e.code(),
            Self::Filter(e) => e.code(),
            Self::Pipeline(e) => e.code(),
            Self::Downstream(e) => e.code(),
            Self::Store(e) => e.code(),
            Self::Kafka(e) => e.code(),
            Self::Rules { .. } => Code(4120),
            Self::BadPlugin { source, .. } => source.code(),
            Self::Registry(e) => e.code(),
            Self::Quarantine(e) => e.code(),
            Self::Swap { source, .. } => source.code(),
            Self::Owned { .. } => Code(4102),
            Self::Collected { .. } => Code(4103),
            Self::WrongKind { .. } => Code(4105),
            Self::OtherUpstream { .. } => Code(4107),
            Self::Secret { .. } => Code(4108),
            Self::NoEndpoint { .. } => Code(4109),
            Self::NoRole { .. } => Code(4110),
            Self::Replay { source, .. } => source.code(),
            Self::Canary { .. } => Code(4111),
            Self::BadGrant { .. } => Code(4112),
            Self::Migrate { .. } => Code(4113),
            Self::NotTakenOver { .. } => Code(4114),
            Self::NoTicdc { .. } => Code(4115),
        }
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::Upstream(e) => e.is_retryable(),
            Self::Meta(e) => e.is_retryable(),
            Self::Cluster(e) => e.is_retryable(),
            Self::Sorter(e) => e.is_retryable(),
            Self::Pipeline(e) => e.is_retryable(),
            Self::Downstream(e) => e.is_retryable(),
            Self::Store(e) => e.is_retryable(),
            Self::Kafka(e) => e.is_retryable(),
            Self::Rules { .. }
            | Self::Plugin(_)
            | Self::BadPlugin { .. }
            | Self::WrongKind { .. }
            | Self::Secret { .. }
            | Self::NoEndpoint { .. }
            | Self::NoRole { .. }
            | Self::Canary { .. }
            | Self::BadGrant { .. }
            | Self::Migrate { .. }
            | Self::NotTakenOver { .. }
            | Self::NoTicdc { .. }
            | Self::Config(_)
            | Self::Filter(_) => false,
            Self::Registry(e) => e.is_retryable(),
            Self::Quarantine(e) => e.is_retryable(),
            Self::Swap { source, .. } => source.is_retryable(),
            Self::Replay { source, .. } => source.is_retryable(),
            Self::Owned { .. } => true,
            Self::Collected { .. } | Self::OtherUpstream { .. } => false,
        }
    }
}
