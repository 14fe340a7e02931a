//! TiDB's description of a table → [`TableVersion`].

use crate::SchemaError;
use crate::info::{ColumnInfo, FieldType, IndexInfo, STATE_PUBLIC, TableInfo};
use base64::Engine;
use serde_json::Value;
use std::collections::BTreeMap;
use tg_model::{Column, ColumnFlags, ColumnType, Index, TableId, TableKey, TableVersion, Ts, TypeCode};

const FLAG_NOT_NULL: u32 = 1;
const FLAG_UNSIGNED: u32 = 1 << 5;
const FLAG_ZEROFILL: u32 = 1 << 6;
const FLAG_AUTO_INCREMENT: u32 = 1 << 9;
const FLAG_PRIMARY_KEY: u32 = 1 << 1;

/// Id of the primary key that is the handle: such a key has no index, and indexes count from one.
const HANDLE_INDEX_ID: i64 = 0;

/// Where a table stands: what its description does not say.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) schema_id: i64,
    pub(crate) schema: &'a str,
    pub(crate) since: Ts,
}

/// The version that a description stands for.
pub(crate) fn table_version(info: &TableInfo, place: Place<'_>) -> Result<TableVersion, SchemaError> {
    let mut public: Vec<&ColumnInfo> = info.cols.iter().filter(|c| c.state == STATE_PUBLIC).collect();
    public.sort_by_key(|c| c.offset);
    let mut columns = Vec::with_capacity(public.len());
    for column in &public {
        columns.push(convert_column(column, info, place.schema)?);
    }
    let handle_column =
        info.pk_is_handle.then(|| public.iter().position(|c| c.ty.flag & FLAG_PRIMARY_KEY != 0)).flatten();
    let indexes = convert_indexes(info, &columns, handle_column.map(position));
    let row_key = choose_row_key(&indexes, &columns);
    mark(&mut columns, &indexes, row_key);
    let handle = match (handle_column, indexes.first()) {
        (Some(at), _) => TableKey::IntColumn(position(at)),
        (None, Some(index)) if info.is_common_handle && index.primary => TableKey::Common(index.columns.clone()),
        _ => TableKey::RowId,
    };
    let partitions = info.partition.as_ref().filter(|p| p.enable).map_or(&[][..], |p| &p.definitions);
    Ok(TableVersion {
        table: TableId(info.id),
        since: place.since,
        update_ts: Ts::new(info.update_timestamp),
        schema_id: place.schema_id,
        schema: place.schema.to_owned(),
        name: info.name.original.clone(),
        charset: info.charset.clone(),
        collation: info.collate.clone(),
        by_id: columns.iter().enumerate().map(|(i, c)| (c.id, position(i))).collect(),
        columns,
        indexes,
        row_key,
        handle,
        partitions: partitions.iter().map(|d| (TableId(d.id), d.name.original.clone())).collect(),
        is_view: info.view.is_some(),
        is_sequence: info.sequence.is_some(),
    })
}

/// A position as the model counts; a table has at most a few thousand columns.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn convert_column(c: &ColumnInfo, table: &TableInfo, schema: &str) -> Result<Column, SchemaError> {
    let ty = convert_type(&c.ty, table.view.is_some()).ok_or_else(|| SchemaError::UnknownType {
        schema: schema.to_owned(),
        table: table.name.original.clone(),
        column: c.name.original.clone(),
        number: c.ty.tp,
    })?;
    let is_bit = ty.code == TypeCode::Bit;
    let text = |value: &Value, bits: &str| {
        if is_bit && !bits.is_empty() {
            return base64::engine::general_purpose::STANDARD.decode(bits).ok();
        }
        value_text(value)
    };
    let generated = !c.generated_expr_string.is_empty();
    Ok(Column {
        id: c.id,
        name: c.name.original.clone(),
        flags: ColumnFlags {
            nullable: c.ty.flag & FLAG_NOT_NULL == 0,
            generated_stored: generated && c.generated_stored,
            generated_virtual: generated && !c.generated_stored,
            auto_increment: c.ty.flag & FLAG_AUTO_INCREMENT != 0,
            ..ColumnFlags::default()
        },
        ty,
        origin_default: text(&c.origin_default, &c.origin_default_bit),
        default: text(&c.default, &c.default_bit),
        default_is_expr: c.default_is_expr,
        generated_expr: c.generated_expr_string.clone(),
        comment: c.comment.clone(),
        meta_version: c.version,
    })
}

