//! The configuration of a changefeed: TiCDC's keys and our own.

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

mod filter;
mod grants;
mod json;
mod kafka;
mod scheduling;
mod secrets;
mod sink;
mod storage;
mod tidegate;
mod top;
mod validate;
mod validate_grants;

pub use filter::{EventFilter, FilterConfig};
pub use grants::{GrantsConfig, HttpGrant, ObjectStoreGrant, ProducerGrant, SecretGrant, SqlGrant};
pub use kafka::{CodecConfig, GlueConfig, KafkaConfig, LargeMessageConfig, LargeMessageOption};
pub use scheduling::{
    ConsistentConfig, IntegrityConfig, MemoryUsage, MounterConfig, SchedulerConfig, SyncedStatusConfig,
};
pub use sink::{ColumnSelector, CsvConfig, DebeziumConfig, DispatchRule, MysqlConfig, OpenConfig, SinkConfig};
pub use storage::{PulsarConfig, PulsarOauth2, StorageConfig};
pub use tidegate::{PluginConfig, QuarantineConfig, ResolvedGate, TidegateConfig};
pub use top::{ChangefeedConfig, PerformanceMode};
