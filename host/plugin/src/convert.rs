//! From the host's words to the contract's.

use crate::bindings::api::types::{
    Column, ColumnProps, DdlEvent, DdlKind, Index, LogicalType, Position, TableRef, TableSchema,
};
use crate::call::cut;
use crate::ports;
use tg_model::TableVersion;
use tgr1::Logical;

/// Names the version in batches and to guests.
pub(crate) const fn table_ref(v: &TableVersion) -> TableRef {
    TableRef { table: v.table.0.cast_unsigned(), version: v.since.get() }
}

/// Columns of every image: all but those generated on read.
pub(crate) fn column_count(v: &TableVersion) -> usize {
    v.columns.iter().filter(|c| !c.flags.generated_virtual).count()
}

/// The table without its virtual columns. Indexes over such columns are left out.
pub(crate) fn table_schema(v: &TableVersion) -> TableSchema {
    let mut next = 0;
    let moved: Vec<Option<u32>> = v
        .columns
        .iter()
        .map(|c| {
            (!c.flags.generated_virtual).then(|| {
                next += 1;
                next - 1
            })
        })
        .collect();
    let mut row_key = None;
    let mut hidden_keys = false;
    let mut indexes = Vec::with_capacity(v.indexes.len());
    for (i, index) in v.indexes.iter().enumerate() {
        let columns: Option<Vec<u32>> =
            index.columns.iter().map(|c| moved.get(*c as usize).copied().flatten()).collect();
        let is_row_key = v.row_key == u32::try_from(i).ok();
        let Some(columns) = columns else {
            hidden_keys |= index.unique;
            continue;
        };
        if is_row_key {
            row_key = u32::try_from(indexes.len()).ok();
            hidden_keys |= index.prefix_len.iter().any(Option::is_some);
        }
        indexes.push(Index { name: index.name.clone(), columns, unique: index.unique, primary: index.primary });
    }
    let mut attrs =
        vec![("schema-id".to_owned(), v.schema_id.to_string()), ("update-ts".to_owned(), v.update_ts.to_string())];
    if hidden_keys {
        attrs.push(("hidden-keys".to_owned(), "true".to_owned()));
    }
    TableSchema {
        ref_: table_ref(v),
        database: v.schema.clone(),
        name: v.name.clone(),
        columns: v.columns.iter().filter(|c| !c.flags.generated_virtual).map(column).collect(),
        indexes,
        row_key,
        charset: v.charset.clone(),
        collation: v.collation.clone(),
        attrs,
    }
}

fn column(c: &tg_model::Column) -> Column {
    let mut props = ColumnProps::empty();
    let f = &c.flags;
    for (on, flag) in [
        (f.nullable, ColumnProps::NULLABLE),
        (f.primary_key, ColumnProps::PRIMARY_KEY),
        (f.row_key, ColumnProps::ROW_KEY),
        (f.unique, ColumnProps::UNIQUE),
        (f.generated_stored, ColumnProps::GENERATED),
        (f.auto_increment, ColumnProps::AUTO_INCREMENT),
        (c.ty.unsigned, ColumnProps::UNSIGNED),
    ] {
        if on {
            props |= flag;
        }
    }
    let mut attrs = Vec::new();
    if c.default_is_expr {
        attrs.push(("default-is-expr".to_owned(), "true".to_owned()));
    }
    for (name, value) in [("generated-expr", &c.generated_expr), ("comment", &c.comment)] {
        if !value.is_empty() {
            attrs.push((name.to_owned(), value.clone()));
        }
    }
    Column {
        id: c.id,
        name: c.name.clone(),
        logical: logical(tg_mounter::logical(&c.ty)),
        source_type: tg_mounter::source_type(&c.ty),
        props,
        length: c.ty.len,
        decimals: c.ty.decimals,
        charset: c.ty.charset.clone(),
        collation: c.ty.collation.clone(),
        members: c.ty.members.clone(),
        default_value: c.default.clone(),
        attrs,
    }
}

