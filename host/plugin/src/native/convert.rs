//! From the contract's words to the SDK's, as the generated bindings do it in a component.

use crate::bindings::api::types as wit;
use crate::convert;
use crate::error::CallFault;
use crate::instance::InstanceSpec;
use crate::manifest::{Capability, Manifest, opens_warm};
use crate::ports::{BadEvent, Barrier, BarrierKind};
use tgr1::BatchBuf;
use tidegate_sdk as sdk;

pub(super) fn manifest(m: sdk::Manifest) -> Manifest {
    let capability = |c: sdk::Capability| Capability { name: c.name, required: c.required, reason: c.reason };
    Manifest {
        opens_warm: opens_warm(&m.attrs),
        name: m.name,
        version: m.version,
        config_schema: m.config_schema,
        capabilities: m.capabilities.into_iter().map(capability).collect(),
        tgr_minor: m.tgr_minor,
    }
}

pub(super) fn context(spec: &InstanceSpec, state: Option<Vec<u8>>) -> sdk::Context {
    let c = convert::context(spec, state);
    sdk::Context {
        changefeed: c.changefeed,
        slot: c.slot,
        lane: c.lane,
        lanes: c.lanes,
        epoch: c.epoch,
        config: c.config,
        checkpoint: position(c.checkpoint),
        state: c.state,
        endpoints: c.endpoints,
        tgr_minor: c.tgr_minor,
        attrs: c.attrs,
    }
}

pub(super) fn position(p: wit::Position) -> sdk::Position {
    sdk::Position { ts: p.ts, stage: p.stage, seq: p.seq }
}

/// `Err`: the number of a stage that does not exist.
pub(super) fn model_position(p: Option<sdk::Position>) -> Result<Option<tg_model::Position>, u8> {
    let known = |p: sdk::Position| {
        convert::model_position(wit::Position { ts: p.ts, stage: p.stage, seq: p.seq }).ok_or(p.stage)
    };
    p.map(known).transpose()
}

pub(super) const fn table_ref(t: wit::TableRef) -> sdk::TableRef {
    sdk::TableRef { table: t.table, version: t.version }
}

pub(super) fn schema(v: &tg_model::TableVersion) -> sdk::TableSchema {
    table_schema(convert::table_schema(v))
}

fn table_schema(t: wit::TableSchema) -> sdk::TableSchema {
    let index = |i: wit::Index| sdk::Index { name: i.name, columns: i.columns, unique: i.unique, primary: i.primary };
    sdk::TableSchema {
        id: table_ref(t.ref_),
        database: t.database,
        name: t.name,
        columns: t.columns.into_iter().map(column).collect(),
        indexes: t.indexes.into_iter().map(index).collect(),
        row_key: t.row_key,
        charset: t.charset,
        collation: t.collation,
        attrs: t.attrs,
    }
}

