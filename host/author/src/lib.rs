//! From an idea to a component: the first files of a plugin, and building it in its language.
//!
//! Does: write a plugin's first files with the SDK beside them, so that it builds anywhere; tell which language a folder is in; run
//! that language's tools, and say which one is missing.
//! Does not: run or check a component (that is `tg-kit`), or install tools.
//!
//! Invariants:
//! - Nothing that is there is overwritten.
//! - A folder that was begun builds without this repository.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod build;
mod codes;
mod embedded;
mod error;
mod language;
mod names;
mod scaffold;

pub use build::{Built, build};
pub use codes::CODES;
pub use error::AuthorError;
pub use language::{Language, PluginKind};
pub use scaffold::{Begun, begin, kinds_of};
