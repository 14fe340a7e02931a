//! The keys of a server file: TiCDC's, and our own.

use crate::{ByteSize, Interval, Warning};

macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $ty,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

table! {
    /// A server file. Options of TiCDC's inner workings are read and passed over.
    ServerFile {
        /// See [`super::ServerConfig::addr`].
        addr: Option<String> = None,
        /// See [`super::ServerConfig::advertise_addr`].
        advertise_addr: Option<String> = None,
        /// Comma-separated endpoints of PD.
        pd: Option<String> = None,
        /// See [`super::ServerConfig::cluster_id`].
        cluster_id: String = "default".to_owned(),
        /// See [`super::ServerConfig::data_dir`].
        data_dir: Option<String> = None,
        /// See [`super::ServerConfig::log_level`].
        log_level: String = "info".to_owned(),
        /// See [`super::ServerConfig::log_file`].
        log_file: Option<String> = None,
        /// See [`super::ServerConfig::tz`].
        tz: Option<String> = None,
        /// See [`super::ServerConfig::gc_ttl_secs`].
        gc_ttl: u64 = 86_400,
        /// See [`super::ServerConfig::memory_limit`].
        memory_limit: Option<ByteSize> = None,
        /// See [`super::ServerConfig::memory_limit_share`].
        memory_limit_percentage: f64 = 0.75,
        /// Seconds until a silent server counts as gone; at least 5.
        capture_session_ttl: u64 = 10,
        /// Certificates and users.
        security: SecurityConfig = SecurityConfig::default(),
        /// Where the metadata of a cluster is.
        metastore: MetastoreFile = MetastoreFile::default(),
        /// What plugins are taken, and what they may be.
        plugins: PluginsConfig = PluginsConfig::default(),
        /// Accepted without effect: there is one engine.
        newarch: Option<bool> = None,
        /// Accepted without effect.
        owner_flush_interval: Option<Interval> = None,
        /// Accepted without effect.
        processor_flush_interval: Option<Interval> = None,
        /// Accepted without effect.
        enable_legacy_safepoint: Option<bool> = None,
        /// Accepted without effect.
        gc_tuner_memory_threshold: Option<u64> = None,
        /// Accepted without effect.
        per_table_memory_quota: Option<u64> = None,
        /// Accepted without effect.
        max_memory_percentage: Option<f64> = None,
        /// Accepted without effect.
        log: Option<toml::Table> = None,
        /// Accepted without effect.
        sorter: Option<toml::Table> = None,
        /// Accepted without effect.
        kv_client: Option<toml::Table> = None,
        /// Accepted without effect.
        encryption: Option<toml::Table> = None,
        /// Accepted without effect.
        debug: Option<toml::Table> = None,
    }
}

table! {
    /// `[security]`.
    SecurityConfig {
        /// Path of the CA certificate; empty: none.
        ca_path: String = String::new(),
        /// Path of the certificate; empty: none.
        cert_path: String = String::new(),
        /// Path of its key; empty: none.
        key_path: String = String::new(),
        /// Common names a client's certificate may have; empty: any.
        cert_allowed_cn: Vec<String> = Vec::new(),
        /// Clients need a certificate.
        mtls: bool = false,
        /// Clients need a user and a password.
        client_user_required: bool = false,
        /// The users they may be.
        client_allowed_user: Vec<String> = Vec::new(),
        /// `off`, `marker` or `on`: whether values are left out of the log.
        redact_info_log: Option<toml::Value> = None,
    }
}

table! {
    /// `[metastore]`.
    MetastoreFile {
        /// `etcd://host:port,…`, or `etcds://…` for TLS; empty: a file in the data directory, and no other nodes.
        url: String = String::new(),
        /// Path of the CA certificate that etcd is checked with; empty: that of `[security]`.
        ca_path: String = String::new(),
        /// Path of the certificate to show to etcd; empty: that of `[security]`.
        cert_path: String = String::new(),
        /// Path of its key; empty: that of `[security]`.
        key_path: String = String::new(),
        /// User of etcd; empty: none.
        user: String = String::new(),
        /// File that holds the user's password.
        password_file: String = String::new(),
        /// Failure domain of this node: its zone, rack or host; empty: none.
        zone: String = String::new(),
    }
}

table! {
    /// `[plugins]`.
    PluginsConfig {
        /// Public keys, `ed25519:…`. When there is one, only components signed by one of them are taken.
        trusted_keys: Vec<String> = Vec::new(),
        /// Largest component that is taken, 1 KiB to 64 MiB.
        max_size: ByteSize = ByteSize::new(64 << 20),
        /// Folder of the files that changefeeds may name as secrets; absent: `secrets` in the data directory.
        secrets_dir: Option<String> = None,
    }
}

impl ServerFile {
    /// Keys that were set and do nothing.
    pub(super) fn without_effect(&self) -> Vec<Warning> {
        let set = [
            ("newarch", self.newarch.is_some()),
            ("owner-flush-interval", self.owner_flush_interval.is_some()),
            ("processor-flush-interval", self.processor_flush_interval.is_some()),
            ("enable-legacy-safepoint", self.enable_legacy_safepoint.is_some()),
            ("gc-tuner-memory-threshold", self.gc_tuner_memory_threshold.is_some()),
            ("per-table-memory-quota", self.per_table_memory_quota.is_some()),
            ("max-memory-percentage", self.max_memory_percentage.is_some()),
            ("log", self.log.is_some()),
            ("sorter", self.sorter.is_some()),
            ("kv-client", self.kv_client.is_some()),
            ("encryption", self.encryption.is_some()),
            ("debug", self.debug.is_some()),
        ];
        let warning = |key: &str| Warning { key: key.to_owned(), message: "is accepted without effect".to_owned() };
        set.into_iter().filter(|(_, set)| *set).map(|(key, _)| warning(key)).collect()
    }
}
