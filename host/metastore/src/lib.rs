//! The cluster's metadata: a small ordered key-value store with compare-and-set, watches and leases, and the
//! records of changefeeds on top of it.
//!
//! Does: define [`MetaStore`]; implement it on one local file ([`EmbeddedStore`]) and on etcd ([`EtcdStore`]);
//! keep changefeed records in a versioned form ([`ChangefeedStore`]) and guard them by the owner's or the run's revision; keep who is
//! registered in a cluster, who owns it, and who runs which changefeed.
//!
//! Does not: elect (it offers the compares that an election needs), schedule, or keep where slots are.
//!
//! Invariants:
//! - Every write has a revision; revisions rise by at least one and are never reused.
//! - A transaction is applied whole or not at all, and is durable when its call returns.
//! - A watch delivers every write under its prefix once, in order of revision, or ends with an error.
//! - A stored checkpoint never goes back, and only the owner, or in a cluster the run, whose revision is current moves it.
//! - Fields that a record has and this version does not know are kept when it is written again.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod changefeed;
mod codes;
mod embedded;
mod error;
mod etcd;
mod guard;
mod kv;
mod lease;
mod members;
mod owner;
mod record;
mod run;
mod schedule;
mod table;

pub use changefeed::ChangefeedStore;
pub use codes::CODES;
pub use embedded::EmbeddedStore;
pub use error::MetaError;
pub use etcd::{EtcdOptions, EtcdStore, EtcdTls};
pub use guard::{Guard, RunRevision};
pub use kv::{
    Compare, Event, EventKind, KeyValue, LeaseId, MetaStore, Op, OpResult, Range, Revision, TxnOutcome, WatchStream,
};
pub use members::{ClusterRecord, MemberRecord, NodeRecord, NodeWish, OwnerRecord, read_record};
pub use owner::OwnerRevision;
pub use record::{ChangefeedInfo, ChangefeedStatus, DdlRecord, DdlState, FORMAT, FeedError, FeedState};
pub use run::{Assigned, RunRecord};
pub use schedule::ScheduleRecord;
