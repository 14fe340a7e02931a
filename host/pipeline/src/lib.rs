//! One changefeed on one node: merges the spans of a slot in commit order, cuts windows, asks the dispatcher where rows go, feeds
//! the lanes, runs DDLs at their barriers, and says how far everything is done.
//!
//! Does: connect upstream, sorter, mounter, plugins and the controller; hold every queue to its bound.
//! Does not: decide (that is `tg-cluster`), talk to TiKV, write to a downstream, or know any sink.
//!
//! Invariants:
//! - Rows of one key stay in one lane of one slot, in commit order.
//! - A row leaves only when every row before it in its slot has left: windows are prefixes of the slot's order.
//! - The checkpoint of a slot passes a window only when every lane has acknowledged it.
//! - What a lane's store holds durably is never handed to it again while its progress row is kept.

mod codes;
mod ddl;
mod ddl_stream;
mod error;
mod exchange;
mod feed;
mod frontier;
mod lane;
mod lane_cursor;
mod ports;
mod retry;
mod row_filter;
mod select;
mod slot;
mod start;
mod stats;
mod tables;
mod tick;
mod waits;
mod windows;

pub use codes::CODES;
pub use error::PipelineError;
pub use feed::{FeedEnd, FeedParts, FeedPlan, run};
pub use ports::{DdlState, OpenSink, PluginSource, ProgressStore};
pub use start::load_schema;
pub use stats::{Stats, StatsSnapshot};
