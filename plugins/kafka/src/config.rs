//! What the configuration says.

use crate::encoders::Protocol;
use serde::Deserialize;
use tg_format_rules::{DispatchRule, RulesConfig, SelectRule};
use tidegate_sdk::Failure;

/// What becomes of rows whose message is too large.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LargeOption {
    /// They are refused.
    #[default]
    None,
    /// Their key is sent.
    HandleKeyOnly,
    /// They are stored, and their key and the place are sent.
    ClaimCheck,
}

/// How single values are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LargeCompression {
    /// They are not.
    #[default]
    None,
    /// As a block of Snappy.
    Snappy,
    /// As a frame of LZ4.
    Lz4,
}

/// Decimals in avro.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecimalMode {
    /// As bytes with a scale.
    #[default]
    Precise,
    /// As text.
    String,
}

/// BIGINT UNSIGNED in avro.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BigintMode {
    /// As a signed number, which wraps.
    #[default]
    Long,
    /// As text.
    String,
}

/// Where messages carry the id of their change.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventId {
    /// Nowhere.
    #[default]
    None,
    /// In the message, as a member.
    Message,
    /// In a header of the record.
    Header,
    /// In both.
    Both,
}

impl EventId {
    /// Whether messages have a member for it.
    pub(crate) const fn in_message(self) -> bool {
        matches!(self, Self::Message | Self::Both)
    }

    /// Whether records have a header for it.
    pub(crate) const fn in_header(self) -> bool {
        matches!(self, Self::Header | Self::Both)
    }
}

/// Encoding of `simple`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncodingFormat {
    /// Text.
    #[default]
    Json,
    /// Avro without a registry.
    Avro,
}

/// What the configuration says; names are those of TiCDC's options.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(clippy::struct_excessive_bools, missing_docs, reason = "options, described in the schema")]
pub struct Config {
    pub endpoint: Option<String>,
    pub protocol: Protocol,
    pub topic: String,
    pub topic_per_table: bool,
    pub case_sensitive: bool,
    pub dispatchers: Vec<DispatchRule>,
    pub column_selectors: Vec<SelectRule>,
    pub max_message_bytes: u32,
    pub max_batch_size: u32,
    pub enable_tidb_extension: bool,
    pub content_compatible: bool,
    pub only_output_updated_columns: bool,
    pub delete_only_output_handle_key_columns: bool,
    pub output_old_value: bool,
    pub large_message_handle_option: LargeOption,
    pub large_message_handle_compression: LargeCompression,
    pub claim_check_endpoint: Option<String>,
    pub claim_check_storage_uri: String,
    pub claim_check_raw_value: bool,
    pub claim_check_retention_ms: Option<u64>,
    pub event_id: EventId,
    pub encoding_format: EncodingFormat,
    pub debezium_disable_schema: bool,
    pub debezium_include_start_ts: bool,
    pub avro_decimal_handling_mode: DecimalMode,
    pub avro_bigint_unsigned_handling_mode: BigintMode,
    pub avro_include_before_value: bool,
    pub avro_enable_watermark: bool,
    pub schema_registry: Option<String>,
    pub send_bootstrap_interval_in_sec: i64,
    pub send_bootstrap_in_msg_count: i64,
    pub send_bootstrap_to_all_partition: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            protocol: Protocol::default(),
            topic: "tidegate".to_owned(),
            topic_per_table: false,
            case_sensitive: false,
            dispatchers: Vec::new(),
            column_selectors: Vec::new(),
            max_message_bytes: 10 << 20,
            max_batch_size: 16,
            enable_tidb_extension: false,
            content_compatible: false,
            only_output_updated_columns: false,
            delete_only_output_handle_key_columns: false,
            output_old_value: true,
            large_message_handle_option: LargeOption::default(),
            large_message_handle_compression: LargeCompression::default(),
            claim_check_endpoint: None,
            claim_check_storage_uri: String::new(),
            claim_check_raw_value: false,
            claim_check_retention_ms: None,
            event_id: EventId::default(),
            encoding_format: EncodingFormat::default(),
            debezium_disable_schema: false,
            debezium_include_start_ts: false,
            avro_decimal_handling_mode: DecimalMode::default(),
            avro_bigint_unsigned_handling_mode: BigintMode::default(),
            avro_include_before_value: false,
            avro_enable_watermark: false,
            schema_registry: None,
            send_bootstrap_interval_in_sec: 120,
            send_bootstrap_in_msg_count: 10_000,
            send_bootstrap_to_all_partition: true,
        }
    }
}

