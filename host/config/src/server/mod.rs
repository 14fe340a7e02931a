//! The configuration of a server: file, then environment and flags.

mod file;
mod metastore;

pub use metastore::Metastore;

pub use file::{MetastoreFile, PluginsConfig, SecurityConfig, ServerFile};

use crate::{ByteSize, ConfigError, Warning, decode};
use std::path::{Path, PathBuf};

/// Where a server listens when nothing else is said.
pub const ADDR_DEFAULT: &str = "127.0.0.1:8300";
/// PD's endpoint when nothing else is said.
pub const PD_DEFAULT: &str = "http://127.0.0.1:2379";
/// Names a cluster cannot have, because they are keys in the metadata.
const CLUSTER_IDS_RESERVED: &[&str] = &["owner", "capture", "task", "changefeed", "job", "meta"];
/// Log levels.
pub const LOG_LEVELS: &[&str] = &["trace", "debug", "info", "warn", "error"];
/// Bounds of the bound of a component's size.
const PLUGIN_SIZE_MIN_BYTES: u64 = 1 << 10;
const PLUGIN_SIZE_MAX_BYTES: u64 = 64 << 20;
/// Shortest time PD keeps data for changefeeds, in seconds.
const GC_TTL_MIN_SECS: u64 = 60;

/// A server's settings, checked.
#[derive(Clone, PartialEq, Debug)]
pub struct ServerConfig {
    /// Where it listens, `host:port`.
    pub addr: String,
    /// Where others reach it, `host:port`.
    pub advertise_addr: String,
    /// Endpoints of PD, each `http://…` or `https://…`.
    pub pd: Vec<String>,
    /// The cluster it belongs to.
    pub cluster_id: String,
    /// Where the metadata of a cluster is; `None`: in the data directory, and there are no other nodes.
    pub metastore: Option<Metastore>,
    /// Where sorted data and metadata are kept.
    pub data_dir: Option<PathBuf>,
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub log_level: String,
    /// File for the log; `None`: standard error.
    pub log_file: Option<PathBuf>,
    /// Name of the time zone for TIMESTAMP values; `None`: the system's.
    pub tz: Option<String>,
    /// Bound of the process' memory; `None`: [`Self::memory_limit_share`] of the machine's.
    pub memory_limit: Option<ByteSize>,
    /// Share of the machine's memory, above 0 and at most 1.
    pub memory_limit_share: f64,
    /// Seconds PD keeps data for a changefeed that does not move.
    pub gc_ttl_secs: u64,
    /// Certificates and users.
    pub security: SecurityConfig,
    /// Everything the file said, for the parts of the server that have options of their own.
    pub file: ServerFile,
}

/// What flags and the environment say; `None`: nothing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ServerOverrides {
    /// See [`ServerConfig::addr`].
    pub addr: Option<String>,
    /// See [`ServerConfig::advertise_addr`].
    pub advertise_addr: Option<String>,
    /// Comma-separated endpoints of PD.
    pub pd: Option<String>,
    /// See [`ServerConfig::cluster_id`].
    pub cluster_id: Option<String>,
    /// See [`Metastore`].
    pub metastore: Option<String>,
    /// See [`ServerConfig::data_dir`].
    pub data_dir: Option<PathBuf>,
    /// See [`ServerConfig::log_level`].
    pub log_level: Option<String>,
    /// See [`ServerConfig::log_file`].
    pub log_file: Option<PathBuf>,
    /// See [`ServerConfig::tz`].
    pub tz: Option<String>,
    /// See [`ServerConfig::memory_limit`].
    pub memory_limit: Option<String>,
    /// See [`ServerConfig::gc_ttl_secs`].
    pub gc_ttl_secs: Option<u64>,
    /// CA certificate.
    pub ca: Option<String>,
    /// Certificate.
    pub cert: Option<String>,
    /// Its key.
    pub key: Option<String>,
    /// Comma-separated common names.
    pub cert_allowed_cn: Option<String>,
}

impl ServerConfig {
    /// Reads the file, if there is one, and lets `overrides` win over it.
    ///
    /// # Errors
    /// When the file cannot be read, a key is unknown, or a value is not allowed.
    pub fn resolve(file: Option<&Path>, overrides: &ServerOverrides) -> Result<(Self, Vec<Warning>), ConfigError> {
        let file = file.map_or_else(|| Ok(ServerFile::default()), ServerFile::load)?;
        let warnings = file.without_effect();
        Ok((Self::merge(file, overrides.clone())?, warnings))
    }

