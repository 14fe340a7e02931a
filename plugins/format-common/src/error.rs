//! What encoders and decoders refuse.

/// A row, DDL or watermark that a format cannot carry.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EncodeError {
    /// Larger than the limit, and nothing is configured for that.
    #[error(
        "a change of {table} at {commit_ts} makes a message of {bytes} bytes, more than max-message-bytes = {limit}; raise the limit of the \
         changefeed and of the topic, or set large-message-handle-option"
    )]
    TooLarge {
        /// Full name of the table.
        table: String,
        /// Commit timestamp.
        commit_ts: u64,
        /// Size with key and overhead.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The table has no key, so that a consumer could not find the row of a message that holds the key only.
    #[error(
        "a change of {table} at {commit_ts} is larger than max-message-bytes and the table has no key to send instead"
    )]
    NoKey {
        /// Full name of the table.
        table: String,
        /// Commit timestamp.
        commit_ts: u64,
    },
    /// A value that the format has no room for.
    #[error("column {column} of {table} at {commit_ts}: {reason}")]
    Value {
        /// Full name of the table.
        table: String,
        /// Column.
        column: String,
        /// Commit timestamp.
        commit_ts: u64,
        /// Why.
        reason: &'static str,
    },
    /// The batch is damaged.
    #[error("a row of {table} at {commit_ts} cannot be read: {source}")]
    Batch {
        /// Full name of the table.
        table: String,
        /// Commit timestamp.
        commit_ts: u64,
        /// What is wrong.
        source: tgr1::FormatError,
    },
    /// Rows came before their table.
    #[error("rows of table {table} version {version} came before its schema")]
    UnknownTable {
        /// Table id.
        table: u64,
        /// Schema version.
        version: u64,
    },
    /// The schema registry, or whoever gives schema ids, refused.
    #[error("no schema id for {subject}: {reason}")]
    Registry {
        /// Subject.
        subject: String,
        /// Why.
        reason: String,
    },
    /// A value that cannot be compressed: more than 4 GiB.
    #[error("a value cannot be compressed: {0}")]
    Compress(String),
    /// Options that exclude each other.
    #[error("{0}")]
    Config(String),
}

impl EncodeError {
    /// Short name of the kind, stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "message-too-large",
            Self::NoKey { .. } => "no-key",
            Self::Value { .. } => "value-not-encodable",
            Self::Batch { .. } => "damaged-batch",
            Self::UnknownTable { .. } => "unknown-table",
            Self::Registry { .. } => "schema-registry",
            Self::Compress(_) => "not-compressible",
            Self::Config(_) => "format-config",
        }
    }
}

/// Bytes that are not a message of the format.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DecodeError {
    /// Ends too early, or a length in it points outside.
    #[error("the message is cut short in its {0}")]
    Short(&'static str),
    /// Not JSON.
    #[error("the message is not JSON: {0}")]
    Json(String),
    /// A member is missing or of another type.
    #[error("the message's {0} is missing or of another type")]
    Member(&'static str),
    /// A number or name that the format does not know.
    #[error("the message has an unknown {what}: {value}")]
    Unknown {
        /// What it is.
        what: &'static str,
        /// What was found, cut to a readable size.
        value: String,
    },
    /// A value that is not one of its column's type.
    #[error("the value of column {column} is not a {expected}")]
    Value {
        /// Column.
        column: String,
        /// Type.
        expected: &'static str,
    },
    /// A table schema the decoder has not seen yet.
    #[error("the message needs the schema of {table} at {version}, which has not come yet")]
    NoSchema {
        /// Table.
        table: String,
        /// Schema version.
        version: u64,
    },
    /// Compressed otherwise, or not at all.
    #[error("the message's value is not what {0} makes: {1}")]
    Compression(&'static str, String),
    /// Bytes after the end.
    #[error("the message has {0} bytes after its end")]
    Trailing(usize),
}

impl DecodeError {
    /// An unknown thing, its text cut.
    #[must_use]
    pub fn unknown(what: &'static str, value: &str) -> Self {
        const SHOWN: usize = 64;
        Self::Unknown { what, value: value.chars().take(SHOWN).collect() }
    }
}
