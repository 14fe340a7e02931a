//! An upstream within the process: PD and TiKV stores that speak their protocols on real sockets, with
//! TiDB's encodings of keys, rows, meta data and DDL jobs.
//!
//! Does: tables and their changes as DDL jobs; transactions with versions and locks; regions on several
//! stores; change feeds with scan, live events and resolved timestamps; reads and lock resolution;
//! faults by hand and by seed; workloads by seed. Serves the demo, tests and benchmarks.
//!
//! Does not: SQL, index entries (no feed reads them), raft, disk, TLS, keyspaces, etcd, PD's HTTP.
//!
//! Invariants:
//! - After a feed was told a resolved timestamp of a region, no row of it commits at or below that.
//! - A row's PREWRITE leaves before its COMMIT on every connection; a resolved timestamp leaves after all
//!   events it covers.
//! - Timestamps of the oracle only rise.
//! - Rows made for a schema that is no longer in force are never committed.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bench_feed;
mod catalog;
mod chaos;
mod codes;
mod ddl;
pub mod encode;
mod error;
mod faults;
mod playground;
mod service;
mod store;
mod table;
mod txn;
pub mod workload;

pub use bench_feed::BenchFeed;
pub use chaos::Chaos;
pub use codes::CODES;
pub use ddl::Alter;
pub use error::PlaygroundError;
pub use faults::Refusal;
pub use playground::{Playground, PlaygroundConfig};
pub use store::{Cluster, Lock, Mode, Mutation, Op, RegionInfo, Tso, TxnMeta};
pub use table::{ColumnDef, ColumnSpec, Handle, IndexDef, IndexSpec, TableDef, TableSpec, TextRow};
pub use txn::{Prewritten, Txn};