    fn merge(file: ServerFile, over: ServerOverrides) -> Result<Self, ConfigError> {
        let addr = over.addr.or_else(|| file.addr.clone()).unwrap_or_else(|| ADDR_DEFAULT.to_owned());
        let advertise_addr = over.advertise_addr.or_else(|| file.advertise_addr.clone()).filter(|a| !a.is_empty());
        let advertise_addr = advertise_addr.unwrap_or_else(|| addr.clone());
        let memory_limit = match over.memory_limit {
            Some(text) => Some(text.parse().map_err(|reason| bad("memory-limit", reason))?),
            None => file.memory_limit,
        };
        let mut security = file.security.clone();
        for (slot, given) in
            [(&mut security.ca_path, over.ca), (&mut security.cert_path, over.cert), (&mut security.key_path, over.key)]
        {
            *slot = given.unwrap_or_else(|| std::mem::take(slot));
        }
        if let Some(names) = over.cert_allowed_cn {
            security.cert_allowed_cn = list(&names);
        }
        let path = |p: &Option<String>| p.clone().filter(|p| !p.is_empty()).map(PathBuf::from);
        let config = Self {
            addr,
            advertise_addr,
            pd: list(&over.pd.or_else(|| file.pd.clone()).unwrap_or_else(|| PD_DEFAULT.to_owned())),
            metastore: Metastore::resolve(over.metastore.as_deref(), &file.metastore)?,
            cluster_id: over.cluster_id.unwrap_or_else(|| file.cluster_id.clone()),
            data_dir: over.data_dir.or_else(|| path(&file.data_dir)),
            log_level: over.log_level.unwrap_or_else(|| file.log_level.clone()).to_ascii_lowercase(),
            log_file: over.log_file.or_else(|| path(&file.log_file)),
            tz: over.tz.or_else(|| file.tz.clone()).filter(|tz| !tz.eq_ignore_ascii_case("system")),
            memory_limit,
            memory_limit_share: file.memory_limit_percentage,
            gc_ttl_secs: over.gc_ttl_secs.unwrap_or(file.gc_ttl),
            security,
            file,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        address("addr", &self.addr)?;
        address("advertise-addr", &self.advertise_addr)?;
        let host = self.advertise_addr.rsplit_once(':').map_or("", |(host, _)| host);
        if matches!(host, "0.0.0.0" | "[::]") {
            let reason =
                "nobody can connect to a wildcard address; give the address under which others reach this server";
            return Err(bad("advertise-addr", reason.to_owned()));
        }
        if self.pd.is_empty() {
            return Err(bad("pd", "at least one endpoint is needed, like http://127.0.0.1:2379".to_owned()));
        }
        for endpoint in &self.pd {
            let rest = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
            let rest =
                rest.ok_or_else(|| bad("pd", format!("`{endpoint}` does not begin with http:// or https://")))?;
            address("pd", rest.trim_end_matches('/'))?;
        }
        let named = tg_model::ChangefeedId::new(tg_model::ChangefeedId::DEFAULT_NAMESPACE, &self.cluster_id).is_some();
        if !named || CLUSTER_IDS_RESERVED.contains(&self.cluster_id.as_str()) {
            let reason = format!("`{}` is reserved, or not made of letters, digits, - and _", self.cluster_id);
            return Err(bad("cluster-id", reason));
        }
        if !LOG_LEVELS.contains(&self.log_level.as_str()) {
            return Err(bad("log-level", format!("`{}` is not one of {}", self.log_level, LOG_LEVELS.join(", "))));
        }
        if let Some(Err(_)) = self.tz.as_ref().map(|tz| jiff::tz::TimeZone::get(tz)) {
            let tz = self.tz.as_deref().unwrap_or_default();
            return Err(bad(
                "tz",
                format!("`{tz}` is no time zone; write `System`, `UTC` or a name like `Asia/Shanghai`"),
            ));
        }
        if self.gc_ttl_secs < GC_TTL_MIN_SECS {
            return Err(bad("gc-ttl", format!("{} s is too short; at least {GC_TTL_MIN_SECS} s", self.gc_ttl_secs)));
        }
        if !(self.memory_limit_share > 0.0 && self.memory_limit_share <= 1.0) {
            let reason = format!("{} is not above 0 and at most 1", self.memory_limit_share);
            return Err(bad("memory-limit-percentage", reason));
        }
        if self.security.cert_path.is_empty() != self.security.key_path.is_empty() {
            return Err(bad("security", "`cert-path` and `key-path` need each other".to_owned()));
        }
        self.check_clients()?;
        let max_size = self.file.plugins.max_size.get();
        if !(PLUGIN_SIZE_MIN_BYTES..=PLUGIN_SIZE_MAX_BYTES).contains(&max_size) {
            return Err(bad("plugins.max-size", "is not within 1 KiB and 64 MiB".to_owned()));
        }
        Ok(())
    }

    /// What is asked of clients can be asked.
    fn check_clients(&self) -> Result<(), ConfigError> {
        let s = &self.security;
        if s.client_user_required {
            let reason = "the API has no users; leave it out, and ask for certificates with `mtls`";
            return Err(bad("security.client-user-required", reason.to_owned()));
        }
        let tls = !s.cert_path.is_empty() && !s.ca_path.is_empty();
        for (key, set) in [("security.mtls", s.mtls), ("security.cert-allowed-cn", !s.cert_allowed_cn.is_empty())] {
            if set && !tls {
                let reason =
                    "needs `ca-path`, `cert-path` and `key-path`: without TLS no client can show a certificate";
                return Err(bad(key, reason.to_owned()));
            }
        }
        Ok(())
    }
}

impl ServerFile {
    /// Reads a server file's text; `source` names it in errors.
    ///
    /// # Errors
    /// When it is no TOML, a key is unknown, or a value has the wrong type; with line and column.
    pub fn from_toml(source: &str, text: &str) -> Result<Self, ConfigError> {
        decode::from_toml(source, text)
    }

    /// Reads a server file.
    ///
    /// # Errors
    /// As [`Self::from_toml`], and when the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let source = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|e| ConfigError::Unreadable { path: source.clone(), reason: e.to_string() })?;
        Self::from_toml(&source, &text)
    }
}

/// `host:port`, the host not empty.
fn address(key: &str, text: &str) -> Result<(), ConfigError> {
    let ok = text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if ok { Ok(()) } else { Err(bad(key, format!("`{text}` is no address; write host:port"))) }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

fn bad(key: &str, reason: String) -> ConfigError {
    ConfigError::BadServer { key: key.to_owned(), reason }
}
