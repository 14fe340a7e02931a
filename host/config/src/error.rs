//! What can be wrong with a configuration.

use std::fmt;
use tg_model::{Code, Coded};

/// Where in a text something stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Location {
    /// File name, or what the text is when it is no file (`changefeed config`, `replica_config`).
    pub source: String,
    /// Line and column, both from 1, the column in characters; `None` when the source has no lines.
    pub position: Option<(usize, usize)>,
}

impl Location {
    /// A place in a source without lines.
    #[must_use]
    pub fn whole(source: &str) -> Self {
        Self { source: source.to_owned(), position: None }
    }

    /// The place `offset` bytes into `text`.
    #[must_use]
    pub fn at(source: &str, text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { source: source.to_owned(), position: Some((line, column)) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        match self.position {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// Something that was accepted and has no effect, or not the one its name says.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Warning {
    /// The key or parameter.
    pub key: String,
    /// What to know about it.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.key, self.message)
    }
}

/// A configuration that cannot be used. No variant holds a secret.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    /// The text is not TOML or JSON.
    #[error("{at}: {message}")]
    Syntax {
        /// Where.
        at: Location,
        /// What the parser expected.
        message: String,
    },
    /// A key that does not exist.
    #[error("{at}: there is no option `{key}`{}", hint(.suggestion.as_deref()))]
    UnknownKey {
        /// Where.
        at: Location,
        /// Path of the key.
        key: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },
    /// A value of a wrong type, outside its limits or not among the allowed ones.
    #[error("{at}: option `{key}`: {reason}")]
    BadValue {
        /// Where.
        at: Location,
        /// Path of the key.
        key: String,
        /// What is wrong with the value.
        reason: String,
    },
    /// Options that exclude each other, or one that needs another.
    #[error("{at}: option `{key}` {reason}")]
    Conflict {
        /// Where the first of them stands.
        at: Location,
        /// Path of the key.
        key: String,
        /// What it does not go together with, and why.
        reason: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system says.
        reason: String,
    },
    /// A sink URI that is no URI.
    #[error("sink URI `{uri}`: {reason}")]
    BadUri {
        /// The URI, masked.
        uri: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A scheme nobody handles.
    #[error("sink URI `{uri}`: there is no scheme `{scheme}`{}", hint(.suggestion.as_deref()))]
    UnknownScheme {
        /// The URI, masked.
        uri: String,
        /// The scheme.
        scheme: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },
    /// A parameter the scheme does not have.
    #[error("sink URI `{uri}`: {scheme} has no parameter `{name}`{}", hint(.suggestion.as_deref()))]
    UnknownParam {
        /// The URI, masked.
        uri: String,
        /// The scheme.
        scheme: String,
        /// The parameter.
        name: String,
        /// What was probably meant.
        suggestion: Option<String>,
    },
    /// A parameter's value that is not allowed.
    #[error("sink URI `{uri}`: parameter `{name}`: {reason}")]
    BadParam {
        /// The URI, masked.
        uri: String,
        /// The parameter.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A server setting that cannot be used, wherever it came from.
    #[error("server option `{key}`: {reason}")]
    BadServer {
        /// The option.
        key: String,
        /// What is wrong.
        reason: String,
    },
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map(|s| format!("; did you mean `{s}`?")).unwrap_or_default()
}

impl Coded for ConfigError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Syntax { .. } => 6001,
            Self::UnknownKey { .. } => 6002,
            Self::BadValue { .. } => 6003,
            Self::Conflict { .. } => 6004,
            Self::Unreadable { .. } => 6005,
            Self::BadUri { .. } => 6010,
            Self::UnknownScheme { .. } => 6011,
            Self::UnknownParam { .. } => 6012,
            Self::BadParam { .. } => 6013,
            Self::BadServer { .. } => 6020,
        })
    }
}
