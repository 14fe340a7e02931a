//! What can go wrong.

use tg_model::{Code, Coded};
use tg_plugin::grant::{EndpointError, EndpointErrorKind};

/// An error of a consumer.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named in the messages")]
pub enum ConsumeError {
    /// The store.
    #[error("reading {what}: {source}")]
    Source { what: String, source: EndpointError },
    /// A file.
    #[error("{path}: {reason}")]
    Damaged { path: String, reason: String },
    /// A change without what it takes to apply it.
    #[error("a change of {table}{}: {reason}", at(.commit_ts.as_ref()))]
    Unusable { table: String, commit_ts: Option<u64>, reason: &'static str },
    /// The database.
    #[error("applying {what}: {fault}")]
    Target { what: String, fault: tg_mysql::Fault },
    /// The output.
    #[error("the output cannot be written: {reason}")]
    Output { reason: String },
    /// The listing.
    #[error("there are more than {limit} objects below the prefix")]
    TooMany { limit: usize },
    /// The registry's URL.
    #[error("{reason}")]
    NoRegistry { reason: String },
    /// The registry, for now.
    #[error("asking the schema registry for schema {id}: {reason}")]
    RegistryAway { id: u32, reason: String },
    /// A schema.
    #[error("the schema registry has no schema {id}, which {at} is written with")]
    NoSchema { id: u32, at: String },
    /// The registry.
    #[error("the schema registry does not give schema {id}: {reason}")]
    RegistryRefuses { id: u32, reason: String },
}

fn at(ts: Option<&u64>) -> String {
    ts.map_or_else(String::new, |ts| format!(" at {ts}"))
}

impl Coded for ConsumeError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Source { .. } => 8201,
            Self::Damaged { .. } => 8202,
            Self::Unusable { .. } => 8203,
            Self::Target { .. } => 8204,
            Self::Output { .. } => 8205,
            Self::TooMany { .. } => 8206,
            Self::NoRegistry { .. } => 8210,
            Self::RegistryAway { .. } => 8207,
            Self::NoSchema { .. } => 8208,
            Self::RegistryRefuses { .. } => 8209,
        })
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::Source { source, .. } => {
                matches!(source.kind, EndpointErrorKind::Retryable | EndpointErrorKind::Unknown)
            }
            Self::Target { fault, .. } => fault.is_retryable(),
            Self::RegistryAway { .. } => true,
            _ => false,
        }
    }
}
