//! Object stores that plugins are granted: S3 and its like, and folders.
//!
//! Does: connect a [`StoreTarget`] and serve the `object-store` capability from it: whole objects with conditional puts, reads,
//! listings in order, uploads in parts; sign requests (AWS signature version 4); try again what a store asks to be tried again,
//! within bounds; say in coded errors what is wrong with a bucket, its rights, its credentials or the clock.
//! Does not: know what objects mean, fence writers (a plugin does, with [`tg_plugin::grant::PutMode::Create`]), keep anything in
//! memory between calls.
//!
//! Invariants:
//! - No path leaves the target's prefix.
//! - A create-only put that was answered with success made the object; one that was answered with a conflict did not change it.
//!   Its own earlier try may be what it conflicts with: who must know compares the object.
//! - An object of a folder is whole and on the disk when its put returns.
//! - What a call holds in memory is bounded: by its own data, [`LIST_MAX`] entries, or one part of an upload.
//! - Secrets appear in no error and no debug output.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bucket;
mod codes;
mod error;
mod folder;
mod s3;
mod target;

pub use bucket::{LIST_MAX, StoreEndpoint};
pub use codes::CODES;
pub use error::StoreError;
pub use target::{Place, S3Target, SecretText, StoreTarget};
