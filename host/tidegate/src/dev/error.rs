//! What can go wrong in `tidegate dev`.

use crate::author::CommandError;
use std::io;
use tg_config::ConfigError;
use tg_model::{Code, Coded};
use tg_playground::PlaygroundError;
use tg_server::ServerError;

/// Why it ended, or a plugin was not taken up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DevError {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Api(#[from] tg_api::ApiError),
    #[error(transparent)]
    Playground(#[from] PlaygroundError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Scratch(#[from] tg_scratch_mariadb::ScratchError),
    /// The plugin needs something that cannot be started here.
    #[error("the plugin asks for `{capability}`, and {reason}")]
    Surroundings {
        /// What it asks for.
        capability: String,
        /// Why it cannot be had.
        reason: &'static str,
    },
    #[error("{what}: {error}")]
    System { what: &'static str, error: io::Error },
}

impl DevError {
    pub(super) const fn system(what: &'static str, error: io::Error) -> Self {
        Self::System { what, error }
    }
}

impl Coded for DevError {
    fn code(&self) -> Code {
        match self {
            Self::Command(e) => e.code(),
            Self::Server(e) => e.code(),
            Self::Api(e) => e.code(),
            Self::Playground(e) => e.code(),
            Self::Config(e) => e.code(),
            Self::Scratch(e) => e.code(),
            Self::Surroundings { .. } => Code(8131),
            Self::System { .. } => Code(8132),
        }
    }
}
