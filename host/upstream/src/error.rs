use tg_model::{Code, Coded, Ts};

/// What can go wrong between us and the upstream cluster.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named in the messages")]
pub enum UpstreamError {
    /// No PD endpoint answered.
    #[error("no PD endpoint answers; the last tried was {endpoint}: {detail}")]
    PdUnreachable { endpoint: String, detail: String },
    /// PD answers but has no leader.
    #[error("PD has no leader at the moment ({endpoint} says so)")]
    PdNoLeader { endpoint: String },
    /// PD belongs to another cluster than before.
    #[error("PD at {endpoint} serves cluster {found}, not cluster {expected}")]
    ClusterId { endpoint: String, expected: u64, found: u64 },
    /// PD refused a request.
    #[error("PD refused {request}: {message}")]
    PdRefused { request: &'static str, message: String },
    /// A certificate or key file cannot be used.
    #[error("TLS file {path} cannot be used: {detail}")]
    Tls { path: String, detail: String },
    /// An address is not one.
    #[error("{address:?} is not an address: {detail}")]
    Address { address: String, detail: String },
    /// A timestamp is ahead of the cluster's clock.
    #[error("timestamp {ts} lies in the future: the cluster's clock is at {now}")]
    TsInFuture { ts: Ts, now: Ts },
    /// A timestamp is older than what garbage collection has left.
    #[error("data at timestamp {ts} is garbage collected: the safe point is {safe_point}")]
    TsCollected { ts: Ts, safe_point: Ts },
    /// A region kept failing.
    #[error("{request} at key {key} failed {attempts} times, last: {detail}")]
    Region { request: &'static str, key: String, attempts: u32, detail: String },
    /// A live transaction holds a lock in the way of a read.
    #[error("the lock on key {key} of transaction {start_ts} is held by a live transaction")]
    Locked { key: String, start_ts: Ts },
    /// A store answered a read with an error of its own.
    #[error("{request} failed at key {key}: {detail}")]
    Key { request: &'static str, key: String, detail: String },
    /// A store is not known or not usable.
    #[error("store {store} cannot be used: {detail}")]
    Store { store: u64, detail: String },
    /// The store wants another version of us.
    #[error("a store refuses the change feed of span {span}: it wants version {required}")]
    Compatibility { span: u64, required: String },
    /// The store says we belong to another cluster.
    #[error("a store refuses the change feed of span {span}: it belongs to cluster {current}, not {asked}")]
    FeedClusterId { span: u64, current: u64, asked: u64 },
    /// The feed broke its rules and may not be trusted.
    #[error("the change feed of span {span}, region {region}, broke its rules: {detail}")]
    Protocol { span: u64, region: u64, detail: String },
    /// The keyspace is not there.
    #[error("keyspace {name:?} cannot be used: {detail}")]
    Keyspace { name: String, detail: String },
    /// Rows that wait for their commit do not fit into memory, and there is no disk for them.
    #[error(
        "the change feed of span {span} holds too much: rows that wait for their commit take {held_bytes} bytes, the limit is {limit_bytes}"
    )]
    Unmatched { span: u64, held_bytes: usize, limit_bytes: usize },
    /// Rows that wait for their commit do not fit onto the disk.
    #[error(
        "the change feed of span {span} holds too much: rows that wait for their commit fill the disk's {limit_bytes} bytes"
    )]
    SpillFull { span: u64, limit_bytes: u64 },
    /// Rows that wait for their commit cannot be written or read back.
    #[error("rows that wait for their commit cannot be kept on disk: {path}: {detail}")]
    Spill { path: String, detail: String },
    /// A store is older than what is supported.
    #[error("store {store} is of version {version}; {required} is the oldest that is supported")]
    Version { store: u64, version: String, required: String },
    /// The client is shut down.
    #[error("the upstream client is shut down")]
    Closed,
}

impl UpstreamError {
    /// One value of each kind, for checks over all of them.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        let s = String::new;
        let (ts, now) = (Ts::ZERO, Ts::ZERO);
        vec![
            Self::PdUnreachable { endpoint: s(), detail: s() },
            Self::PdNoLeader { endpoint: s() },
            Self::ClusterId { endpoint: s(), expected: 0, found: 0 },
            Self::PdRefused { request: "", message: s() },
            Self::Tls { path: s(), detail: s() },
            Self::Address { address: s(), detail: s() },
            Self::TsInFuture { ts, now },
            Self::TsCollected { ts, safe_point: now },
            Self::Region { request: "", key: s(), attempts: 0, detail: s() },
            Self::Locked { key: s(), start_ts: ts },
            Self::Key { request: "", key: s(), detail: s() },
            Self::Store { store: 0, detail: s() },
            Self::Compatibility { span: 0, required: s() },
            Self::FeedClusterId { span: 0, current: 0, asked: 0 },
            Self::Protocol { span: 0, region: 0, detail: s() },
            Self::Keyspace { name: s(), detail: s() },
            Self::Unmatched { span: 0, held_bytes: 0, limit_bytes: 0 },
            Self::SpillFull { span: 0, limit_bytes: 0 },
            Self::Spill { path: s(), detail: s() },
            Self::Version { store: 0, version: s(), required: s() },
            Self::Closed,
        ]
    }
}

impl Coded for UpstreamError {
    fn code(&self) -> Code {
        Code(match self {
            Self::PdUnreachable { .. } => 1101,
            Self::PdNoLeader { .. } => 1102,
            Self::ClusterId { .. } => 1103,
            Self::PdRefused { .. } => 1104,
            Self::Tls { .. } => 1105,
            Self::Address { .. } => 1106,
            Self::TsInFuture { .. } => 1107,
            Self::TsCollected { .. } => 1108,
            Self::Region { .. } => 1109,
            Self::Locked { .. } => 1110,
            Self::Key { .. } => 1111,
            Self::Store { .. } => 1112,
            Self::Compatibility { .. } => 1113,
            Self::FeedClusterId { .. } => 1114,
            Self::Protocol { .. } => 1115,
            Self::Keyspace { .. } => 1116,
            Self::Closed => 1117,
            Self::Unmatched { .. } => 1118,
            Self::SpillFull { .. } => 1119,
            Self::Spill { .. } => 1120,
            Self::Version { .. } => 1121,
        })
    }

    fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::PdUnreachable { .. }
                | Self::PdNoLeader { .. }
                | Self::PdRefused { .. }
                | Self::Region { .. }
                | Self::Locked { .. }
                | Self::Key { .. }
                | Self::Store { .. }
                | Self::SpillFull { .. }
                | Self::Spill { .. }
        )
    }
}

/// Keys in messages: hexadecimal, long ones cut.
pub(crate) fn show_key(key: &[u8]) -> String {
    use std::fmt::Write as _;
    const SHOWN_BYTES: usize = 64;
    let mut out = String::with_capacity(2 * key.len().min(SHOWN_BYTES) + 3);
    for byte in key.iter().take(SHOWN_BYTES) {
        let _ = write!(out, "{byte:02x}");
    }
    if key.len() > SHOWN_BYTES {
        out.push_str("...");
    }
    out
}
