//! Sink URIs: `scheme://[user[:password]@]host[:port][,host:port]/[path]?name=value&…`.

mod mask;
mod params;
mod scheme;

pub use mask::mask;
pub use params::ParamValue;
pub use scheme::{Family, Scheme};

use crate::{ConfigError, Interval, Secret, SecretUri, Warning, did_you_mean};
use percent_encoding::percent_decode_str;
use scheme::SCHEMES;
use std::collections::BTreeMap;

/// Names of message formats.
pub(crate) const PROTOCOLS: &[&str] = &[
    "default",
    "open-protocol",
    "canal-json",
    "avro",
    "flat-avro",
    "simple",
    "debezium",
    "debezium-avro",
    "csv",
    "parquet",
    "canal",
    "maxwell",
    "craft",
];
/// Parameters of one URI that are read at most.
const PARAMS_MAX: usize = 256;

/// A sink URI, read and checked.
#[derive(Clone, PartialEq, Debug)]
pub struct SinkUri {
    /// The kind of downstream.
    pub scheme: Scheme,
    /// User, decoded; `None` when there is none.
    pub user: Option<String>,
    /// Password, decoded.
    pub password: Option<Secret>,
    /// Hosts with their ports; empty for schemes without a host. Of a storage: the bucket.
    pub hosts: Vec<(String, Option<u16>)>,
    /// Path, decoded, without the slash it begins with for message queues (the default topic); with it for files.
    pub path: String,
    /// Parameters by name.
    pub params: BTreeMap<&'static str, ParamValue>,
    /// Parameters of `print` and of plugins, whose names are the plugin's business. Their values may be secret.
    pub plugin_params: BTreeMap<String, Secret>,
    /// What was accepted without effect.
    pub warnings: Vec<Warning>,
    raw: SecretUri,
}

