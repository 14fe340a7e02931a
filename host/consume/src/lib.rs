//! Reads changes that were written to a folder, a bucket or a topic, and applies them to MySQL or prints them.
//!
//! Does: follow a [`Source`] step by step in an order that can be applied, ask a [`SchemaRegistry`] for the schemas of avro, keep
//! how far it got with the [`Target`], in the same transaction as the rows where the target has transactions.
//! Does not: know changefeeds or servers; read files beyond the checkpoint or that no index names, or messages that are not committed.
//!
//! Invariants:
//! - Rows of one table come in commit order; a DDL comes after every row below its timestamp and before those above.
//! - Nothing above the checkpoint that the writer published is applied, as far as the format says when a row was committed.
//! - What a target holds of a source is not applied again, however often the consumer ends in between.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod codes;
mod decode;
mod error;
mod files;
mod lineup;
mod mysql;
mod print;
mod registry;
mod run;
mod sql;
mod steps;
mod storage;
mod stream;
mod topic;

pub use codes::CODES;
pub use decode::TopicProtocol;
pub use error::ConsumeError;
pub use files::Protocol;
pub use mysql::MysqlTable;
pub use print::Print;
pub use registry::SchemaRegistry;
pub use run::{Consumed, Pace, consume};
pub use storage::StorageSource;
pub use stream::{Done, Portion, Source, Target};
pub use tg_format_common::Compression;
pub use topic::TopicSource;
