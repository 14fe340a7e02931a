//! What a transform makes of a table, as the host's own words: everyone behind sees a table version like any other.

use crate::bindings::api::types::{Column, ColumnProps, Index, TableSchema};
use crate::output_type::column_type;
use crate::{answer, convert};
use std::collections::{BTreeMap, BTreeSet};
use tg_model::{ColumnFlags, TableVersion};

/// Longest name of a database, table, column or index.
const NAME_LEN_MAX: usize = 256;
/// Name of the column that stands for keys which plugins do not see; never in rows.
const HIDDEN: &str = "tidegate hidden key";

/// The version that `schema` describes, which a transform made of `from`. What it does not speak of stays.
pub(crate) fn table_version(schema: &TableSchema, from: &TableVersion) -> Result<TableVersion, String> {
    let (got, asked) = (schema.ref_, convert::table_ref(from));
    if (got.table, got.version) != (asked.table, asked.version) {
        return Err(format!("its output is of table {} version {}", got.table, got.version));
    }
    named("database", &schema.database)?;
    named("table", &schema.name)?;
    if schema.columns.is_empty() || schema.columns.len() > tgr1::COLUMNS_MAX {
        return Err(format!("its output has {} columns", schema.columns.len()));
    }
    let mut names = BTreeSet::new();
    for column in &schema.columns {
        named("column", &column.name)?;
        if !names.insert(column.name.to_lowercase()) {
            return Err(format!("its output has two columns {:?}", column.name));
        }
    }
    let mut columns = schema.columns.iter().map(|c| model_column(c, from)).collect::<Result<Vec<_>, _>>()?;
    let mut indexes = schema.indexes.iter().map(|i| index(i, schema, from)).collect::<Result<Vec<_>, _>>()?;
    let row_key = schema.row_key.map(|k| row_key(k, schema)).transpose()?;
    if schema.attrs.iter().any(|(k, v)| k == "hidden-keys" && v == "true") {
        let at = columns.len() as u32;
        columns.push(hidden_column());
        indexes.push(tg_model::Index {
            id: 0,
            name: HIDDEN.to_owned(),
            columns: vec![at],
            prefix_len: vec![None],
            unique: true,
            primary: false,
        });
    }
    let by_id: BTreeMap<i64, u32> = columns.iter().zip(0..).map(|(c, i)| (c.id, i)).collect();
    if by_id.len() != columns.len() {
        return Err("its output has two columns of one id".to_owned());
    }
    Ok(TableVersion {
        schema: schema.database.clone(),
        name: schema.name.clone(),
        charset: schema.charset.clone(),
        collation: schema.collation.clone(),
        columns,
        by_id,
        indexes,
        row_key,
        // Only keys are decoded with it, which lie behind the transform.
        handle: tg_model::TableKey::RowId,
        ..from.clone()
    })
}

fn named(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > NAME_LEN_MAX || name.contains('\0') {
        return Err(format!("its output has a {what} whose name is empty, too long or holds a zero byte"));
    }
    Ok(())
}

fn attr<'a>(c: &'a Column, name: &str) -> Option<&'a str> {
    c.attrs.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
}

fn model_column(c: &Column, from: &TableVersion) -> Result<tg_model::Column, String> {
    let before =
        from.by_id.get(&c.id).and_then(|i| from.columns.get(*i as usize)).filter(|b| !b.flags.generated_virtual);
    let ty = match before {
        Some(b) if tg_mounter::source_type(&b.ty) == c.source_type => {
            tg_model::ColumnType { charset: c.charset.clone(), collation: c.collation.clone(), ..b.ty.clone() }
        }
        _ => column_type(c)?,
    };
    if convert::logical(tg_mounter::logical(&ty)) != c.logical {
        let (name, source) = (&c.name, &c.source_type);
        return Err(format!("its column {name:?} of type {source:?} cannot be {:?}", c.logical));
    }
    let has = |flag| c.props.contains(flag);
    let flags = ColumnFlags {
        nullable: has(ColumnProps::NULLABLE),
        primary_key: has(ColumnProps::PRIMARY_KEY),
        row_key: has(ColumnProps::ROW_KEY),
        unique: has(ColumnProps::UNIQUE),
        generated_stored: has(ColumnProps::GENERATED),
        generated_virtual: false,
        auto_increment: has(ColumnProps::AUTO_INCREMENT),
    };
    Ok(tg_model::Column {
        id: c.id,
        name: c.name.clone(),
        ty,
        flags,
        origin_default: None,
        default: c.default_value.clone(),
        default_is_expr: attr(c, "default-is-expr") == Some("true"),
        generated_expr: attr(c, "generated-expr").unwrap_or_default().to_owned(),
        comment: attr(c, "comment").unwrap_or_default().to_owned(),
        meta_version: before.map_or(0, |b| b.meta_version),
    })
}

