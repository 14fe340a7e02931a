//! What plugins a cluster has: names with versions, their bytes, and which version a name means now.
//!
//! Does: keep components by their SHA-256 on disk; keep names, versions and the history of each name in the metadata store;
//! check signatures; take in files of a watched folder; get bytes from the node that has them; compile each component once.
//! Does not: run plugins, know changefeeds, listen on a socket.
//!
//! Invariants:
//! - Bytes are checked against their digest whenever they are read or received; what does not match is never compiled.
//! - A version of a name keeps its digest for ever: other bytes need another version.
//! - A component reaches the metadata only after it was compiled, described itself, and its signature held where one is needed.
//! - A push that is refused changes nothing: the active version of the name stays.
//! - A built-in's name always means the built-in.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod blobs;
mod catalog;
mod codes;
mod compiled;
mod digest;
mod error;
mod folder;
mod import;
mod peers;
mod push;
mod record;
mod reference;
mod registry;

pub use codes::CODES;
pub use digest::Digest;
pub use error::RegistryError;
pub use folder::Problem;
pub use import::Imported;
pub use peers::{BlobSource, HttpBlobs, NoPeers};
pub use push::{Push, Pushed};
pub use record::{Activation, By, Meaning, PluginRecord, Source, VersionRecord};
pub use reference::{PluginRef, check_name, check_version};
pub use registry::{Builtins, Pinned, Registry, RegistryOptions};
