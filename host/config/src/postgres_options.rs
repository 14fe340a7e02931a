//! What the PostgreSQL sink gets in the end: URI over file over default.

use crate::uri::ParamValue;
use crate::{ChangefeedConfig, Interval, Secret, SinkUri};
use serde_json::{Map, Value, json};

/// Port of a URI without one.
const PORT_DEFAULT: u16 = 5432;
/// Role of a URI without one.
const USER_DEFAULT: &str = "postgres";
/// Words of `sslmode`, as libpq has them.
pub(crate) const SSL_MODES: &[&str] = &["disable", "prefer", "require", "verify-ca", "verify-full"];
/// Parameters that are the sink's business, by the names of its configuration.
const OF_THE_SINK: &[&str] = &["safe-mode", "batch-dml-enable", "rows-per-statement", "zero-dates", "bit-type"];

/// How much of TLS is wanted, as libpq says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SslMode {
    /// None.
    Disable,
    /// Where the server has it.
    Prefer,
    /// Always; the server may be anybody.
    Require,
    /// Always, with a certificate that an authority signed.
    VerifyCa,
    /// Always, with one for this host.
    VerifyFull,
}

/// Settings of a PostgreSQL downstream.
#[derive(Clone, PartialEq, Debug)]
pub struct PostgresOptions {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Role.
    pub user: String,
    /// Password; empty: none.
    pub password: Secret,
    /// Database; named after the role when the URI names none.
    pub database: String,
    /// How much of TLS is wanted.
    pub ssl_mode: SslMode,
    /// Path of the CA certificate.
    pub ssl_root_cert: Option<String>,
    /// Paths of the client's certificate and its key.
    pub ssl_identity: Option<(String, String)>,
    /// Longest wait for a read.
    pub read_timeout: Interval,
    /// Longest wait for a write.
    pub write_timeout: Interval,
    /// Longest wait for a connection.
    pub connect_timeout: Interval,
    /// What the sink in the box is told.
    pub plugin: Map<String, Value>,
}

impl PostgresOptions {
    /// Merges a URI of PostgreSQL and a configuration.
    #[must_use]
    pub fn new(uri: &SinkUri, config: &ChangefeedConfig) -> Self {
        let wait = |name: &str| uri.interval(name).unwrap_or(Interval::from_secs(120));
        let text = |name: &str| uri.text(name).map(str::to_owned).filter(|s| !s.is_empty());
        let (host, port) = uri.hosts.first().cloned().unwrap_or_default();
        let user = uri.user.clone().unwrap_or_else(|| USER_DEFAULT.to_owned());
        let ssl_root_cert = text("sslrootcert");
        let ssl_mode = match uri.text("sslmode") {
            Some("disable") => SslMode::Disable,
            // With an authority at hand its word is asked for: so does libpq.
            Some("require") if ssl_root_cert.is_some() => SslMode::VerifyCa,
            Some("require") => SslMode::Require,
            Some("verify-ca") => SslMode::VerifyCa,
            Some("verify-full") => SslMode::VerifyFull,
            _ => SslMode::Prefer,
        };
        Self {
            host,
            port: port.unwrap_or(PORT_DEFAULT),
            database: if uri.path.is_empty() { user.clone() } else { uri.path.clone() },
            user,
            password: uri.password.clone().unwrap_or_default(),
            ssl_mode,
            ssl_identity: text("sslcert").zip(text("sslkey")),
            ssl_root_cert,
            read_timeout: wait("read-timeout"),
            write_timeout: wait("write-timeout"),
            connect_timeout: wait("timeout"),
            plugin: plugin(uri, config),
        }
    }
}

fn plugin(uri: &SinkUri, config: &ChangefeedConfig) -> Map<String, Value> {
    let mut out: Map<String, Value> =
        config.sink.safe_mode.iter().map(|b| ("safe-mode".to_owned(), json!(b))).collect();
    for name in OF_THE_SINK {
        let value = match uri.params.get(name) {
            Some(ParamValue::Text(text)) => json!(text),
            Some(ParamValue::Bool(flag)) => json!(flag),
            Some(ParamValue::Int(number)) => json!(number),
            Some(ParamValue::Interval(_) | ParamValue::Secret(_)) | None => continue,
        };
        out.insert((*name).to_owned(), value);
    }
    out
}
