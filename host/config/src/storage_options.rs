//! What a storage gets in the end: URI over file over default.

use crate::changefeed::SinkConfig;
use crate::{ChangefeedConfig, ConfigError, Interval, Location, Scheme, Secret, SinkUri};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Limits of what the file may say; the URI's parameters have the same.
const FLUSH_MS: std::ops::RangeInclusive<u64> = 100..=600_000;
const FILE_BYTES: std::ops::RangeInclusive<u64> = 1024..=512 << 20;
/// Without a setting.
const FLUSH_MS_DEFAULT: u64 = 5_000;
const FILE_BYTES_DEFAULT: u64 = 64 << 20;

/// Where a storage is.
#[derive(Clone, PartialEq, Debug)]
pub struct StoragePlace {
    /// `file`, `s3`, `gcs`, `azblob` or `noop`.
    pub scheme: Scheme,
    /// Bucket or container; empty for folders.
    pub bucket: String,
    /// Path: of a folder the whole of it, otherwise below the bucket.
    pub path: String,
    /// `endpoint`.
    pub endpoint: Option<String>,
    /// `region`.
    pub region: Option<String>,
    /// `access-key`.
    pub access_key: Option<Secret>,
    /// `secret-access-key`.
    pub secret_access_key: Option<Secret>,
    /// `session-token`.
    pub session_token: Option<Secret>,
    /// `force-path-style`; the bucket is part of the path, not of the host.
    pub path_style: bool,
    /// `storage-class`.
    pub storage_class: Option<String>,
    /// `sse`: `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub sse: Option<String>,
    /// `sse-kms-key-id`.
    pub sse_kms_key_id: Option<Secret>,
    /// `credentials-file`.
    pub credentials_file: Option<PathBuf>,
    /// `predefined-acl`.
    pub predefined_acl: Option<String>,
    /// `account-name`.
    pub account_name: Option<String>,
    /// `account-key`.
    pub account_key: Option<Secret>,
    /// `sas-token`.
    pub sas_token: Option<Secret>,
    /// `access-tier`.
    pub access_tier: Option<String>,
}

impl StoragePlace {
    /// What a storage URI says.
    #[must_use]
    pub fn new(uri: &SinkUri) -> Self {
        let text = |name: &str| uri.text(name).filter(|t| !t.is_empty()).map(str::to_owned);
        let secret = |name: &str| uri.secret(name).filter(|s| !s.expose().is_empty()).cloned();
        Self {
            scheme: uri.scheme.clone(),
            bucket: uri.hosts.first().map(|(host, _)| host.clone()).unwrap_or_default(),
            path: uri.path.clone(),
            endpoint: text("endpoint"),
            region: text("region"),
            access_key: secret("access-key"),
            secret_access_key: secret("secret-access-key"),
            session_token: secret("session-token"),
            path_style: uri.flag("force-path-style").unwrap_or(true),
            storage_class: text("storage-class"),
            // As Amazon spells it; words of URIs are read in lower case.
            sse: text("sse").map(|sse| if sse == "aes256" { "AES256".to_owned() } else { sse }),
            sse_kms_key_id: secret("sse-kms-key-id"),
            credentials_file: text("credentials-file").map(PathBuf::from),
            predefined_acl: text("predefined-acl"),
            account_name: text("account-name"),
            account_key: secret("account-key"),
            sas_token: secret("sas-token"),
            access_tier: text("access-tier"),
        }
    }
}

/// Settings of a storage downstream.
#[derive(Clone, PartialEq, Debug)]
pub struct StorageOptions {
    /// Where it is.
    pub place: StoragePlace,
    /// `csv`, `canal-json` or `parquet`.
    pub protocol: String,
    /// Longest time rows wait for their file.
    pub flush_interval: Interval,
    /// Bytes from which a file is closed.
    pub file_size: u64,
    /// What the plugin in the box is told.
    pub plugin: Map<String, Value>,
}

