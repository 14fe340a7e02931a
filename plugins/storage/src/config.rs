//! What the configuration says.

use crate::content::Format;
use tg_format_canal_json as canal;
use tg_format_csv as csv;
use tg_format_parquet as parquet;
use tg_format_storage::DateFolder;
use tidegate_sdk::Failure;

/// Digits of file numbers when the configuration names none that are allowed.
const DIGITS_DEFAULT: usize = 20;
/// Fewest digits of file numbers.
const DIGITS_MIN: usize = 6;

/// What the configuration says.
#[derive(Clone, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(clippy::struct_excessive_bools, reason = "independent options, named as users write them")]
pub struct Config {
    /// Endpoint; the first one granted if not given.
    pub endpoint: Option<String>,
    /// `csv`, `canal-json` or `parquet`.
    pub protocol: String,
    /// Bytes from which a file is closed.
    pub file_size: u64,
    /// Folders by date.
    pub date_separator: String,
    /// Digits of file numbers.
    pub file_index_digit: usize,
    /// Column ids in schema files.
    pub output_column_id: bool,
    /// After each row.
    pub terminator: String,
    /// canal-json: the member `_tidb`.
    pub enable_tidb_extension: bool,
    /// canal-json: as the original writes it.
    pub content_compatible: bool,
    /// canal-json: of an old row only what changed.
    pub only_output_updated_columns: bool,
    /// canal-json: of a deleted row the key only.
    pub delete_only_output_handle_key_columns: bool,
    /// parquet: what becomes of dates that no calendar has.
    pub zero_dates: ZeroDates,
    /// csv, and of it what parquet has too.
    pub csv: Csv,
    /// Days after which dated folders are removed; 0: never.
    pub file_expiration_days: u32,
    /// When they are removed.
    pub file_cleanup_cron_spec: String,
    /// Keep manifests: rows are neither lost nor doubled, whatever ends.
    pub exactly_once: bool,
    /// Tells changefeeds of one name apart.
    pub incarnation: String,
}

/// `zero-dates`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZeroDates {
    /// Their rows are put aside.
    #[default]
    Refuse,
    /// They are NULL.
    Null,
}

/// `[sink.csv]`.
#[derive(Clone, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Csv {
    /// Between two fields.
    pub delimiter: String,
    /// Around texts: one character or none.
    pub quote: String,
    /// What stands for NULL.
    pub null: String,
    /// A field for the commit-ts.
    pub include_commit_ts: bool,
    /// `base64` or `hex`.
    pub binary_encoding_method: String,
    /// Updates are a delete and an insert line.
    pub output_old_value: bool,
    /// A first line of names.
    pub output_field_header: bool,
}

impl Default for Csv {
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            quote: "\"".to_owned(),
            null: "\\N".to_owned(),
            include_commit_ts: false,
            binary_encoding_method: "base64".to_owned(),
            output_old_value: false,
            output_field_header: false,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            protocol: String::new(),
            file_size: 64 << 20,
            date_separator: "day".to_owned(),
            file_index_digit: DIGITS_DEFAULT,
            output_column_id: false,
            terminator: "\r\n".to_owned(),
            enable_tidb_extension: false,
            content_compatible: false,
            only_output_updated_columns: false,
            delete_only_output_handle_key_columns: false,
            zero_dates: ZeroDates::default(),
            csv: Csv::default(),
            file_expiration_days: 0,
            file_cleanup_cron_spec: "0 0 2 * * *".to_owned(),
            exactly_once: true,
            incarnation: String::new(),
        }
    }
}

