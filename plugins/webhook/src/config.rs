//! What the configuration says.

use std::collections::BTreeMap;
use tidegate_sdk::Failure;

/// What the configuration says.
#[derive(Clone, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Endpoint; the first one granted if not given.
    pub endpoint: Option<String>,
    /// Path below the endpoint's own.
    pub path: String,
    /// Headers of every request.
    pub headers: BTreeMap<String, String>,
    /// Events in one request at most.
    pub batch_rows: u32,
    /// Bytes after which a request goes out.
    pub batch_bytes: u32,
    /// For one request; none: the endpoint's own.
    pub timeout_ms: Option<u32>,
    /// Tell how far everything is delivered, about once a second.
    pub checkpoints: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            path: "/".to_owned(),
            headers: BTreeMap::new(),
            batch_rows: 500,
            batch_bytes: 1 << 20,
            timeout_ms: None,
            checkpoints: false,
        }
    }
}

impl Config {
    /// JSON Schema of the configuration.
    pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "endpoint": {"type": "string", "description": "HTTP endpoint; the first one granted if not given"},
    "path": {"type": "string", "pattern": "^/", "default": "/", "description": "path below the endpoint's own"},
    "headers": {"type": "object", "additionalProperties": {"type": "string"}, "description": "headers of every request; secrets belong to the endpoint"},
    "batch-rows": {"type": "integer", "minimum": 1, "maximum": 100000, "default": 500, "description": "events in one request at most"},
    "batch-bytes": {"type": "integer", "minimum": 1024, "maximum": 8388608, "default": 1048576, "description": "bytes after which a request goes out"},
    "timeout-ms": {"type": "integer", "minimum": 1, "description": "for one request; the endpoint's own is the most"},
    "checkpoints": {"type": "boolean", "default": false, "description": "tell how far everything is delivered"}
  }
}"#;

    /// Reads the JSON text; empty text gives the defaults.
    ///
    /// # Errors
    /// When it is not as [`Config::SCHEMA`] says.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let text = if text.is_empty() { "{}" } else { text };
        let mut config: Self = serde_json::from_str(text).map_err(|e| Failure::fatal("config", e.to_string()))?;
        config.batch_rows = config.batch_rows.max(1);
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn the_schema_names_the_keys_that_are_read() {
        let schema: serde_json::Value = serde_json::from_str(Config::SCHEMA).unwrap();
        for (key, of) in schema["properties"].as_object().unwrap() {
            let value = of.get("default").cloned().unwrap_or_else(|| match of["type"].as_str() {
                Some("string") => "/x".into(),
                Some("object") => serde_json::json!({}),
                _ => 5.into(),
            });
            let text = serde_json::json!({ key: value }).to_string();
            assert!(Config::parse(&text).is_ok(), "{text}");
        }
        assert_eq!(Config::parse("").unwrap(), Config::default());
        assert!(Config::parse(r#"{"batch":1}"#).is_err());
    }
}
