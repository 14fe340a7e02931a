//! The HTTP API: TiCDC's v2 paths and objects, the v1 ones its tools still use, our own additions under
//! `/api/v2/tidegate`, metrics, and a console page.
//!
//! Does: read and check requests, ask a [`Control`], write answers and errors in TiCDC's form.
//! Does not: know how changefeeds run, forward requests between nodes, keep anything.
//!
//! Invariants:
//! - A request reaches [`Control`] only after its ids, URIs, configuration and timestamps were read and checked.
//! - No answer holds a secret: sink URIs and configurations are written masked.
//! - Every error answer has a message, TiCDC's code if there is one, and ours.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod body;
mod changefeeds;
mod codes;
mod console;
mod control;
mod error;
mod limits;
mod metrics;
mod objects;
mod own;
mod plugin_calls;
mod plugin_control;
mod plugin_metrics;
mod quarantine_calls;
mod quarantine_control;
mod router;
mod server_calls;
mod spans;
mod synced;
mod table_calls;
mod tap;
mod v1;

pub use codes::CODES;
pub use control::{
    Capture, ChangedChangefeed, Changefeed, Control, FeedError, FeedState, Maintenance, NewChangefeed, NodeTables,
    Progress, ServerStatus, SlotProgress, SyncedInput, TableList, TableName, Waiting,
};
pub use error::ApiError;
pub use limits::Limit;
pub use plugin_control::{
    FeedPlugin, FeedPlugins, NewPlugin, Plugin, PluginActivation, PluginCapability, PluginChange, PluginControl,
    PluginDetail, PluginLine, PluginUsage, PluginUser, PluginVersion, Swapped, TakeOver,
};
pub use quarantine_control::{Chosen, QuarantineControl, QuarantineList, QuarantinedRow, Replayed};
pub use router::{ApiOptions, router};
pub use spans::{SlotPlace, SpanControl, SpanList, SpanRow};
pub use tap::{TapControl, TapLines, TapQuery};
