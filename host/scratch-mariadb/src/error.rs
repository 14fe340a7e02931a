//! Why there is no server.

use std::io;
use tg_model::{Code, Coded};

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// A program of MariaDB is missing.
    #[error("MariaDB is not installed: there is no `{program}`")]
    NotInstalled {
        /// The program looked for.
        program: &'static str,
    },
    /// The server did not come up.
    #[error("MariaDB did not come up: {log}")]
    NotUp {
        /// The end of its log.
        log: String,
    },
    /// The operating system refuses a folder, a port or a process.
    #[error("MariaDB cannot be started: {what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
}

impl ScratchError {
    /// Says what was tried when the system refused.
    pub(crate) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::System { what, error }
    }
}

impl Coded for ScratchError {
    fn code(&self) -> Code {
        Code(match self {
            Self::NotInstalled { .. } => 8051,
            Self::NotUp { .. } => 8052,
            Self::System { .. } => 8053,
        })
    }
}
