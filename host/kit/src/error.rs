//! What can go wrong before a component is judged.

use tg_model::{Code, Coded};
use tg_plugin::PluginError;

/// Why the kit cannot do what it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KitError {
    /// The component cannot be used at all.
    #[error("{path}: {source}")]
    Plugin {
        /// The file.
        path: String,
        /// Why.
        source: PluginError,
    },
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the operating system says.
        reason: String,
    },
    /// A recorded corpus is not what it should be.
    #[error("{file}, line {line}: {reason}")]
    Corpus {
        /// The file.
        file: String,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A table is not described well.
    #[error("table {table}: {reason}")]
    Table {
        /// The table.
        table: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of examples or settings is not what it should be.
    #[error("{file}: {reason}")]
    Settings {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no check of this name.
    #[error("there is no check `{name}` for a {kind}; there are: {known}")]
    NoCheck {
        /// What was asked for.
        name: String,
        /// What the component is.
        kind: &'static str,
        /// What there is.
        known: String,
    },
    /// The component failed checks.
    #[error("{failed} of {all} checks failed")]
    Failed {
        /// Those that failed.
        failed: usize,
        /// Those that ran.
        all: usize,
    },
    /// A measurement could not be made.
    #[error("the measurement ended early: {reason}")]
    Bench {
        /// Why.
        reason: String,
    },
}

impl Coded for KitError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Plugin { source, .. } => return source.code(),
            Self::File { .. } => 8101,
            Self::Corpus { .. } => 8102,
            Self::Table { .. } => 8103,
            Self::Settings { .. } => 8104,
            Self::NoCheck { .. } => 8105,
            Self::Failed { .. } => 8106,
            Self::Bench { .. } => 8107,
        })
    }
}
