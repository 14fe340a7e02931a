//! Why a demo cannot go on.

use std::io;
use tg_model::{Code, Coded};

/// Why a demo ended without a verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// The scratch server.
    #[error(transparent)]
    Scratch(#[from] tg_scratch_mariadb::ScratchError),
    /// The embedded upstream or a workload.
    #[error(transparent)]
    Playground(#[from] tg_playground::PlaygroundError),
    /// The node.
    #[error(transparent)]
    Server(#[from] tg_server::ServerError),
    /// A call of the node's API.
    #[error(transparent)]
    Api(#[from] tg_api::ApiError),
    /// A sink URI or a configuration.
    #[error(transparent)]
    Config(#[from] tg_config::ConfigError),
    /// The changefeed ended with an error.
    #[error("the changefeed failed: {code}: {message}")]
    Failed {
        /// The error's own code.
        code: String,
        /// Its message.
        message: String,
    },
    /// The checkpoint stands still.
    #[error("the checkpoint has stood at {checkpoint} for {secs} s{trouble}")]
    Stalled {
        /// Where it stands, as a time of day.
        checkpoint: String,
        /// For how long.
        secs: u64,
        /// What the changefeed complains about; may be empty.
        trouble: String,
    },
    /// The rows downstream cannot be read.
    #[error("{what} cannot be read from the downstream: {error}")]
    Unreadable {
        /// A table, or what else was asked for.
        what: String,
        /// What the database says.
        error: mysql_async::Error,
    },
    /// The API's address is taken.
    #[error("cannot listen on {addr}: {error}")]
    Listen {
        /// The address.
        addr: String,
        /// What the system says.
        error: io::Error,
    },
    /// The operating system refuses a folder or a signal handler.
    #[error("{what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
}

impl Coded for DemoError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Scratch(e) => return e.code(),
            Self::Playground(e) => return e.code(),
            Self::Server(e) => return e.code(),
            Self::Api(e) => return e.code(),
            Self::Config(e) => return e.code(),
            Self::Failed { .. } => 8061,
            Self::Stalled { .. } => 8062,
            Self::Unreadable { .. } => 8063,
            Self::Listen { .. } => 8064,
            Self::System { .. } => 8065,
        })
    }
}
