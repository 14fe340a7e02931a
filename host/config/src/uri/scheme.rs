//! Schemes and what they have in common.

use std::fmt;

/// The kind of downstream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// `mysql`, `tidb`, with `+ssl`: which of the two it is, the server says.
    Mysql {
        /// The scheme as written.
        name: &'static str,
        /// Connect with TLS.
        tls: bool,
    },
    /// `postgres`, `postgresql`.
    Postgres {
        /// The scheme as written.
        name: &'static str,
    },
    /// `kafka`, `kafka+ssl`.
    Kafka {
        /// Connect with TLS.
        tls: bool,
    },
    /// `pulsar` and its variants.
    Pulsar {
        /// The scheme as written.
        name: &'static str,
    },
    /// `file`.
    File,
    /// `s3`.
    S3,
    /// `gcs`, `gs`.
    Gcs,
    /// `azblob`, `azure`.
    Azblob,
    /// `noop`: a storage that keeps nothing.
    Noop,
    /// `blackhole`: takes everything, keeps nothing.
    Blackhole,
    /// `print`: rows as text.
    Print,
    /// `plugin+NAME` or `plugin+NAME@VERSION`: an installed plugin.
    Plugin(String),
}

/// Schemes that take the same parameters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// MySQL and TiDB.
    Mysql,
    /// PostgreSQL.
    Postgres,
    /// Kafka.
    Kafka,
    /// Pulsar.
    Pulsar,
    /// Files and buckets.
    Storage,
    /// `blackhole`.
    Blackhole,
    /// Plugins, `print` among them.
    Plugin,
}

/// Every fixed scheme.
pub(super) const SCHEMES: &[(&str, Scheme)] = &[
    ("mysql", Scheme::Mysql { name: "mysql", tls: false }),
    ("mysql+ssl", Scheme::Mysql { name: "mysql+ssl", tls: true }),
    ("tidb", Scheme::Mysql { name: "tidb", tls: false }),
    ("tidb+ssl", Scheme::Mysql { name: "tidb+ssl", tls: true }),
    ("postgres", Scheme::Postgres { name: "postgres" }),
    ("postgresql", Scheme::Postgres { name: "postgresql" }),
    ("kafka", Scheme::Kafka { tls: false }),
    ("kafka+ssl", Scheme::Kafka { tls: true }),
    ("pulsar", Scheme::Pulsar { name: "pulsar" }),
    ("pulsar+ssl", Scheme::Pulsar { name: "pulsar+ssl" }),
    ("pulsar+http", Scheme::Pulsar { name: "pulsar+http" }),
    ("pulsar+https", Scheme::Pulsar { name: "pulsar+https" }),
    ("file", Scheme::File),
    ("s3", Scheme::S3),
    ("gcs", Scheme::Gcs),
    ("gs", Scheme::Gcs),
    ("azblob", Scheme::Azblob),
    ("azure", Scheme::Azblob),
    ("noop", Scheme::Noop),
    ("blackhole", Scheme::Blackhole),
    ("print", Scheme::Print),
];

impl Scheme {
    /// The scheme of this name (any case); `None` when there is none.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        if let Some(plugin) = lower.strip_prefix("plugin+") {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.@+".contains(&b);
            return (!plugin.is_empty() && plugin.bytes().all(plain)).then(|| Self::Plugin(plugin.to_owned()));
        }
        SCHEMES.iter().find(|(n, _)| *n == lower).map(|(_, s)| s.clone())
    }

    /// The family it belongs to.
    #[must_use]
    pub const fn family(&self) -> Family {
        match self {
            Self::Mysql { .. } => Family::Mysql,
            Self::Postgres { .. } => Family::Postgres,
            Self::Kafka { .. } => Family::Kafka,
            Self::Pulsar { .. } => Family::Pulsar,
            Self::File | Self::S3 | Self::Gcs | Self::Azblob | Self::Noop => Family::Storage,
            Self::Blackhole => Family::Blackhole,
            Self::Print | Self::Plugin(_) => Family::Plugin,
        }
    }

    /// The name of the plugin that writes to it, when the configuration does not name one.
    #[must_use]
    pub fn plugin(&self) -> &str {
        match self {
            Self::Mysql { .. } => "mysql",
            Self::Postgres { .. } => "postgres",
            Self::Kafka { .. } => "kafka",
            Self::Pulsar { .. } => "pulsar",
            Self::File | Self::S3 | Self::Gcs | Self::Azblob => "storage",
            // What is written to it is gone.
            Self::Noop | Self::Blackhole => "blackhole",
            Self::Print => "print",
            Self::Plugin(name) => name,
        }
    }

    /// Whether parameter names are the plugin's business.
    pub(super) fn takes_any_param(&self) -> bool {
        self.family() == Family::Plugin
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Plugin(name) = self {
            return write!(f, "plugin+{name}");
        }
        let name = SCHEMES.iter().find(|(_, s)| s == self).map(|(n, _)| *n);
        f.write_str(name.unwrap_or_default())
    }
}
