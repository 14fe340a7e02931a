//! What can go wrong while a plugin is begun or built.

use tg_model::{Code, Coded};

/// Why a plugin was not begun or built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorError {
    /// The name cannot be used.
    #[error("`{name}` is no name for a plugin: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is something already.
    #[error("{path} is there already")]
    Exists {
        /// Where.
        path: String,
    },
    /// There is no template of this kind in this language.
    #[error("there is no template for a {kind} in {language}; there is one for: {known}")]
    NoTemplate {
        /// The language.
        language: &'static str,
        /// The kind.
        kind: &'static str,
        /// What there is.
        known: String,
    },
    /// The folder does not show its language.
    #[error("{path} does not show which language it is in")]
    Unclear {
        /// The folder.
        path: String,
    },
    /// A tool is missing.
    #[error("to build this plugin, {tool} is missing: {how}")]
    Missing {
        /// What is missing.
        tool: String,
        /// How to get it.
        how: String,
    },
    /// The tools found something to complain about.
    #[error("the plugin in {path} does not build:\n{output}")]
    Build {
        /// The folder.
        path: String,
        /// What the tools said.
        output: String,
    },
    /// A file or process of the system fails.
    #[error("{what}: {reason}")]
    System {
        /// What was being done.
        what: String,
        /// What the operating system says.
        reason: String,
    },
}

impl AuthorError {
    pub(crate) fn system(what: impl Into<String>, error: &std::io::Error) -> Self {
        Self::System { what: what.into(), reason: error.to_string() }
    }
}

impl Coded for AuthorError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Name { .. } => 8121,
            Self::Exists { .. } => 8122,
            Self::NoTemplate { .. } => 8123,
            Self::Unclear { .. } => 8124,
            Self::Missing { .. } => 8125,
            Self::Build { .. } => 8126,
            Self::System { .. } => 8127,
        })
    }
}
