//! The plugin's part of a changefeed's configuration.

use serde::Deserialize;

/// Rows in one statement unless configured; more gains nothing measurable.
const ROWS_PER_STATEMENT: u32 = 1000;
/// From 1000 elements on MariaDB turns an `IN` list into a join with a derived table, which is slower to plan.
const KEYS_PER_DELETE_MAX: u32 = 999;
/// Bytes of one statement unless configured; the server's own limit is kept to in any case.
const STATEMENT_BYTES: u32 = 1 << 20;
/// Bytes of rows held before they are written ahead of the barrier.
const BUFFER_BYTES: u64 = 8 << 20;
/// Most that can be configured, so that places in the buffer fit 32 bits.
const BUFFER_BYTES_MAX: u64 = 512 << 20;
/// Rows wanted between two flushes; more gains nothing measurable.
const BATCH_ROWS: u32 = 4096;
/// Bytes wanted between two flushes. Each lane holds them several times over: as text, as statements, and in the host on their
/// way out.
const BATCH_BYTES: u32 = 1 << 20;

/// What the sink can be told. Names as in the sink URI where it has them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Name of the SQL endpoint; none: the first one granted.
    pub endpoint: Option<String>,
    /// Write every row in a way that may be repeated.
    pub safe_mode: bool,
    /// `false`: one row a statement.
    pub batch_dml_enable: bool,
    /// Rows (or keys) in one statement, at least 1.
    pub rows_per_statement: u32,
    /// Bytes of one statement.
    pub statement_bytes: u32,
    /// Rows wanted between two flushes.
    pub batch_rows: u32,
    /// Bytes wanted between two flushes.
    pub batch_bytes: u32,
    /// Bytes of rows held at most.
    pub buffer_bytes: u64,
    /// Seconds for which rows about sync points are kept; none: sync points are not marked.
    pub sync_point_retention_s: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            safe_mode: false,
            batch_dml_enable: true,
            rows_per_statement: ROWS_PER_STATEMENT,
            statement_bytes: STATEMENT_BYTES,
            batch_rows: BATCH_ROWS,
            batch_bytes: BATCH_BYTES,
            buffer_bytes: BUFFER_BYTES,
            sync_point_retention_s: None,
        }
    }
}

/// The configuration is not as [`Config::SCHEMA`] says.
#[derive(Debug)]
pub struct ConfigError(serde_json::Error);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the configuration of the mysql sink is wrong: {}", self.0)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// JSON Schema of the configuration.
    pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "endpoint": {"type": "string", "description": "SQL endpoint; the first one granted if not given"},
    "safe-mode": {"type": "boolean", "default": false, "description": "write every row in a way that may be repeated"},
    "batch-dml-enable": {"type": "boolean", "default": true, "description": "false: one row a statement"},
    "rows-per-statement": {"type": "integer", "minimum": 1, "default": 1000},
    "statement-bytes": {"type": "integer", "minimum": 1024, "default": 1048576},
    "batch-rows": {"type": "integer", "minimum": 1, "default": 4096, "description": "rows wanted between two flushes"},
    "batch-bytes": {"type": "integer", "minimum": 1024, "default": 1048576, "description": "bytes wanted between two flushes"},
    "buffer-bytes": {"type": "integer", "minimum": 1024, "maximum": 536870912, "default": 8388608, "description": "bytes of rows held at most"},
    "sync-point-retention-s": {"type": "integer", "minimum": 1, "description": "seconds for which rows about sync points are kept; absent: sync points are not marked"}
  }
}"#;

    /// Reads the JSON text; empty text gives the defaults.
    ///
    /// # Errors
    /// When it is not as [`Config::SCHEMA`] says.
    pub fn parse(json: &str) -> Result<Self, ConfigError> {
        if json.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(json).map_err(ConfigError)
    }

    /// Rows in one INSERT.
    pub(crate) const fn rows_max(&self) -> usize {
        if !self.batch_dml_enable || self.rows_per_statement == 0 { 1 } else { self.rows_per_statement as usize }
    }

    /// Bytes of rows held at most.
    pub(crate) fn buffer_bytes_max(&self) -> u64 {
        self.buffer_bytes.min(BUFFER_BYTES_MAX)
    }

    /// Keys in one DELETE.
    pub(crate) fn keys_max(&self) -> usize {
        self.rows_max().min(KEYS_PER_DELETE_MAX as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn defaults_names_and_refusals() {
        assert_eq!(Config::parse("").unwrap(), Config::default());
        assert_eq!(Config::parse("{}").unwrap(), Config::default());
        let c = Config::parse(r#"{"safe-mode":true,"rows-per-statement":7,"endpoint":"x"}"#).unwrap();
        assert!(c.safe_mode && c.rows_max() == 7 && c.endpoint.as_deref() == Some("x"));
        assert_eq!(Config::parse(r#"{"batch-dml-enable":false}"#).unwrap().rows_max(), 1);
        assert!(Config::parse(r#"{"safemode":true}"#).is_err());
    }

    #[test]
    fn the_schema_names_every_option() {
        let schema: serde_json::Value = serde_json::from_str(Config::SCHEMA).unwrap();
        let names: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let text = format!("{:?}", Config::default());
        assert_eq!(names.len(), text.matches(": ").count(), "{names:?} {text}");
    }
}
