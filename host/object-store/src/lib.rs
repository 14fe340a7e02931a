//! Object stores that plugins are granted: S3 and its like, Google Cloud Storage, Azure Blob Storage, and folders.
//!
//! Does: connect a [`StoreTarget`] and serve the `object-store` capability from it: whole objects with conditional puts, reads,
//! listings in order, uploads in parts; try again what a store asks to be tried again, within bounds; say in coded errors what is
//! wrong with a bucket, its rights, its credentials or the clock. Protocols and credentials of the stores are the `object_store` crate's; what
//! it sends goes out by a client of ours, which says what became of each request. Folders are ours, for what they promise.
//! Does not: know what objects mean, fence writers (a plugin does, with [`tg_plugin::grant::PutMode::Create`]), keep anything in
//! memory between calls.
//!
//! Invariants:
//! - No path leaves the target's prefix.
//! - A create-only put that was answered with success made the object; one that was answered with a conflict did not change it.
//!   Its own earlier try, answered with an error of the store, may be what it conflicts with: who must know compares the object.
//!   A conditional put that went out and got no answer is not sent again: its outcome is unknown.
//! - An object of a folder is whole and on the disk when its put returns.
//! - What a call holds in memory is bounded: by its own data, [`LIST_MAX`] entries, or one part of an upload.
//! - Secrets appear in no error and no debug output.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bucket;
mod codes;
mod error;
mod folder;
mod remote;
mod target;

pub use bucket::{LIST_MAX, StoreEndpoint};
pub use codes::CODES;
pub use error::StoreError;
pub use target::{AzureTarget, GcsTarget, Place, S3Target, SecretText, StoreTarget};
