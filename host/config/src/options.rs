//! What a sink gets in the end: URI over file over default.

use crate::{ChangefeedConfig, ConfigError, Interval, Location, Secret, SinkUri};

/// Port of a MySQL-class sink URI without one.
const PORT_DEFAULT: u16 = 4000;

/// Settings of a MySQL or TiDB downstream.
#[derive(Clone, PartialEq, Debug)]
pub struct MysqlOptions {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User.
    pub user: String,
    /// Password; empty: none.
    pub password: Secret,
    /// Connect with TLS: the scheme says so, or a certificate is given.
    pub tls: bool,
    /// Path of the CA certificate.
    pub ssl_ca: Option<String>,
    /// Path of the client's certificate.
    pub ssl_cert: Option<String>,
    /// Path of its key.
    pub ssl_key: Option<String>,
    /// Connections that write; `None`: the user leaves it to us.
    pub worker_count: Option<u32>,
    /// Rows per transaction.
    pub max_txn_row: u32,
    /// Rows per joined update.
    pub max_multi_update_row: u32,
    /// Mean bytes of a row above which updates are not joined.
    pub max_multi_update_row_size: u32,
    /// `optimistic` or `pessimistic`.
    pub tidb_txn_mode: String,
    /// Time zone of the session; `None`: the server's.
    pub time_zone: Option<String>,
    /// Longest wait for a read.
    pub read_timeout: Interval,
    /// Longest wait for a write.
    pub write_timeout: Interval,
    /// Longest wait for a connection.
    pub connect_timeout: Interval,
    /// Longest wait for an ADD INDEX before it is left to run alone.
    pub async_ddl_timeout: Interval,
    /// Write rows so that a repeated write does no harm.
    pub safe_mode: bool,
    /// Join rows into statements.
    pub batch_dml: bool,
    /// Send a transaction as one text.
    pub multi_statement: bool,
    /// Keep prepared statements.
    pub cache_prepared_statements: bool,
    /// Write VECTOR as LONGTEXT.
    pub has_vector_type: bool,
    /// Do everything but write.
    pub dry_run: bool,
}

impl MysqlOptions {
    /// Merges a MySQL-class URI and a configuration.
    ///
    /// # Errors
    /// When a duration in `[sink.mysql-config]` is malformed or a number outside the limits of the URI's parameter.
    pub fn new(uri: &SinkUri, config: &ChangefeedConfig) -> Result<Self, ConfigError> {
        let file = config.sink.mysql_config.clone().unwrap_or_default();
        let number = |name: &str, file: Option<u32>, min: u32, max: u32, default: u32| {
            let value = uri.number(name).and_then(|n| u32::try_from(n).ok()).or(file).unwrap_or(default);
            let ok = (min..=max).contains(&value);
            if ok { Ok(value) } else { Err(bad(name, &format!("{value} is not within {min} to {max}"))) }
        };
        let wait = |name: &str, file: Option<&String>| -> Result<Interval, ConfigError> {
            let default = Interval::from_secs(120);
            let from_file = file.map(|text| text.parse().map_err(|reason: String| bad(name, &reason))).transpose()?;
            Ok(uri.interval(name).or(from_file).unwrap_or(default))
        };
        let text = |name: &str, file: &Option<String>| {
            uri.text(name).map(str::to_owned).or_else(|| file.clone()).filter(|s| !s.is_empty())
        };
        let (host, port) = uri.hosts.first().cloned().unwrap_or_default();
        let (ssl_ca, ssl_cert, ssl_key) =
            (text("ssl-ca", &file.ssl_ca), text("ssl-cert", &file.ssl_cert), text("ssl-key", &file.ssl_key));
        let tls = ssl_ca.is_some() || matches!(uri.scheme, crate::Scheme::Mysql { tls: true, .. });
        let txn_mode = if config.enable_active_active { "pessimistic" } else { "optimistic" };
        let max_row = number("max-txn-row", file.max_txn_row, 1, 2048, 256)?;
        let workers = uri.number("worker-count").is_some() || file.worker_count.is_some();
        let worker_count = number("worker-count", file.worker_count, 1, 1024, 16)?;
        Ok(Self {
            host,
            port: port.unwrap_or(PORT_DEFAULT),
            user: uri.user.clone().unwrap_or_else(|| "root".to_owned()),
            password: uri.password.clone().unwrap_or_default(),
            tls,
            ssl_ca,
            ssl_cert,
            ssl_key,
            worker_count: workers.then_some(worker_count),
            max_txn_row: max_row,
            max_multi_update_row: number("max-multi-update-row", file.max_multi_update_row, 1, 256, 40)?,
            max_multi_update_row_size: number(
                "max-multi-update-row-size",
                file.max_multi_update_row_size,
                0,
                8192,
                1024,
            )?,
            tidb_txn_mode: text("tidb-txn-mode", &file.tidb_txn_mode).unwrap_or_else(|| txn_mode.to_owned()),
            time_zone: uri.text("time-zone").filter(|s| !s.is_empty()).map(str::to_owned),
            read_timeout: wait("read-timeout", file.read_timeout.as_ref())?,
            write_timeout: wait("write-timeout", file.write_timeout.as_ref())?,
            connect_timeout: wait("timeout", file.timeout.as_ref())?,
            async_ddl_timeout: wait("async-ddl-timeout", file.async_ddl_timeout.as_ref())?,
            safe_mode: uri.flag("safe-mode").or(config.sink.safe_mode).unwrap_or(false),
            batch_dml: uri.flag("batch-dml-enable").or(file.enable_batch_dml).unwrap_or(true),
            multi_statement: uri.flag("multi-stmt-enable").or(file.enable_multi_statement).unwrap_or(true),
            cache_prepared_statements: uri
                .flag("cache-prep-stmts")
                .or(file.enable_cache_prepared_statement)
                .unwrap_or(true),
            has_vector_type: uri.flag("has-vector-type").unwrap_or(false),
            dry_run: uri.flag("dry-run").unwrap_or(false),
        })
    }
}

fn bad(key: &str, reason: &str) -> ConfigError {
    ConfigError::BadValue {
        at: Location::whole("changefeed config"),
        key: format!("sink.mysql-config.{key}"),
        reason: reason.to_owned(),
    }
}
