//! What ends a run of a changefeed.

use crate::quarantine::QuarantineError;
use std::sync::Arc;
use tg_model::{Code, Coded, LaneId, Position, SlotId, TableVersion, Ts};
use tg_plugin::{BadEvent, CallError, CallFault, Stop};
use tgr1::BatchBuf;

/// Why a run of a changefeed ended.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "fields are named in the messages")]
pub enum PipelineError {
    /// The upstream failed in a way that its own retries do not cover.
    #[error("{}{source}", subject(table))]
    Upstream { table: String, source: Arc<tg_upstream::UpstreamError> },
    /// The sorter failed.
    #[error("slot {slot}: {source}")]
    Sorter { slot: SlotId, source: tg_sorter::SorterError },
    /// A row or table cannot be understood.
    #[error("slot {slot}: {source}")]
    Mount { slot: SlotId, source: tg_mounter::MountError },
    /// A batch of our own making is not well-formed.
    #[error("slot {slot}: a batch is not well-formed: {source}")]
    Format { slot: SlotId, source: tgr1::FormatError },
    /// The schema store failed.
    #[error("{source}")]
    Schema { source: tg_schema::SchemaError },
    /// The filter cannot decide.
    #[error("{source}")]
    Filter { source: tg_filter::FilterError },
    /// A sink call failed.
    #[error("slot {slot}, lane {lane}: {source}")]
    Sink { slot: SlotId, lane: LaneId, source: CallError },
    /// A dispatcher call failed.
    #[error("slot {slot}: the dispatcher failed: {source}")]
    Dispatcher { slot: SlotId, source: CallError },
    /// A transform call failed.
    #[error("slot {slot}: a transform failed: {source}")]
    Transform { slot: SlotId, source: CallError },
    /// A transform changes what identifies a row.
    #[error("a transform does not fit `{schema}`.`{table}`: {detail}")]
    RowKey { schema: String, table: String, detail: String },
    /// The sink's side does not say how many partitions there are.
    #[error("slot {slot}: the partitions of a table's targets are not known: {source}")]
    Partitions { slot: SlotId, source: CallError },
    /// A row could not be put aside.
    #[error("{row}; it could not be put aside: {source}")]
    Quarantine { row: String, source: QuarantineError },
    /// A sink claims more than it was given.
    #[error(
        "slot {slot}, lane {lane}: the sink says that {durable} is durable, but it was handed rows up to {at} only"
    )]
    Ahead { slot: SlotId, lane: LaneId, durable: Position, at: Position },
    /// The new sink cannot be run without doing anything.
    #[error("the sinks cannot be compared: their source starts none that only note what they would send")]
    NoShadow,
    /// Sinks keep too much.
    #[error("the sinks keep {bytes} bytes together; the limit is {limit}")]
    StateTooLarge { bytes: usize, limit: usize },
    /// Plugins that failed on probation cannot be taken back here.
    #[error(
        "the plugins that were swapped in fail inside the transactions at {at}, where the former cannot take over: {source}"
    )]
    NoWayBack { at: Position, source: Box<PipelineError> },
    /// A DDL failed downstream.
    #[error("DDL at {ts} on `{schema}`.`{table}` failed: {source}; the statement: {query}")]
    Ddl { ts: Ts, schema: String, table: String, query: String, source: CallError },
    /// A sync point could not be marked downstream.
    #[error("the sync point at {ts} could not be marked: {source}")]
    Syncpoint { ts: Ts, source: CallError },
    /// The DDL executor's sink failed between two DDLs.
    #[error("the DDL executor's sink failed: {source}")]
    DdlSink { source: CallError },
    /// A plugin refused a row.
    #[error("the row of `{schema}`.`{table}` with commit-ts {commit_ts} was refused: {code}: {message}")]
    RefusedRow { schema: String, table: String, commit_ts: Ts, code: String, message: String },
    /// A sink keeps saying that a flush is not complete.
    #[error("slot {slot}, lane {lane}: the sink never completes its flush at {at}")]
    NeverComplete { slot: SlotId, lane: LaneId, at: Position },
    /// A plugin could not be started.
    #[error("{what} could not be started: {source}")]
    Start { what: String, source: CallError },
    /// The progress could not be stored.
    #[error("the changefeed's progress could not be stored: {detail}")]
    Store { detail: String, retryable: bool },
    /// The node that runs a slot cannot be heard any more.
    #[error("slot {slot} on another node is lost: {reason}")]
    SlotLost { slot: SlotId, reason: String },
    /// A slot on another node failed.
    #[error("on another node: {message}")]
    Away { slot: SlotId, code: Code, message: String, retryable: bool },
    /// Stages cannot be changed yet.
    #[error(
        "lanes had written up to {behind} before this run began, and it has got to {at}: until then rows keep their lanes"
    )]
    Behind { at: Position, behind: Position },
    /// What needs every slot in one process was asked while some are on other nodes.
    #[error("the changefeed's slots are on several nodes")]
    Spread,
    /// A part of the pipeline has gone without saying why.
    #[error("{part} ended without a reason")]
    Gone { part: &'static str },
    /// A transaction moves more rows to other keys than may wait for its end.
    #[error("slot {slot}: the transaction at {ts} moves more than {limit_bytes} bytes of rows to other keys")]
    KeysMoved { slot: SlotId, ts: Ts, limit_bytes: usize },
    /// More DDLs wait than the bound allows.
    #[error("more than {limit} DDLs wait at {ts}")]
    DdlFlood { ts: Ts, limit: usize },
}