fn column(c: wit::Column) -> sdk::Column {
    let has = |flag| c.props.contains(flag);
    let props = sdk::ColumnProps {
        nullable: has(wit::ColumnProps::NULLABLE),
        primary_key: has(wit::ColumnProps::PRIMARY_KEY),
        row_key: has(wit::ColumnProps::ROW_KEY),
        unique: has(wit::ColumnProps::UNIQUE),
        generated: has(wit::ColumnProps::GENERATED),
        auto_increment: has(wit::ColumnProps::AUTO_INCREMENT),
        unsigned: has(wit::ColumnProps::UNSIGNED),
    };
    sdk::Column {
        id: c.id,
        name: c.name,
        logical: logical(c.logical),
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

macro_rules! same_names {
    ($name:ident, $from:ty, $to:ty, $($variant:ident)*) => {
        const fn $name(v: $from) -> $to {
            match v {
                $(<$from>::$variant => <$to>::$variant,)*
            }
        }
    };
}

same_names!(logical, wit::LogicalType, sdk::LogicalType, Int Uint Float32 Float64 Decimal Text Bytes Json Date Datetime
    Timestamp Time Year Enumeration Set Bit Vector);
same_names!(ddl_kind, wit::DdlKind, sdk::DdlKind, CreateSchema DropSchema AlterSchema CreateTable DropTable
    TruncateTable RenameTable RecoverTable CreateView DropView AddColumn DropColumn ModifyColumn AddIndex DropIndex
    AlterIndex AddForeignKey DropForeignKey AddPartition DropPartition TruncatePartition ExchangePartition
    ReorganizePartition AlterPartitioning AlterTable MultiSchemaChange);
same_names!(wit_logical, sdk::LogicalType, wit::LogicalType, Int Uint Float32 Float64 Decimal Text Bytes Json Date
    Datetime Timestamp Time Year Enumeration Set Bit Vector);
same_names!(wit_ddl_kind, sdk::DdlKind, wit::DdlKind, CreateSchema DropSchema AlterSchema CreateTable DropTable
    TruncateTable RenameTable RecoverTable CreateView DropView AddColumn DropColumn ModifyColumn AddIndex DropIndex
    AlterIndex AddForeignKey DropForeignKey AddPartition DropPartition TruncatePartition ExchangePartition
    ReorganizePartition AlterPartitioning AlterTable MultiSchemaChange);
same_names!(barrier_kind, BarrierKind, sdk::BarrierKind, Checkpoint Ddl Swap Stop);

pub(super) fn ddl_event(e: &tg_model::DdlEvent, maybe_done: bool) -> sdk::DdlEvent {
    let e = convert::ddl_event(e, maybe_done);
    sdk::DdlEvent {
        at: position(e.at),
        kind: ddl_kind(e.kind),
        database: e.database,
        table: e.table,
        query: e.query,
        before: e.before.map(table_schema),
        after: e.after.map(table_schema),
        maybe_done: e.maybe_done,
        attrs: e.attrs,
    }
}

fn wit_schema(t: sdk::TableSchema) -> wit::TableSchema {
    let index = |i: sdk::Index| wit::Index { name: i.name, columns: i.columns, unique: i.unique, primary: i.primary };
    wit::TableSchema {
        ref_: wit::TableRef { table: t.id.table, version: t.id.version },
        database: t.database,
        name: t.name,
        columns: t.columns.into_iter().map(wit_column).collect(),
        indexes: t.indexes.into_iter().map(index).collect(),
        row_key: t.row_key,
        charset: t.charset,
        collation: t.collation,
        attrs: t.attrs,
    }
}

fn wit_column(c: sdk::Column) -> wit::Column {
    let p = c.props;
    let mut props = wit::ColumnProps::empty();
    for (on, flag) in [
        (p.nullable, wit::ColumnProps::NULLABLE),
        (p.primary_key, wit::ColumnProps::PRIMARY_KEY),
        (p.row_key, wit::ColumnProps::ROW_KEY),
        (p.unique, wit::ColumnProps::UNIQUE),
        (p.generated, wit::ColumnProps::GENERATED),
        (p.auto_increment, wit::ColumnProps::AUTO_INCREMENT),
        (p.unsigned, wit::ColumnProps::UNSIGNED),
    ] {
        if on {
            props |= flag;
        }
    }
    wit::Column {
        id: c.id,
        name: c.name,
        logical: wit_logical(c.logical),
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

/// A transform's answer as the contract has it.
pub(super) fn output(t: sdk::TableSchema, from: &tg_model::TableVersion) -> Result<tg_model::TableVersion, String> {
    crate::output::table_version(&wit_schema(t), from)
}

/// A transform's DDL as the contract has it.
pub(super) fn seen_ddl(e: sdk::DdlEvent, from: &tg_model::DdlEvent) -> Result<tg_model::DdlEvent, String> {
    let got = wit::DdlEvent {
        at: wit::Position { ts: e.at.ts, stage: e.at.stage, seq: e.at.seq },
        kind: wit_ddl_kind(e.kind),
        database: e.database,
        table: e.table,
        query: e.query,
        before: e.before.map(wit_schema),
        after: e.after.map(wit_schema),
        maybe_done: e.maybe_done,
        attrs: e.attrs,
    };
    crate::output::ddl_event(got, from)
}

pub(super) fn barrier(b: Barrier) -> sdk::Barrier {
    sdk::Barrier { id: b.id, kind: barrier_kind(b.kind), at: position(convert::position(b.at)) }
}

pub(super) fn bad_events(bad: Vec<sdk::BadEvent>) -> Vec<BadEvent> {
    bad.into_iter().map(|b| BadEvent { row: b.row, code: b.code, message: b.message }).collect()
}

pub(super) fn fault(f: sdk::Failure) -> CallFault {
    match f {
        sdk::Failure::Retryable { message, after_ms, .. } => CallFault::Retryable { message, after_ms },
        sdk::Failure::Unknown { message, after_ms, .. } => CallFault::Unknown { message, after_ms },
        sdk::Failure::Fenced { message } => CallFault::Fenced { message },
        sdk::Failure::Fatal { code, message, .. } => CallFault::Fatal { code, message },
        sdk::Failure::Unsupported { code, message, .. } => CallFault::Unsupported { code, message },
    }
}

/// A batch as a native plugin sees it.
pub(super) struct Lent<'a>(pub(super) &'a BatchBuf);

impl sdk::RowBatch for Lent<'_> {
    fn table(&self) -> sdk::TableRef {
        let batch = self.0.batch();
        sdk::TableRef { table: batch.table(), version: batch.version() }
    }

    fn row_count(&self) -> u32 {
        self.0.len() as u32
    }

    fn byte_size(&self) -> u32 {
        self.0.len_bytes() as u32
    }

    fn read(&self, columns: Option<&[u32]>, start: u32, count: u32) -> Result<Vec<u8>, String> {
        crate::capability::rows::read(self.0, columns, start, count)
    }
}
