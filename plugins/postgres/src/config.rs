//! The plugin's part of a changefeed's configuration.

use serde::Deserialize;
use tg_sql_common::{ConfigError, Limits, Options};

/// The plugin's name.
pub(crate) const NAME: &str = "postgres";

/// What becomes of dates that do not exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZeroDates {
    /// The row is put aside.
    #[default]
    Refuse,
    /// NULL is written, and such columns take it.
    Null,
}

/// What BIT columns become.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BitType {
    /// `numeric(20)`: the number.
    #[default]
    Numeric,
    /// `bit(n)`: the digits.
    Bit,
}

/// What the sink can be told.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// What every sink for an SQL server can be told.
    #[serde(flatten)]
    pub options: Options,
    /// Dates that do not exist.
    pub zero_dates: ZeroDates,
    /// BIT columns.
    pub bit_type: BitType,
}

impl Config {
    /// JSON Schema of the configuration.
    #[must_use]
    pub fn schema() -> String {
        Options::schema(
            "free every unique value before it is taken",
            r#""zero-dates": {"type": "string", "enum": ["refuse", "null"], "default": "refuse", "description": "rows with dates that do not exist: put aside, or written with NULL"},
    "bit-type": {"type": "string", "enum": ["numeric", "bit"], "default": "numeric", "description": "what BIT columns become"}"#,
        )
    }

    /// Reads the JSON text; empty text gives the defaults.
    ///
    /// # Errors
    /// When it is not as [`Config::schema`] says.
    pub fn parse(json: &str) -> Result<Self, ConfigError> {
        tg_sql_common::parse(NAME, json)
    }

    /// Bounds of statements for a host that takes so many bytes.
    pub(crate) fn limits(&self, max_statement_bytes: u32) -> Limits {
        self.options.limits(max_statement_bytes as usize, usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{BitType, Config, ZeroDates};

    #[test]
    fn defaults_names_and_refusals() {
        assert_eq!(Config::parse("").unwrap(), Config::default());
        assert_eq!(Config::parse("{}").unwrap(), Config::default());
        let c = Config::parse(r#"{"zero-dates":"null","bit-type":"bit","rows-per-statement":7}"#).unwrap();
        assert_eq!((c.zero_dates, c.bit_type, c.options.rows_max()), (ZeroDates::Null, BitType::Bit, 7));
        assert!(Config::parse(r#"{"zero-dates":"zero"}"#).is_err() && Config::parse(r#"{"safemode":true}"#).is_err());
    }

    #[test]
    fn the_schema_names_every_option() {
        let schema: serde_json::Value = serde_json::from_str(&Config::schema()).unwrap();
        let names = schema["properties"].as_object().unwrap().len();
        // The options that all have are named too, as a whole.
        assert_eq!(names + 1, format!("{:?}", Config::default()).matches(": ").count());
    }
}