fn subject(table: &str) -> String {
    if table.is_empty() { String::new() } else { format!("table {table}: ") }
}

impl PipelineError {
    /// The call that ended an instance, if that is what happened: a trap, its deadline, its memory.
    pub(crate) fn stopped_plugin(&self) -> Option<&CallError> {
        match self {
            Self::Sink { source, .. } | Self::Dispatcher { source, .. } | Self::Transform { source, .. } => {
                Some(source).filter(|e| e.is_stopped())
            }
            _ => None,
        }
    }

    /// Whether another version of the plugin may do better.
    pub(crate) fn is_the_plugins(&self) -> bool {
        match self {
            Self::Sink { source, .. } | Self::Dispatcher { source, .. } | Self::Transform { source, .. } => {
                !source.is_fenced() && !source.is_unknown()
            }
            Self::RefusedRow { .. } | Self::RowKey { .. } | Self::Quarantine { .. } | Self::Start { .. } => true,
            _ => false,
        }
    }

    /// The first of the rows a plugin refused.
    pub(crate) fn refused_row(version: &TableVersion, batch: &BatchBuf, refused: &[BadEvent]) -> Self {
        let first = refused.first();
        let row = first.and_then(|b| batch.batch().row(b.row as usize));
        Self::RefusedRow {
            schema: version.schema.clone(),
            table: version.name.clone(),
            commit_ts: Ts::new(row.map_or(0, |r| r.commit_ts())),
            code: first.map_or_else(String::new, |b| b.code.clone()),
            message: first.map_or_else(String::new, |b| b.message.clone()),
        }
    }
}

impl Coded for PipelineError {
    fn code(&self) -> Code {
        match self {
            Self::Upstream { source, .. } => source.code(),
            Self::Sorter { source, .. } => source.code(),
            Self::Mount { source, .. } => source.code(),
            Self::Schema { source } => source.code(),
            Self::Filter { source } => source.code(),
            Self::Sink { source, .. }
            | Self::DdlSink { source }
            | Self::Syncpoint { source, .. }
            | Self::Dispatcher { source, .. }
            | Self::Transform { source, .. }
            | Self::Partitions { source, .. }
            | Self::Start { source, .. } => source.code(),
            Self::Quarantine { source, .. } => source.code(),
            Self::NoWayBack { source, .. } => source.code(),
            Self::Format { .. } => Code(4001),
            Self::Ddl { .. } => Code(4002),
            Self::RefusedRow { .. } => Code(4003),
            Self::NeverComplete { .. } => Code(4004),
            Self::Store { .. } => Code(4005),
            Self::Gone { .. } => Code(4006),
            Self::Away { code, .. } => *code,
            Self::SlotLost { .. } => Code(4018),
            Self::DdlFlood { .. } => Code(4007),
            Self::KeysMoved { .. } => Code(4008),
            Self::RowKey { .. } => Code(4009),
            Self::Ahead { .. } => Code(4013),
            Self::StateTooLarge { .. } => Code(4014),
            Self::NoShadow | Self::Spread | Self::Behind { .. } => Code(4015),
        }
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::Upstream { source, .. } => source.is_retryable(),
            Self::Sorter { source, .. } => source.is_retryable(),
            Self::Mount { .. }
            | Self::Schema { .. }
            | Self::Filter { .. }
            | Self::Format { .. }
            | Self::RefusedRow { .. }
            | Self::RowKey { .. }
            | Self::Ahead { .. }
            | Self::StateTooLarge { .. }
            | Self::NoShadow
            | Self::KeysMoved { .. }
            | Self::Spread => false,
            Self::Away { retryable, .. } => *retryable,
            Self::Quarantine { source, .. } => source.is_retryable(),
            Self::NoWayBack { source, .. } => source.is_retryable(),
            Self::Sink { source, .. }
            | Self::DdlSink { source }
            | Self::Syncpoint { source, .. }
            | Self::Dispatcher { source, .. }
            | Self::Transform { source, .. }
            | Self::Partitions { source, .. }
            | Self::Start { source, .. }
            | Self::Ddl { source, .. } => source.may_pass(),
            Self::Store { retryable, .. } => *retryable,
            Self::Behind { .. }
            | Self::NeverComplete { .. }
            | Self::Gone { .. }
            | Self::DdlFlood { .. }
            | Self::SlotLost { .. } => true,
        }
    }
}

/// What a failed call means for its instance.
pub(crate) trait Fate {
    /// The host stopped the instance over what it did: a fresh one may do better.
    fn is_stopped(&self) -> bool;
    /// Another writer has taken over.
    fn is_fenced(&self) -> bool;
}

impl Fate for CallError {
    fn is_stopped(&self) -> bool {
        matches!(&self.fault, CallFault::Stopped { stop, .. } if *stop != Stop::Contract)
    }

    fn is_fenced(&self) -> bool {
        matches!(self.fault, CallFault::Fenced { .. })
    }
}
