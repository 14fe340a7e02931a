//! Tables and DDL as the host hands them to plugins.

use tg_model::{Column, TableVersion};
use tidegate_sdk as sdk;

pub(crate) fn table_schema(v: &TableVersion) -> sdk::TableSchema {
    let mut next = 0;
    let mut place = |c: &Column| {
        let here = (!c.flags.generated_virtual).then_some(next);
        next += u32::from(here.is_some());
        here
    };
    let moved: Vec<Option<u32>> = v.columns.iter().map(&mut place).collect();
    let mut row_key = None;
    let mut indexes = Vec::new();
    for (i, index) in v.indexes.iter().enumerate() {
        let columns: Option<Vec<u32>> = index.columns.iter().map(|c| moved[*c as usize]).collect();
        let Some(columns) = columns else { continue };
        if v.row_key == Some(i as u32) {
            row_key = Some(indexes.len() as u32);
        }
        indexes.push(sdk::Index { name: index.name.clone(), columns, unique: index.unique, primary: index.primary });
    }
    sdk::TableSchema {
        id: sdk::TableRef { table: v.table.0.cast_unsigned(), version: v.since.get() },
        database: v.schema.clone(),
        name: v.name.clone(),
        columns: v.columns.iter().filter(|c| !c.flags.generated_virtual).map(column).collect(),
        indexes,
        row_key,
        charset: v.charset.clone(),
        collation: v.collation.clone(),
        attrs: vec![("update-ts".to_owned(), v.update_ts.to_string())],
    }
}

fn column(c: &Column) -> sdk::Column {
    let attrs = [("generated-expr", &c.generated_expr), ("comment", &c.comment)];
    sdk::Column {
        id: c.id,
        name: c.name.clone(),
        logical: logical(tg_mounter::logical(&c.ty)),
        source_type: tg_mounter::source_type(&c.ty),
        props: sdk::ColumnProps {
            nullable: c.flags.nullable,
            primary_key: c.flags.primary_key,
            row_key: c.flags.row_key,
            unique: c.flags.unique,
            generated: c.flags.generated_stored,
            auto_increment: c.flags.auto_increment,
            unsigned: c.ty.unsigned,
        },
        length: c.ty.len,
        decimals: c.ty.decimals,
        charset: c.ty.charset.clone(),
        collation: c.ty.collation.clone(),
        members: c.ty.members.clone(),
        default_value: c.default.clone(),
        attrs: attrs.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| ((*n).to_owned(), (*v).clone())).collect(),
    }
}

fn logical(l: tgr1::Logical) -> sdk::LogicalType {
    use sdk::LogicalType as L;
    [
        L::Int,
        L::Uint,
        L::Float32,
        L::Float64,
        L::Decimal,
        L::Text,
        L::Bytes,
        L::Json,
        L::Date,
        L::Datetime,
        L::Timestamp,
        L::Time,
        L::Year,
        L::Enumeration,
        L::Set,
        L::Bit,
        L::Vector,
    ][l as usize - 1]
}

pub(crate) fn ddl_event(e: &tg_model::DdlEvent) -> sdk::DdlEvent {
    sdk::DdlEvent {
        at: sdk::Position { ts: e.commit_ts.get(), stage: 2, seq: 0 },
        kind: kind(e.kind),
        database: e.schema.clone(),
        table: e.table.clone(),
        query: e.query.clone(),
        before: e.before.as_deref().map(table_schema),
        after: e.after.as_deref().map(table_schema),
        maybe_done: false,
        attrs: vec![("action".to_owned(), e.action.to_string()), ("seq".to_owned(), e.seq.to_string())],
    }
}

fn kind(k: tg_model::DdlKind) -> sdk::DdlKind {
    macro_rules! same_names {
        ($($name:ident)*) => { match k { $(tg_model::DdlKind::$name => sdk::DdlKind::$name,)* } };
    }
    same_names!(CreateSchema DropSchema AlterSchema CreateTable DropTable TruncateTable RenameTable RecoverTable CreateView
        DropView AddColumn DropColumn ModifyColumn AddIndex DropIndex AlterIndex AddForeignKey DropForeignKey AddPartition
        DropPartition TruncatePartition ExchangePartition ReorganizePartition AlterPartitioning AlterTable MultiSchemaChange)
}
