//! One node: its changefeeds from their records to their runs, behind the HTTP API's [`tg_api::Control`].
//!
//! Does: keep the records of changefeeds, start and restart their runs, hold garbage collection for them, start the plugins a
//! changefeed names with what it is granted and swap them while it runs, keep what plugins log, answer the API.
//! Does not: move a row (that is `tg-pipeline`), elect or schedule (that is `tg-cluster`, whose rim `cluster` is), listen on a socket.
//!
//! Invariants:
//! - At most one run of a changefeed at a time on a node, and of those on several nodes one that can store anything; the next begins when all parts of the last have ended.
//! - A changefeed's slots and lanes never change while it lives: what a lane holds durably stays true over restarts.
//! - Garbage collection upstream is held at a changefeed's checkpoint from before its record exists until it is removed or done.
//! - A run's epoch is above that of every run before it.
//! - A run starts the plugins that its progress was stored under, whatever was to take over when the one before ended.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod canary;
mod changes;
mod choice;
mod cluster;
mod codes;
mod control;
mod endpoints;
mod error;
mod feed;
mod feed_places;
mod follow;
mod granted;
mod guest_log;
mod handle;
mod kafka;
mod keep_up;
mod migrate;
mod node;
mod plugin_changes;
mod plugin_control;
mod plugins;
mod postgres;
mod progress;
mod quarantine;
mod record;
mod row_json;
mod secrets;
mod shown;
mod spans;
mod storage;
mod swap;
mod tap;
mod ticdc;
mod watch;

pub use cluster::{ClusterError, ClusterOptions};
pub use codes::{CLUSTER_CODES, CODES};
pub use endpoints::target as mysql_target;
pub use error::ServerError;
pub use guest_log::GuestLog;
pub use kafka::target as kafka_target;
pub use migrate::{Migrated, migrate};
pub use node::{Node, NodeOptions, PluginOptions};
pub use storage::target as storage_target;
pub use ticdc::{Imported, Judged, TicdcSource, import_ticdc};
