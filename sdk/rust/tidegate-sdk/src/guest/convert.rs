//! Shared types between the bindings and the SDK.

use super::base::tidegate::plugin::{log, rows, session, types as raw};
use crate::{
    BadEvent, Column, ColumnProps, Context, DdlEvent, DdlKind, Failure, Index, LogicalType, Position, RowBatch,
    TableRef, TableSchema,
};

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

impl From<raw::TableSchema> for TableSchema {
    fn from(t: raw::TableSchema) -> Self {
        let index = |i: raw::Index| Index { name: i.name, columns: i.columns, unique: i.unique, primary: i.primary };
        Self {
            id: t.ref_.into(),
            database: t.database,
            name: t.name,
            columns: t.columns.into_iter().map(Into::into).collect(),
            indexes: t.indexes.into_iter().map(index).collect(),
            row_key: t.row_key,
            charset: t.charset,
            collation: t.collation,
            attrs: t.attrs,
        }
    }
}

impl From<raw::Column> for Column {
    fn from(c: raw::Column) -> Self {
        let has = |flag| c.props.contains(flag);
        let props = ColumnProps {
            nullable: has(raw::ColumnProps::NULLABLE),
            primary_key: has(raw::ColumnProps::PRIMARY_KEY),
            row_key: has(raw::ColumnProps::ROW_KEY),
            unique: has(raw::ColumnProps::UNIQUE),
            generated: has(raw::ColumnProps::GENERATED),
            auto_increment: has(raw::ColumnProps::AUTO_INCREMENT),
            unsigned: has(raw::ColumnProps::UNSIGNED),
        };
        Self {
            id: c.id,
            name: c.name,
            logical: c.logical.into(),
            source_type: c.source_type,
            props,
            length: c.length,
            decimals: c.decimals,
            charset: c.charset,
            collation: c.collation,
            members: c.members,
            default_value: c.default_value,
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