impl SinkUri {
    /// Reads a sink URI.
    ///
    /// # Errors
    /// When it is malformed, its scheme or a parameter is unknown, or a value is not allowed. Errors show the
    /// URI with its secrets masked.
    pub fn parse(uri: &str) -> Result<Self, ConfigError> {
        let bad = |reason: &str| ConfigError::BadUri { uri: mask(uri), reason: reason.to_owned() };
        if uri.trim().is_empty() {
            return Err(bad("is empty"));
        }
        if uri.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(bad("holds white space or control characters; encode a space as %20"));
        }
        let (scheme, rest) = uri.split_once(':').ok_or_else(|| bad("has no scheme; write `mysql://…`, `kafka://…`"))?;
        let scheme = Scheme::parse(scheme).ok_or_else(|| ConfigError::UnknownScheme {
            uri: mask(uri),
            scheme: scheme.to_owned(),
            suggestion: did_you_mean(scheme, SCHEMES.iter().map(|(name, _)| *name)).map(str::to_owned),
        })?;
        let (rest, fragment) = rest.split_once('#').map_or((rest, None), |(r, f)| (r, Some(f)));
        if fragment.is_some() {
            return Err(bad("holds a `#`; encode it as %23"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = match rest.strip_prefix("//") {
            Some(rest) => rest,
            None if rest.is_empty() => "",
            None => return Err(bad("needs `//` behind the scheme")),
        };
        let slash = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(slash);
        let (user, password, hosts) = authority_parts(authority).map_err(|reason| bad(&reason))?;
        let keep_slash = scheme.family() == Family::Storage;
        let path = if keep_slash { path } else { path.strip_prefix('/').unwrap_or(path) };
        let path = decode(path).ok_or_else(|| bad("has a path that is no UTF-8 when decoded"))?;
        let mut parsed = Self {
            scheme,
            user,
            password,
            hosts,
            path,
            params: BTreeMap::new(),
            plugin_params: BTreeMap::new(),
            warnings: Vec::new(),
            raw: SecretUri::new(uri.to_owned()),
        };
        parsed.read_query(query)?;
        parsed.check()?;
        Ok(parsed)
    }

    fn read_query(&mut self, query: &str) -> Result<(), ConfigError> {
        let uri = self.to_string();
        for (n, pair) in query.split('&').filter(|p| !p.is_empty()).enumerate() {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decode(&name.replace('+', " ")).zip(decode(&value.replace('+', " ")));
            let Some((name, value)) = decoded.filter(|_| n < PARAMS_MAX) else {
                let reason = "has too many parameters, or one that is no UTF-8 when decoded".to_owned();
                return Err(ConfigError::BadUri { uri, reason });
            };
            if self.scheme.takes_any_param() {
                self.plugin_params.insert(name, Secret::new(value));
                continue;
            }
            let Some(spec) = params::find(&self.scheme, &name) else {
                let suggestion = did_you_mean(&name, params::names(&self.scheme)).map(str::to_owned);
                let scheme = self.scheme.to_string();
                return Err(ConfigError::UnknownParam { uri, scheme, name, suggestion });
            };
            let value = spec.read(&value).map_err(|reason| ConfigError::BadParam { uri: uri.clone(), name, reason })?;
            if let Some(message) = spec.warning {
                self.warnings.push(Warning { key: spec.name.to_owned(), message: message.to_owned() });
            }
            self.params.insert(spec.name, value);
        }
        Ok(())
    }

    /// What a family of schemes cannot do without.
    fn check(&self) -> Result<(), ConfigError> {
        let bad = |reason: &str| Err(ConfigError::BadUri { uri: self.to_string(), reason: reason.to_owned() });
        let no_host = self.hosts.is_empty();
        match self.scheme.family() {
            Family::Mysql if no_host => bad("needs a host: mysql://user:password@host:4000/"),
            Family::Mysql if self.hosts.len() > 1 => bad("takes one host; put a proxy in front of several"),
            Family::Postgres => self.check_postgres(),
            Family::Kafka | Family::Pulsar if no_host => bad("needs a host: kafka://broker:9092/topic?protocol=…"),
            Family::Kafka | Family::Pulsar if self.path.is_empty() => {
                bad("needs a topic: kafka://broker:9092/topic?protocol=…")
            }
            Family::Storage if self.scheme == Scheme::File && self.path.len() < 2 => {
                bad("needs a folder: file:///path/to/folder?protocol=…")
            }
            Family::Storage if !matches!(self.scheme, Scheme::File | Scheme::Noop) && no_host => {
                bad("needs a bucket: s3://bucket/prefix?protocol=…")
            }
            Family::Storage => self.check_storage(),
            _ => Ok(()),
        }
    }

    fn check_storage(&self) -> Result<(), ConfigError> {
        let given = |name: &str| self.secret(name).is_some_and(|s| !s.expose().is_empty());
        let reason = if given("account-key") && given("sas-token") {
            "takes `account-key` or `sas-token`, not both"
        } else if given("sse-kms-key-id") && !self.text("sse").is_some_and(|sse| sse.starts_with("aws:kms")) {
            "gives `sse-kms-key-id` without `sse=aws:kms`"
        } else {
            return Ok(());
        };
        Err(ConfigError::BadUri { uri: self.to_string(), reason: reason.to_owned() })
    }

    fn check_postgres(&self) -> Result<(), ConfigError> {
        let given = |name: &str| self.params.contains_key(name);
        let reason = if self.hosts.is_empty() {
            "needs a host: postgres://user:password@host:5432/database"
        } else if self.hosts.len() > 1 {
            "takes one host; put a proxy in front of several"
        } else if self.path.contains('/') {
            "names one database behind the host; schemas are made after the source's databases"
        } else if given("sslcert") != given("sslkey") {
            "needs `sslcert` and `sslkey` together, or neither"
        } else if self.text("sslmode") == Some("disable") && (given("sslrootcert") || given("sslcert")) {
            "gives certificates and says `sslmode=disable`"
        } else {
            return Ok(());
        };
        Err(ConfigError::BadUri { uri: self.to_string(), reason: reason.to_owned() })
    }

    /// The URI with its secrets, for the metadata store.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.raw.expose()
    }

    /// A text parameter; `None` when absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.params.get(name) {
            Some(ParamValue::Text(v)) => Some(v),
            _ => None,
        }
    }

    /// A yes-or-no parameter; `None` when absent.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.params.get(name) {
            Some(ParamValue::Bool(v)) => Some(*v),
            _ => None,
        }
    }

    /// A number; `None` when absent.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.params.get(name) {
            Some(ParamValue::Int(v)) => Some(*v),
            _ => None,
        }
    }

    /// A duration; `None` when absent.
    #[must_use]
    pub fn interval(&self, name: &str) -> Option<Interval> {
        match self.params.get(name) {
            Some(ParamValue::Interval(v)) => Some(*v),
            _ => None,
        }
    }

    /// A secret; `None` when absent.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        match self.params.get(name) {
            Some(ParamValue::Secret(v)) => Some(v),
            _ => None,
        }
    }
}

/// The URI as answers show it: secrets masked.
impl std::fmt::Display for SinkUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.raw.fmt(f)
    }
}

type Authority = (Option<String>, Option<Secret>, Vec<(String, Option<u16>)>);

fn authority_parts(authority: &str) -> Result<Authority, String> {
    // The last `@` counts, so that a password with an `@` that nobody encoded still works.
    let (login, hosts) = authority.rsplit_once('@').map_or((None, authority), |(l, h)| (Some(l), h));
    let (user, password) = match login {
        None => (None, None),
        Some(login) => {
            let (user, password) = login.split_once(':').map_or((login, None), |(u, p)| (u, Some(p)));
            let user = decode(user).ok_or("has a user that is no UTF-8 when decoded")?;
            let password = password.map(|p| decode(p).ok_or("has a password that is no UTF-8 when decoded"));
            (Some(user).filter(|u| !u.is_empty()), password.transpose()?.map(Secret::new))
        }
    };
    let hosts = hosts.split(',').filter(|h| !h.is_empty()).map(host_port).collect::<Result<_, _>>()?;
    Ok((user, password, hosts))
}

/// `host`, `host:port` or `[v6]:port`.
fn host_port(text: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, tail) = rest.split_once(']').ok_or_else(|| format!("has a host `{text}` without its `]`"))?;
            (host, tail.strip_prefix(':'))
        }
        None => text.split_once(':').map_or((text, None), |(h, p)| (h, Some(p))),
    };
    let port = port.map(|p| p.parse::<u16>().map_err(|_| format!("has a port `{p}` that is no number up to 65535")));
    if host.is_empty() {
        return Err(format!("has a port without a host: `{text}`"));
    }
    Ok((host.to_owned(), port.transpose()?))
}

fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
