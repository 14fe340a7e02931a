//! What can go wrong in the commands for authors.

use tg_author::AuthorError;
use tg_kit::KitError;
use tg_model::{Code, Coded};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(transparent)]
    Author(#[from] AuthorError),
    #[error(transparent)]
    Kit(#[from] KitError),
}

impl Coded for CommandError {
    fn code(&self) -> Code {
        match self {
            Self::Author(e) => e.code(),
            Self::Kit(e) => e.code(),
        }
    }
}