fn index(i: &Index, schema: &TableSchema, from: &TableVersion) -> Result<tg_model::Index, String> {
    named("index", &i.name)?;
    answer::check_columns(Some(&i.columns), schema.columns.len()).map_err(|e| format!("index {:?}: {e}", i.name))?;
    if i.columns.is_empty() || i.columns.iter().collect::<BTreeSet<_>>().len() != i.columns.len() {
        return Err(format!("index {:?} has no column, or one twice", i.name));
    }
    let before = from.indexes.iter().find(|b| b.name == i.name && b.columns.len() == i.columns.len());
    Ok(tg_model::Index {
        id: before.map_or(0, |b| b.id),
        name: i.name.clone(),
        columns: i.columns.clone(),
        prefix_len: before.map_or_else(|| vec![None; i.columns.len()], |b| b.prefix_len.clone()),
        unique: i.unique,
        primary: i.primary,
    })
}

/// Rows are told apart by it, so it must be unique and its columns be there and never NULL.
fn row_key(at: u32, schema: &TableSchema) -> Result<u32, String> {
    let index = schema.indexes.get(at as usize).filter(|i| i.unique);
    let index = index.ok_or_else(|| format!("its row key {at} is no unique index"))?;
    let nullable = |c: &u32| schema.columns.get(*c as usize).is_some_and(|c| c.props.contains(ColumnProps::NULLABLE));
    if index.columns.iter().any(nullable) {
        return Err(format!("its row key {:?} has a column that can be NULL", index.name));
    }
    Ok(at)
}

fn hidden_column() -> tg_model::Column {
    tg_model::Column {
        id: i64::MIN,
        name: HIDDEN.to_owned(),
        ty: tg_model::ColumnType {
            code: tg_model::TypeCode::BigInt,
            len: None,
            decimals: None,
            unsigned: false,
            zerofill: false,
            charset: String::new(),
            collation: String::new(),
            members: Vec::new(),
        },
        flags: ColumnFlags { nullable: true, generated_virtual: true, ..ColumnFlags::default() },
        origin_default: None,
        default: None,
        default_is_expr: false,
        generated_expr: String::new(),
        comment: String::new(),
        meta_version: 0,
    }
}

/// The DDL as the transform wants it seen. What only the host needs stays as it was.
pub(crate) fn ddl_event(
    got: crate::bindings::api::types::DdlEvent,
    from: &tg_model::DdlEvent,
) -> Result<tg_model::DdlEvent, String> {
    let asked = convert::ddl_event(from, false);
    if got.kind != asked.kind || convert::model_position(got.at) != convert::model_position(asked.at) {
        return Err("its DDL is of another kind or at another position than the one it was given".to_owned());
    }
    if got.query.is_empty() {
        return Err("its DDL has no statement".to_owned());
    }
    let side = |got: Option<TableSchema>, from: Option<&std::sync::Arc<TableVersion>>| match (got, from) {
        (None, None) => Ok(None),
        (Some(got), Some(from)) => table_version(&got, from).map(|v| Some(v.into())),
        _ => Err("its DDL has a table before or after where there is none, or lacks it".to_owned()),
    };
    Ok(tg_model::DdlEvent {
        before: side(got.before, from.before.as_ref())?,
        after: side(got.after, from.after.as_ref())?,
        schema: got.database,
        table: got.table,
        query: got.query,
        ..from.clone()
    })
}

#[cfg(test)]
mod tests;