pub(crate) const fn logical(l: Logical) -> LogicalType {
    match l {
        Logical::Int => LogicalType::Int,
        Logical::UInt => LogicalType::Uint,
        Logical::Float32 => LogicalType::Float32,
        Logical::Float64 => LogicalType::Float64,
        Logical::Decimal => LogicalType::Decimal,
        Logical::Text => LogicalType::Text,
        Logical::Bytes => LogicalType::Bytes,
        Logical::Json => LogicalType::Json,
        Logical::Date => LogicalType::Date,
        Logical::DateTime => LogicalType::Datetime,
        Logical::Timestamp => LogicalType::Timestamp,
        Logical::Time => LogicalType::Time,
        Logical::Year => LogicalType::Year,
        Logical::Enum => LogicalType::Enumeration,
        Logical::Set => LogicalType::Set,
        Logical::Bit => LogicalType::Bit,
        Logical::Vector => LogicalType::Vector,
    }
}

pub(crate) const fn position(p: tg_model::Position) -> Position {
    Position { ts: p.ts.get(), stage: p.stage as u8, seq: p.seq }
}

/// `None` for a stage that does not exist.
pub(crate) fn model_position(p: Position) -> Option<tg_model::Position> {
    Some(tg_model::Position { ts: p.ts.into(), stage: tg_model::Stage::from_u8(p.stage)?, seq: p.seq })
}

pub(crate) fn ddl_event(e: &tg_model::DdlEvent, maybe_done: bool) -> DdlEvent {
    let attr = |k: &str, v: String| (k.to_owned(), v);
    DdlEvent {
        at: position(tg_model::Position::ddl(e.commit_ts)),
        kind: ddl_kind(e.kind),
        database: e.schema.clone(),
        table: e.table.clone(),
        query: e.query.clone(),
        before: e.before.as_deref().map(table_schema),
        after: e.after.as_deref().map(table_schema),
        maybe_done,
        attrs: vec![
            attr("seq", e.seq.to_string()),
            attr("job-id", e.job_id.to_string()),
            attr("action", e.action.to_string()),
            attr("charset", e.charset.clone()),
            attr("collation", e.collation.clone()),
            attr("sql-mode", e.sql_mode.to_string()),
        ],
    }
}

fn ddl_kind(k: tg_model::DdlKind) -> DdlKind {
    use tg_model::DdlKind as M;
    match k {
        M::CreateSchema => DdlKind::CreateSchema,
        M::DropSchema => DdlKind::DropSchema,
        M::AlterSchema => DdlKind::AlterSchema,
        M::CreateTable => DdlKind::CreateTable,
        M::DropTable => DdlKind::DropTable,
        M::TruncateTable => DdlKind::TruncateTable,
        M::RenameTable => DdlKind::RenameTable,
        M::RecoverTable => DdlKind::RecoverTable,
        M::CreateView => DdlKind::CreateView,
        M::DropView => DdlKind::DropView,
        M::AddColumn => DdlKind::AddColumn,
        M::DropColumn => DdlKind::DropColumn,
        M::ModifyColumn => DdlKind::ModifyColumn,
        M::AddIndex => DdlKind::AddIndex,
        M::DropIndex => DdlKind::DropIndex,
        M::AlterIndex => DdlKind::AlterIndex,
        M::AddForeignKey => DdlKind::AddForeignKey,
        M::DropForeignKey => DdlKind::DropForeignKey,
        M::AddPartition => DdlKind::AddPartition,
        M::DropPartition => DdlKind::DropPartition,
        M::TruncatePartition => DdlKind::TruncatePartition,
        M::ExchangePartition => DdlKind::ExchangePartition,
        M::ReorganizePartition => DdlKind::ReorganizePartition,
        M::AlterPartitioning => DdlKind::AlterPartitioning,
        M::AlterTable => DdlKind::AlterTable,
        M::MultiSchemaChange => DdlKind::MultiSchemaChange,
    }
}

impl From<crate::bindings::api::types::BadEvent> for ports::BadEvent {
    fn from(b: crate::bindings::api::types::BadEvent) -> Self {
        Self { row: b.row, code: cut(b.code), message: cut(b.message) }
    }
}

/// `state`: the plugin's own part of what was stored.
pub(crate) fn context(spec: &crate::InstanceSpec, state: Option<Vec<u8>>) -> crate::bindings::api::session::Context {
    crate::bindings::api::session::Context {
        changefeed: spec.lane.changefeed.to_string(),
        slot: spec.lane.slot.0.into(),
        lane: spec.lane.lane.0.into(),
        lanes: spec.lanes.into(),
        epoch: spec.lane.epoch,
        config: spec.config.clone(),
        checkpoint: position(spec.checkpoint),
        state,
        endpoints: spec.grants.endpoints(),
        tgr_minor: tgr1::MINOR.into(),
        attrs: Vec::new(),
    }
}
