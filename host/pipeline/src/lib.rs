//! One changefeed on one node: merges the spans of a slot in commit order, cuts windows, takes them through transforms and the
//! dispatcher, feeds the lanes, runs DDLs at their barriers, and says how far everything is done. Plugins are swapped while it runs.
//!
//! Does: connect upstream, sorter, mounter, plugins and the controller; hold every queue to its bound.
//! Does not: decide (that is `tg-cluster`), talk to TiKV, write to a downstream, or know any sink.
//!
//! Invariants:
//! - Rows of one key stay in one lane of one slot, in commit order.
//! - A row leaves only when every row before it in its slot has left: windows are prefixes of the slot's order.
//! - The checkpoint of a slot passes a window only when every lane has acknowledged it.
//! - What a lane's store holds durably is never handed to it again while its progress row is kept.
//! - Transforms and dispatcher of a slot change only between two transactions, with nothing under way in any of its lanes, and after
//!   that place is stored: which lane counted a row is never in doubt.
//! - A row that is put aside is durable in the quarantine before any checkpoint or lane position passes it.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod aside;
mod away;
mod budget;
mod canary;
mod codes;
mod control;
mod ddl;
mod ddl_stream;
mod error;
mod exchange;
mod feed;
mod feed_canary;
mod feed_end;
mod feed_swap;
mod frontier;
mod held;
mod known;
mod lane;
mod lane_cursor;
mod lane_swap;
mod lane_write;
mod narrow;
mod open_slot;
mod ports;
mod quarantine;
mod replay;
mod resume;
mod retry;
mod row_filter;
mod row_key;
mod select;
mod shadow;
mod slot;
mod slot_end;
mod slot_pump;
mod slot_route;
mod slot_swap;
mod stages;
mod start;
mod stats;
mod swap;
mod syncpoint;
mod tables;
mod tap;
mod tick;
mod waits;
mod windows;

pub use away::{AwayCommand, AwayReport, AwaySlot, HostedSlot, SlotAsk, SlotPlaces};
pub use canary::{CanaryReport, CanaryRequest, ShadowSink, Tape};
pub use codes::CODES;
pub use control::{FeedControl, SpanPlace, SwapError, SwapOutcome, SwapRequest, SwapStatus};
pub use error::PipelineError;
pub use feed::{FeedEnd, FeedParts, FeedPlan, run};
pub use ports::{DDL_SLOT, DdlState, OpenSink, PluginSource, ProgressStore, QuarantineStore, SinkStart};
pub use quarantine::{BadRow, FileQuarantine, Kept, QuarantineError, QuarantineLimits, RawOp, RowData};
pub use replay::ReplayError;
pub use resume::{Counted, LaneState, Resume, ResumeError, STATES_MAX_BYTES};
pub use shadow::shadow_grants;
pub use start::load_schema;
pub use stats::{Stats, StatsSnapshot};
pub use swap::SwapParts;
pub use tap::{Tap, TapCondition, TappedRows};
