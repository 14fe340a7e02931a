//! What every sink for an SQL server can be told.

use crate::statements::Limits;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// Rows in one statement unless configured; more gains nothing measurable.
const ROWS_PER_STATEMENT: u32 = 1000;
/// Bytes of one statement unless configured; the server's own limit is kept to in any case.
const STATEMENT_BYTES: u32 = 1 << 20;
/// Bytes of rows held before they are written ahead of the barrier.
const BUFFER_BYTES: u64 = 8 << 20;
/// Most that can be configured, so that places in the buffer fit 32 bits.
const BUFFER_BYTES_MAX: u64 = 512 << 20;
/// Rows wanted between two flushes; more gains nothing measurable.
const BATCH_ROWS: u32 = 4096;
/// Bytes wanted between two flushes. Each lane holds them several times over: as rows, as statements, and in the host on their
/// way out.
const BATCH_BYTES: u32 = 1 << 20;

/// A part of the configuration of such a plugin. Names as in the sink URI where it has them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Options {
    /// Name of the SQL endpoint; none: the first one granted.
    pub endpoint: Option<String>,
    /// Write every window in the way that lets rows and unique values be there already.
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
}

impl Default for Options {
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
        }
    }
}

impl Options {
    /// JSON Schema of a plugin's configuration: these options, `safe-mode` described by the plugin, and `own`, the properties that it
    /// has besides.
    #[must_use]
    pub fn schema(safe_mode: &str, own: &str) -> String {
        format!(
            r#"{{
  "type": "object",
  "additionalProperties": false,
  "properties": {{
    "endpoint": {{"type": "string", "description": "SQL endpoint; the first one granted if not given"}},
    "safe-mode": {{"type": "boolean", "default": false, "description": "{safe_mode}"}},
    "batch-dml-enable": {{"type": "boolean", "default": true, "description": "false: one row a statement"}},
    "rows-per-statement": {{"type": "integer", "minimum": 1, "default": 1000}},
    "statement-bytes": {{"type": "integer", "minimum": 1024, "default": 1048576}},
    "batch-rows": {{"type": "integer", "minimum": 1, "default": 4096, "description": "rows wanted between two flushes"}},
    "batch-bytes": {{"type": "integer", "minimum": 1024, "default": 1048576, "description": "bytes wanted between two flushes"}},
    "buffer-bytes": {{"type": "integer", "minimum": 1024, "maximum": 536870912, "default": 8388608, "description": "bytes of rows held at most"}},
    {own}
  }}
}}"#
        )
    }

    /// Rows in one statement.
    #[must_use]
    pub const fn rows_max(&self) -> usize {
        if !self.batch_dml_enable || self.rows_per_statement == 0 { 1 } else { self.rows_per_statement as usize }
    }

    /// Bounds of statements for a server that takes so many bytes, and looks so many keys up at once.
    #[must_use]
    pub fn limits(&self, bytes_max: usize, keys_max: usize) -> Limits {
        let rows = self.rows_max();
        Limits { rows, keys: rows.min(keys_max), bytes: bytes_max.min(self.statement_bytes as usize) }
    }

    /// Bytes of rows held at most.
    pub(crate) fn buffer_bytes_max(&self) -> u64 {
        self.buffer_bytes.min(BUFFER_BYTES_MAX)
    }
}

/// The configuration of a plugin is not as its schema says.
#[derive(Debug)]
pub struct ConfigError {
    plugin: &'static str,
    cause: serde_json::Error,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration of the {} sink is wrong: {}", self.plugin, self.cause)
    }
}

impl std::error::Error for ConfigError {}

/// Reads the JSON text of a plugin's configuration; empty text gives the defaults.
///
/// # Errors
/// When it is not as the plugin's schema says.
pub fn parse<C: DeserializeOwned + Default>(plugin: &'static str, json: &str) -> Result<C, ConfigError> {
    if json.trim().is_empty() {
        return Ok(C::default());
    }
    serde_json::from_str(json).map_err(|cause| ConfigError { plugin, cause })
}

#[cfg(test)]
mod tests {
    use super::{Options, parse};

    #[test]
    fn defaults_and_names() {
        let read = |json| parse::<Options>("some", json).unwrap();
        assert_eq!((read(""), read("{}")), (Options::default(), Options::default()));
        let options = read(r#"{"safe-mode":true,"rows-per-statement":7,"endpoint":"x"}"#);
        assert!(options.safe_mode && options.rows_max() == 7 && options.endpoint.as_deref() == Some("x"));
        assert_eq!(read(r#"{"batch-dml-enable":false}"#).rows_max(), 1);
        let error = parse::<Options>("some", r#"{"batch-rows":"x"}"#).unwrap_err();
        assert!(error.to_string().starts_with("the configuration of the some sink is wrong: "), "{error}");
    }

    #[test]
    fn the_schema_says_the_defaults_of_every_option() {
        let schema: serde_json::Value = serde_json::from_str(&Options::schema("s", r#""own": {}"#)).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        assert!(properties.contains_key("own"));
        let text = format!("{:?}", Options::default());
        assert_eq!(properties.len() - 1, text.matches(": ").count(), "{text}");
        for (name, property) in properties {
            let shown = format!("{}: {}", name.replace('-', "_"), property["default"]);
            assert!(property["default"].is_null() || text.contains(&shown), "{shown} {text}");
        }
    }
}
