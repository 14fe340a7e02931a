//! How to reach a cluster.

use crate::feed::FeedLimits;
use std::path::PathBuf;

/// PEM files for TLS to PD and TiKV. Read once, when the client is made.
#[derive(Clone, Debug)]
pub struct TlsPaths {
    /// Certificates that the servers' are checked against.
    pub ca: PathBuf,
    /// Our certificate; with `key`.
    pub cert: Option<PathBuf>,
    /// Our private key; with `cert`.
    pub key: Option<PathBuf>,
}

/// What a client is made from.
#[derive(Clone, Debug, Default)]
pub struct UpstreamConfig {
    /// `host:port` or URLs of some PD members; the others are found.
    pub pd_endpoints: Vec<String>,
    /// `None`: plaintext.
    pub tls: Option<TlsPaths>,
    /// Keyspace of an API V2 cluster; `None` for a classic one.
    pub keyspace: Option<String>,
    /// Directory for rows of large transactions that wait for their commit; made if it is not there, emptied
    /// of such files at the start. `None`: they must fit into [`FeedLimits::unmatched_max_bytes`].
    pub spill_dir: Option<PathBuf>,
    /// Bounds of the feeds.
    pub limits: FeedLimits,
}