impl StorageOptions {
    /// Merges a storage URI and a configuration.
    ///
    /// # Errors
    /// When the protocol is missing or not one that files can have, an option is set that it has no use for, or a value in
    /// `[sink.cloud-storage-config]` is malformed or outside its limits.
    pub fn new(uri: &SinkUri, config: &ChangefeedConfig) -> Result<Self, ConfigError> {
        let sink = &config.sink;
        let file = sink.cloud_storage_config.clone().unwrap_or_default();
        let protocol = uri.text("protocol").map(str::to_owned).or_else(|| sink.protocol.clone());
        let protocol = match protocol.as_deref() {
            Some("csv" | "canal-json" | "parquet") => protocol.unwrap_or_default(),
            Some(other) => {
                let reason = format!("a storage takes csv, canal-json or parquet, not `{other}`");
                return Err(bad("sink.protocol", &reason));
            }
            None => return Err(bad("sink.protocol", "is missing: a storage needs csv, canal-json or parquet")),
        };
        check_parquet(&protocol, uri, config)?;
        let from_file = file.flush_interval.as_ref().map(|text| text.parse::<Interval>()).transpose();
        let from_file = from_file.map_err(|reason| bad("sink.cloud-storage-config.flush-interval", &reason))?;
        let flush_interval =
            uri.interval("flush-interval").or(from_file).unwrap_or(Interval::from_millis(FLUSH_MS_DEFAULT));
        let flush_ms = u64::try_from(flush_interval.get().as_millis()).unwrap_or(u64::MAX);
        if !FLUSH_MS.contains(&flush_ms) {
            let reason = format!("{flush_interval} is not within 100ms to 10m");
            return Err(bad("sink.cloud-storage-config.flush-interval", &reason));
        }
        let size = uri.number("file-size").and_then(|n| u64::try_from(n).ok()).or(file.file_size);
        let file_size = size.unwrap_or(FILE_BYTES_DEFAULT);
        if !FILE_BYTES.contains(&file_size) {
            let reason = format!("{file_size} is not within {} to {}", FILE_BYTES.start(), FILE_BYTES.end());
            return Err(bad("sink.cloud-storage-config.file-size", &reason));
        }
        let mut plugin = plugin_options(uri, config);
        plugin.insert("protocol".to_owned(), json!(protocol));
        plugin.insert("file-size".to_owned(), json!(file_size));
        if let Some(zero_dates) = uri.text("zero-dates") {
            plugin.insert("zero-dates".to_owned(), json!(zero_dates));
        }
        Ok(Self { place: StoragePlace::new(uri), protocol, flush_interval, file_size, plugin })
    }
}

/// Options of text that were set for parquet, which has no use for them, and the other way round.
fn check_parquet(protocol: &str, uri: &SinkUri, config: &ChangefeedConfig) -> Result<(), ConfigError> {
    let conflict = |key: &str, reason: String| {
        Err(ConfigError::Conflict { at: Location::whole("changefeed config"), key: key.to_owned(), reason })
    };
    if protocol != "parquet" {
        if uri.text("zero-dates").is_some() {
            return conflict("zero-dates", format!("is of parquet: {protocol} writes such dates as they are"));
        }
        return Ok(());
    }
    let (sink, default) = (&config.sink, SinkConfig::default());
    let (csv, of_csv) = (&sink.csv, &default.csv);
    let set = [
        ("sink.terminator", sink.terminator != default.terminator),
        ("sink.csv.delimiter", csv.delimiter != of_csv.delimiter),
        ("sink.csv.quote", csv.quote != of_csv.quote),
        ("sink.csv.null", csv.null != of_csv.null),
        ("sink.csv.binary-encoding-method", csv.binary_encoding_method != of_csv.binary_encoding_method),
        ("sink.csv.output-field-header", csv.output_field_header),
        ("enable-tidb-extension", uri.flag("enable-tidb-extension") == Some(true)),
        ("sink.content-compatible", sink.content_compatible),
        ("sink.only-output-updated-columns", sink.only_output_updated_columns),
        ("sink.delete-only-output-handle-key-columns", sink.delete_only_output_handle_key_columns),
    ];
    match set.iter().find(|(_, set)| *set) {
        Some((key, _)) => {
            conflict(key, "does not go together with parquet, which has typed columns and no text".to_owned())
        }
        None => Ok(()),
    }
}

