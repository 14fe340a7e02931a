//! Which brokers, and how they are talked to.

use std::path::PathBuf;
use std::time::Duration;
use tg_plugin::grant::Secret;

/// `max-message-bytes` that nobody set.
const MESSAGE_BYTES: u32 = 10 << 20;
/// Partitions of a topic that is made, when nobody says.
pub(crate) const PARTITIONS_NEW: u32 = 3;

/// Whom a broker waits for before it acknowledges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Acks {
    /// All replicas in sync; the only choice with exactly-once.
    #[default]
    All,
    /// The leader.
    Leader,
    /// Nobody: what a broker loses is lost.
    Nobody,
}

/// How a client proves who it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sasl {
    /// User and password as they are.
    Plain(String, Secret),
    /// SCRAM with SHA-256.
    ScramSha256(String, Secret),
    /// SCRAM with SHA-512.
    ScramSha512(String, Secret),
    /// A token from an OAuth server.
    Oauth(OauthTarget),
}

/// Where OAuth tokens come from: the client credentials grant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OauthTarget {
    /// Address of the token endpoint.
    pub token_url: String,
    /// Client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// What the token is for; empty: the server's default.
    pub scopes: Vec<String>,
    /// `grant_type`; empty: `client_credentials`.
    pub grant_type: String,
    /// `audience`; empty: none.
    pub audience: String,
}

/// TLS to the brokers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tls {
    /// Certificate of the authority, PEM; `None`: the system's.
    pub ca: Option<PathBuf>,
    /// The client's certificate and key, PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Take any certificate.
    pub skip_verify: bool,
}

/// Brokers and how they are talked to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KafkaTarget {
    /// `host:port` of some brokers.
    pub brokers: Vec<String>,
    /// Name for the brokers' logs and quotas.
    pub client_id: String,
    /// Part of the transactional ids and of the keys in the progress topic: positions kept under another are not its own.
    pub incarnation: String,
    /// Write in transactions, and keep positions in the progress topic.
    pub exactly_once: bool,
    /// Whom brokers wait for.
    pub acks: Acks,
    /// `none`, `gzip`, `snappy`, `lz4` or `zstd`.
    pub compression: String,
    /// Largest message; a topic may take less.
    pub max_message_bytes: u32,
    /// Make topics that are not there.
    pub auto_create_topic: bool,
    /// Partitions of a topic; `None`: as it has, 3 for one that is made.
    pub partition_num: Option<u32>,
    /// Copies of a topic that is made.
    pub replication_factor: i32,
    /// Longest wait for a connection.
    pub dial_timeout: Duration,
    /// Longest wait for an answer.
    pub read_timeout: Duration,
    /// Longest wait for room in the queue.
    pub write_timeout: Duration,
    /// Who the client is.
    pub sasl: Option<Sasl>,
    /// TLS; `None`: none.
    pub tls: Option<Tls>,
    /// Name of the progress topic.
    pub progress_topic: String,
}

impl Default for KafkaTarget {
    fn default() -> Self {
        Self {
            brokers: Vec::new(),
            client_id: "tidegate".to_owned(),
            incarnation: String::new(),
            exactly_once: false,
            acks: Acks::All,
            compression: "none".to_owned(),
            max_message_bytes: MESSAGE_BYTES,
            auto_create_topic: true,
            partition_num: None,
            replication_factor: 1,
            dial_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            sasl: None,
            tls: None,
            progress_topic: "_tidegate_progress".to_owned(),
        }
    }
}

impl KafkaTarget {
    /// The brokers, for messages.
    pub(crate) fn display_name(&self) -> String {
        format!("Kafka at {}", self.brokers.join(","))
    }
}
