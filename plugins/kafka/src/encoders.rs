//! The encoder that a configuration names.

use crate::claims::Claims;
use crate::config::{BigintMode, Config, DecimalMode, EncodingFormat, LargeCompression, LargeOption};
use crate::ids::LISTED_BYTES;
use crate::registry::{HttpRegistry, Trouble};
use tg_format_avro::{Avro, TopicOf};
use tg_format_canal_json::CanalJson;
use tg_format_common::{Compression, EncodeError, Encoder, Large, LargeMode, Locate};
use tg_format_debezium::Debezium;
use tg_format_debezium_avro::DebeziumAvro;
use tg_format_open_protocol::OpenProtocol;
use tg_format_rules::Rules;
use tg_format_simple::{Encoding, Simple};

/// A message format for topics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::enum_variant_names, reason = "the formats are called so")]
pub enum Protocol {
    /// `canal-json`.
    #[default]
    CanalJson,
    /// `open-protocol`, which is also the `default`.
    #[serde(alias = "default")]
    OpenProtocol,
    /// `simple`.
    Simple,
    /// `debezium`.
    Debezium,
    /// `avro`.
    #[serde(alias = "flat-avro")]
    Avro,
    /// `debezium-avro`.
    DebeziumAvro,
}

impl Protocol {
    /// Readers of one partition are told of DDL too.
    pub(crate) fn ddl_in_all_partitions(self) -> bool {
        self != Self::CanalJson
    }

    /// Why messages have no room for the id of their change.
    fn no_room_for_ids(self, config: &Config) -> Option<&'static str> {
        match self {
            Self::CanalJson if !config.enable_tidb_extension => Some("canal-json without `enable-tidb-extension`"),
            Self::Simple if config.encoding_format == EncodingFormat::Avro => Some("simple in avro"),
            Self::Avro => Some("avro"),
            Self::DebeziumAvro => Some("debezium-avro"),
            Self::CanalJson | Self::OpenProtocol | Self::Simple | Self::Debezium => None,
        }
    }
}

/// Makes it. `limit`: bytes of a message.
pub(crate) fn make(
    config: &Config,
    limit: usize,
    trouble: &Trouble,
    claims: Option<&Claims>,
) -> Result<Box<dyn Encoder>, EncodeError> {
    if config.event_id.in_message()
        && let Some(format) = config.protocol.no_room_for_ids(config)
    {
        return Err(EncodeError::Config(format!(
            "messages of {format} have no room for an id: use `event-id = \"header\"`"
        )));
    }
    let compressed = config.large_message_handle_compression != LargeCompression::None;
    if compressed && !matches!(config.protocol, Protocol::CanalJson | Protocol::OpenProtocol | Protocol::Simple) {
        let reason = "`large-message-handle-compression` is of canal-json, open-protocol and simple: use `compression`";
        return Err(EncodeError::Config(reason.to_owned()));
    }
    let large = || {
        let mode = match config.large_message_handle_option {
            LargeOption::None => LargeMode::Refuse,
            LargeOption::HandleKeyOnly => LargeMode::HandleKeyOnly,
            LargeOption::ClaimCheck => LargeMode::ClaimCheck {
                uri: config.claim_check_storage_uri.clone(),
                locate: claims.map_or_else(|| Box::new(String::new) as Locate, Claims::locate),
                raw_value: config.claim_check_raw_value,
            },
        };
        let compress = match config.large_message_handle_compression {
            LargeCompression::None => Compression::None,
            LargeCompression::Snappy => Compression::Snappy,
            LargeCompression::Lz4 => Compression::Lz4,
        };
        Large { mode, compress: compress.forward(), ..Large::refuse_above(limit) }
    };
    Ok(match config.protocol {
        Protocol::CanalJson => Box::new(CanalJson::new(tg_format_canal_json::Options {
            enable_tidb_extension: config.enable_tidb_extension,
            content_compatible: config.content_compatible,
            only_output_updated_columns: config.only_output_updated_columns,
            delete_only_handle_key: config.delete_only_output_handle_key_columns,
            large: large(),
        })?),
        Protocol::OpenProtocol => Box::new(OpenProtocol::new(tg_format_open_protocol::Options {
            batch_rows: config.max_batch_size,
            output_old_value: config.output_old_value,
            only_output_updated_columns: config.only_output_updated_columns,
            delete_only_handle_key: config.delete_only_output_handle_key_columns,
            beside_bytes: if config.event_id.in_header() { LISTED_BYTES } else { 0 },
            large: large(),
        })),
        Protocol::Simple => {
            let encoding = match config.encoding_format {
                EncodingFormat::Json => Encoding::Json,
                EncodingFormat::Avro => Encoding::Avro,
            };
            Box::new(Simple::new(tg_format_simple::Options { encoding, large: large(), ..Default::default() }))
        }
        Protocol::Debezium => Box::new(Debezium::new(tg_format_debezium::Options {
            disable_schema: config.debezium_disable_schema,
            output_old_value: config.output_old_value,
            enable_tidb_extension: config.enable_tidb_extension,
            include_start_ts: config.debezium_include_start_ts,
            event_ids: config.event_id.in_message(),
            ..Default::default()
        })),
        Protocol::Avro => {
            let options = tg_format_avro::Options {
                decimal: decimal(config),
                bigint_unsigned: bigint(config),
                enable_tidb_extension: config.enable_tidb_extension,
                include_before: config.avro_include_before_value,
                enable_watermark: config.avro_enable_watermark,
                ..Default::default()
            };
            Box::new(Avro::new(options, topic_of(config)?, registry(config, trouble)?))
        }
        Protocol::DebeziumAvro => {
            let options = tg_format_debezium_avro::Options {
                decimal: decimal(config),
                bigint_unsigned: bigint(config),
                output_old_value: config.output_old_value,
                ..Default::default()
            };
            Box::new(DebeziumAvro::new(options, topic_of(config)?, registry(config, trouble)?))
        }
    })
}

/// Subjects are named by topics.
fn topic_of(config: &Config) -> Result<TopicOf, EncodeError> {
    let rules = Rules::new(&config.rules()).map_err(|e| EncodeError::Config(e.to_string()))?;
    Ok(Box::new(move |database, table| rules.topic(database, table)))
}

fn registry(config: &Config, trouble: &Trouble) -> Result<HttpRegistry, EncodeError> {
    let missing = || EncodeError::Config("the avro formats need `schema-registry`".to_owned());
    Ok(HttpRegistry::new(config.schema_registry.as_deref().ok_or_else(missing)?, trouble))
}

const fn decimal(config: &Config) -> tg_format_avro::DecimalMode {
    match config.avro_decimal_handling_mode {
        DecimalMode::Precise => tg_format_avro::DecimalMode::Precise,
        DecimalMode::String => tg_format_avro::DecimalMode::String,
    }
}

const fn bigint(config: &Config) -> tg_format_avro::BigintUnsigned {
    match config.avro_bigint_unsigned_handling_mode {
        BigintMode::Long => tg_format_avro::BigintUnsigned::Long,
        BigintMode::String => tg_format_avro::BigintUnsigned::String,
    }
}
