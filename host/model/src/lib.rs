//! The words every other crate speaks: timestamps, positions, spans, raw changes, table versions,
//! DDL events and coded errors.
//!
//! Does: define domain types and the rules that hold within one value.
//! Does not: any IO, any wire or storage format, any policy.
//!
//! Invariants:
//! - [`Ts`] orders as the upstream's commit order; [`Position`] refines it by stage and sequence.
//! - A [`Span`] is a non-empty half-open range of raw keys.
//! - A [`RawChange`] always has `commit_ts > start_ts` and a non-empty key.
//! - An error [`Code`] is never reused for another meaning.

mod change;
mod code;
mod ddl;
mod id;
mod position;
mod span;
mod table;
mod ts;

pub use change::{ChangeOp, RawChange};
pub use code::{Code, CodePage, Coded};
pub use ddl::{DdlEvent, DdlKind};
pub use id::{ChangefeedId, LaneId, SlotId, SpanId, TableId};
pub use position::{Position, Stage};
pub use span::{Span, SpanError};
pub use table::{Column, ColumnFlags, ColumnType, Index, TableKey, TableVersion, TypeCode};
pub use ts::Ts;