/// Columns of a view have no type until it is used.
fn convert_type(ty: &FieldType, of_view: bool) -> Option<ColumnType> {
    let code = TypeCode::from_u8(ty.tp).or(of_view.then_some(TypeCode::Null))?;
    // TiDB sets both flags for YEAR and BIT too, where they say nothing.
    let is_number = code.is_integer() || matches!(code, TypeCode::Float | TypeCode::Double | TypeCode::Decimal);
    let has_charset = code.is_string() || matches!(code, TypeCode::Enum | TypeCode::Set);
    let name = |s: &str| {
        if has_charset { s.to_owned() } else { String::new() }
    };
    Some(ColumnType {
        code,
        len: u32::try_from(ty.flen).ok(),
        decimals: u32::try_from(ty.decimal).ok(),
        unsigned: is_number && ty.flag & FLAG_UNSIGNED != 0,
        zerofill: is_number && ty.flag & FLAG_ZEROFILL != 0,
        charset: name(&ty.charset),
        collation: name(&ty.collate),
        members: ty.elems.clone(),
    })
}

/// A default as text: most are JSON strings, some numbers.
fn value_text(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(s) => Some(s.as_bytes().to_vec()),
        Value::Bool(b) => Some(if *b { b"1".to_vec() } else { b"0".to_vec() }),
        other => Some(other.to_string().into_bytes()),
    }
}

fn convert_indexes(info: &TableInfo, columns: &[Column], handle_column: Option<u32>) -> Vec<Index> {
    let by_name: BTreeMap<&str, u32> =
        columns.iter().enumerate().map(|(i, c)| (c.name.as_str(), position(i))).collect();
    let mut indexes: Vec<Index> =
        info.index_info.iter().filter(|i| i.state == STATE_PUBLIC).filter_map(|i| convert_index(i, &by_name)).collect();
    if let Some(at) = handle_column {
        indexes.push(Index {
            id: HANDLE_INDEX_ID,
            name: "PRIMARY".to_owned(),
            columns: vec![at],
            prefix_len: vec![None],
            unique: true,
            primary: true,
        });
    }
    indexes.sort_by_key(|i| !i.primary);
    indexes
}

/// `None` when a column of the index is not public, as in the middle of another change.
fn convert_index(i: &IndexInfo, by_name: &BTreeMap<&str, u32>) -> Option<Index> {
    let columns =
        i.idx_cols.iter().map(|c| by_name.get(c.name.original.as_str()).copied()).collect::<Option<Vec<u32>>>()?;
    Some(Index {
        id: i.id,
        name: if i.is_primary { "PRIMARY".to_owned() } else { i.idx_name.original.clone() },
        columns,
        prefix_len: i.idx_cols.iter().map(|c| u32::try_from(c.length).ok()).collect(),
        unique: i.is_unique || i.is_primary,
        primary: i.is_primary,
    })
}

/// The rule of [`TableVersion::row_key`]; of equals the first counts.
fn choose_row_key(indexes: &[Index], columns: &[Column]) -> Option<u32> {
    let usable = |i: &Index| {
        let column_ok =
            |c: &u32| columns.get(*c as usize).is_some_and(|c| !c.flags.nullable && !c.flags.generated_virtual);
        i.primary || (i.unique && i.columns.iter().all(column_ok))
    };
    let chosen =
        indexes.iter().enumerate().filter(|(_, i)| usable(i)).min_by_key(|(_, i)| (!i.primary, i.columns.len()));
    chosen.map(|(at, _)| position(at))
}

fn mark(columns: &mut [Column], indexes: &[Index], row_key: Option<u32>) {
    for (at, index) in indexes.iter().enumerate() {
        for c in &index.columns {
            let Some(column) = columns.get_mut(*c as usize) else {
                continue;
            };
            column.flags.primary_key |= index.primary;
            column.flags.unique |= index.unique;
            column.flags.row_key |= row_key == Some(position(at));
        }
    }
}
