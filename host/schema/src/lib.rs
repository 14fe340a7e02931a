//! Schemas of the upstream over time: the snapshot at the start-ts, then DDL jobs in order, and for every
//! row the version of its table at the row's commit-ts.
//!
//! Does: read meta data and job rows, keep versions, write the statements to replicate.
//! Does not: any IO (it is fed), any filtering by rule, any rewriting for a downstream: what only TiDB knows
//! stands in `/*T! */` comments, the user's or ours.
//!
//! # What a feeder does
//! 1. Read [`SchemaStore::scan_ranges`] at the start-ts, give the pairs to [`SchemaStore::from_snapshot`].
//! 2. Subscribe to [`SchemaStore::ddl_spans`] from the start-ts. Show every change to [`SchemaStore::decode_job`],
//!    keep the jobs that come out, ordered by [`Job::commit_ts`].
//! 3. When the spans are resolved to R, ask [`SchemaStore::cap_resolved`] for the R that counts, and
//!    [`SchemaStore::apply`] the jobs up to it. Rows above it are not to be mounted.
//!
//! # Multi schema changes
//! One ALTER TABLE with several parts makes its new columns public in one transaction (P) and is done,
//! with the final description of the table, some states and up to seconds later (T). Rows committed between have
//! the new columns, so they belong to the new version although nobody knows it yet. The job's row is rewritten in
//! the same transaction as the description and then says that the job cannot be taken back and that a
//! column part is public. From then on the store holds the resolved-ts of the DDL stream at P - 1; when the job
//! is done, it takes effect at P: the statement runs between the last row without and the first row with
//! the columns, and no value is lost. A column that the same statement drops may still be in rows above P;
//! its values are of no use to anyone. A feeder that never asks `cap_resolved` gets the job at T instead;
//! one that does, asks once with the start-ts before anything else.
//!
//! # Not followed
//! Queues of TiDB before 6.2, jobs that went past the job table (TiDB 7.6 to 8.2 with fast table creation
//! switched on), FLASHBACK DATABASE (a warning), FLASHBACK CLUSTER (an error).
//!
//! # Invariants
//! - A row committed at C sees the changes with a commit-ts below C, no others.
//! - Applying a job twice, or one that is in the snapshot, changes nothing and gives no event.
//! - Every event's query is one statement; each table in it that is written or referenced is named with its schema.
//! - System schemas and temporary tables are never seen; views and sequences have no physical ids.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod action;
mod apply;
mod codes;
mod convert;
mod error;
mod history;
mod info;
mod job;
mod key;
mod rename;
mod row;
mod sql;
mod statement;
mod store;

pub use action::is_system_schema;
pub use codes::CODES;
pub use error::SchemaError;
pub use job::Job;
pub use sql::{Dialect, column_type_sql, create_table_sql, full, ident, string};
pub use store::SchemaStore;