impl Config {
    /// JSON Schema of the configuration.
    pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "endpoint": {"type": "string", "description": "producer endpoint; downstream, or the first one granted, if not given"},
    "protocol": {"enum": ["canal-json", "open-protocol", "default", "simple", "debezium", "avro", "flat-avro", "debezium-avro"], "default": "canal-json", "description": "message format"},
    "topic": {"type": "string", "default": "tidegate", "description": "topic of everything that no rule gives another"},
    "topic-per-table": {"type": "boolean", "default": false, "description": "topic expressions need {schema} and {table}"},
    "case-sensitive": {"type": "boolean", "default": false, "description": "letters of different case are different in matchers"},
    "dispatchers": {"type": "array", "description": "topics of DDL; the first that matches counts", "items": {
      "type": "object", "additionalProperties": false, "required": ["matcher"], "properties": {
        "matcher": {"type": "array", "items": {"type": "string"}},
        "topic": {"type": "string"},
        "partition": {"type": "string"},
        "index": {"type": "string"},
        "columns": {"type": "array", "items": {"type": "string"}}}}},
    "column-selectors": {"type": "array", "description": "which columns are sent; the first that matches counts", "items": {
      "type": "object", "additionalProperties": false, "required": ["matcher", "columns"], "properties": {
        "matcher": {"type": "array", "items": {"type": "string"}},
        "columns": {"type": "array", "items": {"type": "string"}}}}},
    "max-message-bytes": {"type": "integer", "minimum": 1, "maximum": 4294967295, "default": 10485760, "description": "largest message"},
    "max-batch-size": {"type": "integer", "minimum": 1, "maximum": 65536, "default": 16, "description": "changes in a message of open-protocol"},
    "enable-tidb-extension": {"type": "boolean", "default": false, "description": "commit-ts and watermarks in canal-json, avro and debezium"},
    "content-compatible": {"type": "boolean", "default": false, "description": "canal-json as the original writes it"},
    "only-output-updated-columns": {"type": "boolean", "default": false, "description": "of an old row only what changed"},
    "delete-only-output-handle-key-columns": {"type": "boolean", "default": false, "description": "of a deleted row only its key"},
    "output-old-value": {"type": "boolean", "default": true, "description": "old rows of updates in open-protocol and debezium"},
    "large-message-handle-option": {"enum": ["none", "handle-key-only", "claim-check"], "default": "none", "description": "above max-message-bytes rows are refused, or their key is sent, or they are stored and key and place are sent"},
    "large-message-handle-compression": {"enum": ["none", "snappy", "lz4"], "default": "none", "description": "of every value of canal-json, open-protocol and simple by itself"},
    "claim-check-endpoint": {"type": "string", "description": "object store of large messages"},
    "claim-check-storage-uri": {"type": "string", "default": "", "description": "where consumers find them"},
    "claim-check-raw-value": {"type": "boolean", "default": false, "description": "files hold the bare value"},
    "claim-check-retention-ms": {"type": "integer", "minimum": 60000, "description": "milliseconds after which files are removed; never, if not given"},
    "event-id": {"enum": ["none", "message", "header", "both"], "default": "none", "description": "where messages carry the stable id of their change"},
    "encoding-format": {"enum": ["json", "avro"], "default": "json", "description": "of simple"},
    "debezium-disable-schema": {"type": "boolean", "default": false, "description": "leave the schema member out"},
    "debezium-include-start-ts": {"type": "boolean", "default": false, "description": "the source block carries the start-ts"},
    "avro-decimal-handling-mode": {"enum": ["precise", "string"], "default": "precise", "description": "decimals in avro"},
    "avro-bigint-unsigned-handling-mode": {"enum": ["long", "string"], "default": "long", "description": "BIGINT UNSIGNED in avro"},
    "avro-include-before-value": {"type": "boolean", "default": false, "description": "the row before in avro"},
    "avro-enable-watermark": {"type": "boolean", "default": false, "description": "messages for DDL and watermarks in avro, for tests"},
    "schema-registry": {"type": "string", "description": "HTTP endpoint of a schema registry with Confluent's API"},
    "send-bootstrap-interval-in-sec": {"type": "integer", "default": 120, "description": "seconds between two descriptions of a table in simple; 0 or less: none"},
    "send-bootstrap-in-msg-count": {"type": "integer", "default": 10000, "description": "rows between two descriptions; 0 or less: none"},
    "send-bootstrap-to-all-partition": {"type": "boolean", "default": true, "description": "descriptions go to all partitions"}
  }
}"#;

    /// Reads the JSON text; empty text gives the defaults.
    ///
    /// # Errors
    /// When it is not as [`Config::SCHEMA`] says.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|e| Failure::fatal("config", format!("the configuration of kafka: {e}")))
    }

    /// The producer endpoint of those that are granted.
    pub(crate) fn endpoint(&self, granted: &[String]) -> Result<String, Failure> {
        const OF_THE_URI: &str = "downstream";
        let of_the_uri = granted.iter().find(|e| *e == OF_THE_URI);
        let found = self.endpoint.as_ref().or(of_the_uri).or(granted.first());
        found.cloned().ok_or_else(|| Failure::fatal("no-endpoint", "no producer endpoint is granted"))
    }

    /// The part that the rules are made of.
    #[must_use]
    pub fn rules(&self) -> RulesConfig {
        RulesConfig {
            topic: self.topic.clone(),
            topic_per_table: self.topic_per_table,
            case_sensitive: self.case_sensitive,
            dispatchers: self.dispatchers.clone(),
            column_selectors: self.column_selectors.clone(),
            output_raw_change_event: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Config;
    use crate::encoders::Protocol;
    use serde_json::{Value, json};

    #[test]
    fn the_schema_names_every_option() {
        let schema: Value = serde_json::from_str(Config::SCHEMA).unwrap();
        for (name, option) in schema["properties"].as_object().unwrap() {
            let Some(default) = option.get("default") else { continue };
            let read = Config::parse(&json!({ name: default }).to_string()).unwrap();
            assert_eq!(read, Config::default(), "{name}");
        }
        assert!(Config::parse(r#"{"protocl": "simple"}"#).is_err());
    }

    #[test]
    fn protocols_have_their_other_names() {
        for (name, protocol) in [("default", Protocol::OpenProtocol), ("flat-avro", Protocol::Avro)] {
            assert_eq!(Config::parse(&json!({ "protocol": name }).to_string()).unwrap().protocol, protocol);
        }
    }
}