/// What needs no check beyond the file's own.
fn plugin_options(uri: &SinkUri, config: &ChangefeedConfig) -> Map<String, Value> {
    let sink = &config.sink;
    let file = sink.cloud_storage_config.clone().unwrap_or_default();
    let extension = uri.flag("enable-tidb-extension").unwrap_or(false);
    let mut told = json!({
        "date-separator": sink.date_separator,
        "output-column-id": file.output_column_id.unwrap_or(false),
        "terminator": sink.terminator,
        "enable-tidb-extension": extension,
        "content-compatible": sink.content_compatible,
        "only-output-updated-columns": sink.only_output_updated_columns,
        "delete-only-output-handle-key-columns": sink.delete_only_output_handle_key_columns,
        "csv": {
            "delimiter": sink.csv.delimiter,
            "quote": sink.csv.quote,
            "null": sink.csv.null,
            "include-commit-ts": sink.csv.include_commit_ts,
            "binary-encoding-method": sink.csv.binary_encoding_method,
            "output-old-value": sink.csv.output_old_value,
            "output-field-header": sink.csv.output_field_header,
        },
        "file-expiration-days": file.file_expiration_days.unwrap_or(0),
        "exactly-once": config.tidegate.exactly_once,
    });
    if let Some(digits) = sink.file_index_digit {
        told["file-index-digit"] = json!(digits);
    }
    if let Some(when) = file.file_cleanup_cron_spec {
        told["file-cleanup-cron-spec"] = json!(when);
    }
    told.as_object().cloned().unwrap_or_default()
}

