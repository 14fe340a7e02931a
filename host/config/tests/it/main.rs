//! Configuration as users write it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod docs;
mod grants;
mod kafka;
mod server;
mod toml;
mod uri;
