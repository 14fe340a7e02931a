//! The plugin's part of a changefeed's configuration.

use serde::Deserialize;
use tg_sql_common::{ConfigError, Limits, Options};

/// The plugin's name.
pub(crate) const NAME: &str = "mysql";
/// From 1000 elements on MariaDB turns an `IN` list into a join with a derived table, which is slower to plan.
const KEYS_PER_DELETE_MAX: usize = 999;
/// Room left in a statement for what the protocol adds.
const PACKET_SLACK_BYTES: usize = 1024;

/// What the sink can be told.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// What every sink for an SQL server can be told.
    #[serde(flatten)]
    pub options: Options,
    /// Seconds for which rows about sync points are kept; none: sync points are not marked.
    pub sync_point_retention_s: Option<u64>,
}

impl Config {
    /// JSON Schema of the configuration.
    #[must_use]
    pub fn schema() -> String {
        Options::schema(
            "write every row in a way that may be repeated",
            r#""sync-point-retention-s": {"type": "integer", "minimum": 1, "description": "seconds for which rows about sync points are kept; absent: sync points are not marked"}"#,
        )
    }

    /// Reads the JSON text; empty text gives the defaults.
    ///
    /// # Errors
    /// When it is not as [`Config::schema`] says.
    pub fn parse(json: &str) -> Result<Self, ConfigError> {
        tg_sql_common::parse(NAME, json)
    }

    /// Bounds of statements for a server that takes so many bytes.
    pub(crate) fn limits(&self, max_statement_bytes: u32) -> Limits {
        let packet = (max_statement_bytes as usize).saturating_sub(PACKET_SLACK_BYTES);
        self.options.limits(packet, KEYS_PER_DELETE_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn defaults_names_and_refusals() {
        assert_eq!(Config::parse("").unwrap(), Config::default());
        assert_eq!(Config::parse("{}").unwrap(), Config::default());
        let c = Config::parse(r#"{"safe-mode":true,"rows-per-statement":7,"sync-point-retention-s":9}"#).unwrap();
        assert!(c.options.safe_mode && c.options.rows_max() == 7 && c.sync_point_retention_s == Some(9));
        assert!(Config::parse(r#"{"safemode":true}"#).is_err());
    }

    #[test]
    fn the_schema_names_every_option() {
        let schema: serde_json::Value = serde_json::from_str(&Config::schema()).unwrap();
        let names: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let text = format!("{:?}", Config::default());
        // The options that all have are named too, as a whole.
        assert_eq!(names.len() + 1, text.matches(": ").count(), "{names:?} {text}");
    }
}