fn bad(key: &str, reason: &str) -> ConfigError {
    ConfigError::BadValue { at: Location::whole("changefeed config"), key: key.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{StorageOptions, StoragePlace};
    use crate::{ChangefeedConfig, Interval, SinkUri};
    use serde_json::json;

    fn merged(uri: &str, toml: &str) -> Result<StorageOptions, String> {
        let (config, _) = ChangefeedConfig::from_toml("t", toml).map_err(|e| e.to_string())?;
        let uri = SinkUri::parse(uri).map_err(|e| e.to_string())?;
        StorageOptions::new(&uri, &config).map_err(|e| e.to_string())
    }

    #[test]
    fn the_uri_wins_over_the_file() {
        let file = "[sink]\nprotocol = 'canal-json'\ndate-separator = 'none'\n[sink.csv]\ninclude-commit-ts = true\n\
                    [sink.cloud-storage-config]\nflush-interval = '2s'\nfile-size = 4096\nfile-expiration-days = 3\n";
        let o = merged("s3://b/p?protocol=csv&flush-interval=300ms", file).unwrap();
        assert_eq!((o.protocol.as_str(), o.file_size), ("csv", 4096));
        assert_eq!(o.flush_interval, Interval::from_millis(300));
        assert_eq!(o.plugin["date-separator"], "none");
        assert_eq!(o.plugin["csv"]["include-commit-ts"], json!(true));
        assert_eq!(o.plugin["file-expiration-days"], 3);
        let o = merged("file:///x", file).unwrap();
        assert_eq!((o.protocol.as_str(), o.flush_interval), ("canal-json", Interval::from_secs(2)));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(
            merged("file:///x", "").unwrap_err().contains("protocol` is missing")
                || merged("file:///x", "").unwrap_err().contains("is missing")
        );
        assert!(merged("file:///x?protocol=avro", "").unwrap_err().contains("not `avro`"));
        let interval = "[sink]\nprotocol = 'csv'\n[sink.cloud-storage-config]\nflush-interval = '1h'\n";
        assert!(merged("file:///x", interval).unwrap_err().contains("flush-interval"));
        let size = "[sink]\nprotocol = 'csv'\n[sink.cloud-storage-config]\nfile-size = 1\n";
        assert!(merged("file:///x", size).unwrap_err().contains("file-size"));
    }

    #[test]
    fn parquet_takes_what_it_has_a_use_for() {
        let file = "[sink]\nprotocol = 'parquet'\n[sink.csv]\ninclude-commit-ts = true\noutput-old-value = true\n";
        let o = merged("file:///x?zero-dates=null", file).unwrap();
        assert_eq!((o.protocol.as_str(), &o.plugin["zero-dates"]), ("parquet", &json!("null")));
        assert_eq!(o.plugin["csv"]["output-old-value"], json!(true));
        for (key, line) in [
            ("sink.terminator", "terminator = ';'"),
            ("sink.content-compatible", "content-compatible = true"),
            ("sink.only-output-updated-columns", "only-output-updated-columns = true"),
            ("sink.csv.delimiter", "csv.delimiter = ';'"),
            ("sink.csv.quote", "csv.quote = ''"),
            ("sink.csv.null", "csv.null = ''"),
            ("sink.csv.binary-encoding-method", "csv.binary-encoding-method = 'hex'"),
            ("sink.csv.output-field-header", "csv.output-field-header = true"),
        ] {
            let said = merged("file:///x?protocol=parquet", &format!("[sink]\n{line}\n")).unwrap_err();
            assert!(said.contains(&format!("`{key}`")) && said.contains("parquet"), "{said}");
            assert!(merged("file:///x?protocol=csv", &format!("[sink]\n{line}\n")).is_ok(), "{line}");
        }
        assert!(merged("file:///x?protocol=parquet&enable-tidb-extension=true", "").is_err());
        assert!(merged("file:///x?protocol=csv&zero-dates=null", "").unwrap_err().contains("zero-dates"));
        assert!(merged("file:///x?protocol=parkuet", "").unwrap_err().contains("did you mean `parquet`"));
    }

    #[test]
    fn a_place_keeps_its_secrets() {
        let uri = "s3://b/p?access-key=hunter1&secret-access-key=hunter2&endpoint=http://h:1&force_path_style=false";
        let place = StoragePlace::new(&SinkUri::parse(uri).unwrap());
        assert_eq!((place.bucket.as_str(), place.path.as_str(), place.path_style), ("b", "/p", false));
        assert_eq!(place.secret_access_key.as_ref().map(|s| s.expose()), Some("hunter2"));
        assert!(!format!("{place:?}").contains("hunter"));
        let uri = "azblob://c/p?account-name=a&account-key=hunter1&access-tier=Cool";
        let place = StoragePlace::new(&SinkUri::parse(uri).unwrap());
        assert_eq!((place.bucket.as_str(), place.account_name.as_deref()), ("c", Some("a")));
        assert_eq!(place.account_key.as_ref().map(|s| s.expose()), Some("hunter1"));
        assert_eq!(place.access_tier.as_deref(), Some("Cool"));
        assert!(!format!("{place:?}").contains("hunter"));
        let uri = "azure://c?account_name=a&sas-token=sv%3D1%26sig%3Dhunter2%253D";
        let place = StoragePlace::new(&SinkUri::parse(uri).unwrap());
        assert_eq!(place.sas_token.as_ref().map(|s| s.expose()), Some("sv=1&sig=hunter2%3D"));
        let uri = "gs://b/p?credentials-file=/k.json&storage-class=NEARLINE&predefined-acl=publicRead";
        let place = StoragePlace::new(&SinkUri::parse(uri).unwrap());
        assert_eq!(place.credentials_file.as_deref(), Some(std::path::Path::new("/k.json")));
        assert_eq!(
            (place.storage_class.as_deref(), place.predefined_acl.as_deref()),
            (Some("NEARLINE"), Some("publicRead"))
        );
        let uri = "s3://b/p?sse=AES256&storage-class=STANDARD_IA";
        let place = StoragePlace::new(&SinkUri::parse(uri).unwrap());
        assert_eq!((place.sse.as_deref(), place.storage_class.as_deref()), (Some("AES256"), Some("STANDARD_IA")));
    }
}