impl Config {
    /// JSON Schema of the configuration.
    pub const SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "required": ["protocol"],
  "properties": {
    "endpoint": {"type": "string", "description": "object store; the first one granted if not given"},
    "protocol": {"type": "string", "enum": ["csv", "canal-json", "parquet"], "description": "what files hold"},
    "file-size": {"type": "integer", "minimum": 1024, "maximum": 536870912, "default": 67108864, "description": "bytes from which a file is closed"},
    "date-separator": {"type": "string", "enum": ["none", "year", "month", "day"], "default": "day", "description": "folders by date (UTC)"},
    "file-index-digit": {"type": "integer", "minimum": 0, "default": 20, "description": "digits of file numbers, 6 to 20"},
    "output-column-id": {"type": "boolean", "default": false, "description": "column ids in schema files"},
    "terminator": {"type": "string", "minLength": 1, "default": "\r\n", "description": "after each row"},
    "enable-tidb-extension": {"type": "boolean", "default": false, "description": "canal-json: the member _tidb with the commit-ts"},
    "content-compatible": {"type": "boolean", "default": false, "description": "canal-json: as the original writes it"},
    "only-output-updated-columns": {"type": "boolean", "default": false, "description": "canal-json: of an old row only what changed"},
    "delete-only-output-handle-key-columns": {"type": "boolean", "default": false, "description": "canal-json: of a deleted row the key only"},
    "zero-dates": {"type": "string", "enum": ["refuse", "null"], "default": "refuse", "description": "parquet: rows with dates that do not exist are put aside, or written with NULL"},
    "csv": {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "delimiter": {"type": "string", "default": ",", "description": "between two fields, 1 to 3 characters"},
        "quote": {"type": "string", "default": "\"", "description": "around texts, one character or none"},
        "null": {"type": "string", "default": "\\N", "description": "stands for NULL"},
        "include-commit-ts": {"type": "boolean", "default": false, "description": "csv and parquet: a field for the commit-ts"},
        "binary-encoding-method": {"type": "string", "enum": ["base64", "hex"], "default": "base64", "description": "how byte strings are written"},
        "output-old-value": {"type": "boolean", "default": false, "description": "csv and parquet: updates are a delete and an insert"},
        "output-field-header": {"type": "boolean", "default": false, "description": "a first line of names"}
      }
    },
    "file-expiration-days": {"type": "integer", "minimum": 0, "maximum": 36500, "default": 0, "description": "days after which folders by day are removed; 0: never"},
    "file-cleanup-cron-spec": {"type": "string", "default": "0 0 2 * * *", "description": "when: second, minute, hour, day, month, day of the week (UTC)"},
    "exactly-once": {"type": "boolean", "default": true, "description": "keep manifests, so that rows are neither lost nor doubled"},
    "incarnation": {"type": "string", "default": "", "description": "tells changefeeds of one name apart"}
  }
}"#;

    /// Reads the JSON text.
    ///
    /// # Errors
    /// When it is not as [`Config::SCHEMA`] says.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let text = if text.is_empty() { "{}" } else { text };
        let mut config: Self = serde_json::from_str(text).map_err(|e| Failure::fatal("config", e.to_string()))?;
        if !(DIGITS_MIN..=DIGITS_DEFAULT).contains(&config.file_index_digit) {
            config.file_index_digit = DIGITS_DEFAULT;
        }
        config.dates()?;
        Ok(config)
    }

    pub(crate) fn dates(&self) -> Result<DateFolder, Failure> {
        let wrong = || Failure::fatal("config", format!("date-separator: `{}` is not known", self.date_separator));
        DateFolder::parse(&self.date_separator).ok_or_else(wrong)
    }

    /// The extension of data files.
    pub(crate) fn extension(&self) -> &'static str {
        match self.protocol.as_str() {
            "csv" => "csv",
            "parquet" => "parquet",
            _ => "json",
        }
    }

    pub(crate) fn format(&self) -> Result<Format, Failure> {
        let wrong = |e: tg_format_common::EncodeError| Failure::fatal("config", e.to_string());
        match self.protocol.as_str() {
            "csv" => csv::Csv::new(self.csv_options()).map(Format::Csv).map_err(wrong),
            "canal-json" => {
                let options = canal::Options {
                    enable_tidb_extension: self.enable_tidb_extension,
                    content_compatible: self.content_compatible,
                    only_output_updated_columns: self.only_output_updated_columns,
                    delete_only_handle_key: self.delete_only_output_handle_key_columns,
                    ..canal::Options::default()
                };
                canal::CanalJson::new(options).map(Format::Canal).map_err(wrong)
            }
            "parquet" => Ok(Format::Parquet(parquet::Parquet::new(self.parquet_options()))),
            "" => Err(Failure::fatal("config", "protocol is missing: csv, canal-json or parquet")),
            other => {
                Err(Failure::fatal("config", format!("a storage takes csv, canal-json or parquet, not `{other}`")))
            }
        }
    }

    const fn parquet_options(&self) -> parquet::Options {
        parquet::Options {
            include_commit_ts: self.csv.include_commit_ts,
            output_old_value: self.csv.output_old_value,
            column_ids: self.output_column_id,
            zero_dates: match self.zero_dates {
                ZeroDates::Refuse => parquet::ZeroDates::Refuse,
                ZeroDates::Null => parquet::ZeroDates::Null,
            },
        }
    }

    /// The options of csv.
    #[must_use]
    pub fn csv_options(&self) -> csv::Options {
        csv::Options {
            delimiter: self.csv.delimiter.clone(),
            quote: self.csv.quote.bytes().next(),
            null: self.csv.null.clone(),
            terminator: self.terminator.clone(),
            include_commit_ts: self.csv.include_commit_ts,
            binary: if self.csv.binary_encoding_method == "hex" { csv::Binary::Hex } else { csv::Binary::Base64 },
            output_old_value: self.csv.output_old_value,
            output_field_header: self.csv.output_field_header,
        }
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
                Some("string") => "csv".into(),
                _ => serde_json::json!({}),
            });
            let text = serde_json::json!({ key: value }).to_string();
            assert!(Config::parse(&text).is_ok(), "{text}");
        }
        assert_eq!(Config::parse("").unwrap(), Config::default());
        assert!(Config::parse(r#"{"batch":1}"#).is_err());
        assert!(Config::parse(r#"{"date-separator":"week"}"#).is_err());
        assert!(Config::parse("{}").unwrap().format().is_err());
        assert!(Config::parse(r#"{"protocol":"avro"}"#).unwrap().format().is_err());
        assert!(Config::parse(r#"{"zero-dates":"zero"}"#).is_err());
        let parquet = Config::parse(r#"{"protocol":"parquet","zero-dates":"null"}"#).unwrap();
        assert_eq!((parquet.extension(), parquet.format().is_ok()), ("parquet", true));
        assert_eq!(Config::parse(r#"{"file-index-digit":3}"#).unwrap().file_index_digit, 20);
    }
}
