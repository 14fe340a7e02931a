//! Shared types between the bindings and the SDK.

use super::base::tidegate::plugin::{log, rows, session, types as raw};
use crate::{BadEvent, Context, DdlEvent, DdlKind, Failure, LogicalType, Position, RowBatch, TableRef};

impl From<raw::Position> for Position {
    fn from(p: raw::Position) -> Self {
        Self { ts: p.ts, stage: p.stage, seq: p.seq }
    }
}

impl From<Position> for raw::Position {
    fn from(p: Position) -> Self {
        Self { ts: p.ts, stage: p.stage, seq: p.seq }
    }
}

impl From<raw::TableRef> for TableRef {
    fn from(t: raw::TableRef) -> Self {
        Self { table: t.table, version: t.version }
    }
}

impl From<session::Context> for Context {
    fn from(c: session::Context) -> Self {
        Self {
            changefeed: c.changefeed,
            slot: c.slot,
            lane: c.lane,
            lanes: c.lanes,
            epoch: c.epoch,
            config: c.config,
            checkpoint: c.checkpoint.into(),
            state: c.state,
            endpoints: c.endpoints,
            tgr_minor: c.tgr_minor,
            attrs: c.attrs,
        }
    }
}

macro_rules! same_names {
    ($from:ty, $to:ty, $($name:ident)*) => {
        impl From<$from> for $to {
            fn from(v: $from) -> Self {
                match v {
                    $(<$from>::$name => Self::$name,)*
                }
            }
        }
    };
}

same_names!(raw::LogicalType, LogicalType, Int Uint Float32 Float64 Decimal Text Bytes Json Date Datetime Timestamp Time
    Year Enumeration Set Bit Vector);
same_names!(raw::DdlKind, DdlKind, CreateSchema DropSchema AlterSchema CreateTable DropTable TruncateTable RenameTable
    RecoverTable CreateView DropView AddColumn DropColumn ModifyColumn AddIndex DropIndex AlterIndex AddForeignKey
    DropForeignKey AddPartition DropPartition TruncatePartition ExchangePartition ReorganizePartition AlterPartitioning
    AlterTable MultiSchemaChange);
same_names!(LogicalType, raw::LogicalType, Int Uint Float32 Float64 Decimal Text Bytes Json Date Datetime Timestamp Time
    Year Enumeration Set Bit Vector);
same_names!(DdlKind, raw::DdlKind, CreateSchema DropSchema AlterSchema CreateTable DropTable TruncateTable RenameTable
    RecoverTable CreateView DropView AddColumn DropColumn ModifyColumn AddIndex DropIndex AlterIndex AddForeignKey
    DropForeignKey AddPartition DropPartition TruncatePartition ExchangePartition ReorganizePartition AlterPartitioning
    AlterTable MultiSchemaChange);
same_names!(crate::log::Level, log::Level, Trace Debug Info Warn Error);

impl From<raw::DdlEvent> for DdlEvent {
    fn from(e: raw::DdlEvent) -> Self {
        Self {
            at: e.at.into(),
            kind: e.kind.into(),
            database: e.database,
            table: e.table,
            query: e.query,
            before: e.before.map(Into::into),
            after: e.after.map(Into::into),
            maybe_done: e.maybe_done,
            attrs: e.attrs,
        }
    }
}

impl From<DdlEvent> for raw::DdlEvent {
    fn from(e: DdlEvent) -> Self {
        Self {
            at: e.at.into(),
            kind: e.kind.into(),
            database: e.database,
            table: e.table,
            query: e.query,
            before: e.before.map(Into::into),
            after: e.after.map(Into::into),
            maybe_done: e.maybe_done,
            attrs: e.attrs,
        }
    }
}

impl From<BadEvent> for raw::BadEvent {
    fn from(b: BadEvent) -> Self {
        Self { row: b.row, code: b.code, message: b.message }
    }
}

impl From<Failure> for raw::Failure {
    fn from(f: Failure) -> Self {
        match f {
            Failure::Retryable { message, after_ms, attrs } => {
                Self::Retryable(raw::RetryHint { message, after_ms, attrs })
            }
            Failure::Unknown { message, after_ms, attrs } => Self::Unknown(raw::RetryHint { message, after_ms, attrs }),
            Failure::Fenced { message } => Self::Fenced(raw::RetryHint { message, after_ms: None, attrs: Vec::new() }),
            Failure::Fatal { code, message, attrs } => Self::Fatal(raw::FatalError { code, message, attrs }),
            Failure::Unsupported { code, message, attrs } => {
                Self::Unsupported(raw::FatalError { code, message, attrs })
            }
        }
    }
}

impl From<raw::Failure> for Failure {
    fn from(f: raw::Failure) -> Self {
        match f {
            raw::Failure::Retryable(h) => Self::Retryable { message: h.message, after_ms: h.after_ms, attrs: h.attrs },
            raw::Failure::Unknown(h) => Self::Unknown { message: h.message, after_ms: h.after_ms, attrs: h.attrs },
            raw::Failure::Fenced(h) => Self::Fenced { message: h.message },
            raw::Failure::Fatal(e) => Self::Fatal { code: e.code, message: e.message, attrs: e.attrs },
            raw::Failure::Unsupported(e) => Self::Unsupported { code: e.code, message: e.message, attrs: e.attrs },
        }
    }
}

impl RowBatch for rows::RowBatch {
    fn table(&self) -> TableRef {
        Self::table(self).into()
    }

    fn row_count(&self) -> u32 {
        Self::row_count(self)
    }

    fn byte_size(&self) -> u32 {
        Self::byte_size(self)
    }

    fn read(&self, columns: Option<&[u32]>, start: u32, count: u32) -> Result<Vec<u8>, String> {
        Self::read(self, columns, start, count)
    }
}
