//! Vectors, table versions from TiDB's JSON, and values as TiDB prints them.
#![allow(dead_code)]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tg_model::{
    ChangeOp, Column, ColumnFlags, ColumnType, Index, RawChange, TableId, TableKey, TableVersion, Ts, TypeCode,
};
use tgr1::text::{f32_text, f64_text, i64_text, time_text, u64_text, vector_text};
use tgr1::{Image, Logical, PackedTime};

/// The vectors of a file; `None`, with a word on stderr, when the reference folder is not there.
pub(crate) fn vectors(file: &str) -> Option<Vec<Value>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/vectors");
    let path = Path::new(folder).join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("passed over: {} is not there", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

pub(crate) fn bytes(hex_text: &Value) -> Vec<u8> {
    hex::decode(hex_text.as_str().unwrap()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn open(value: &Value) -> Option<u32> {
    value.as_i64().and_then(|n| u32::try_from(n).ok())
}

fn members(value: &Value) -> Vec<String> {
    value.as_array().map(|all| all.iter().map(text).collect()).unwrap_or_default()
}

/// A column type from its parts.
pub(crate) fn column_type(
    code: u64,
    flag: u64,
    len: &Value,
    decimals: &Value,
    names: [&Value; 2],
    elems: &Value,
) -> ColumnType {
    ColumnType {
        code: TypeCode::from_u8(code as u8).unwrap(),
        len: open(len),
        decimals: open(decimals),
        unsigned: flag & 32 != 0,
        zerofill: flag & 64 != 0,
        charset: text(names[0]),
        collation: text(names[1]),
        members: members(elems),
    }
}

/// A nullable column.
pub(crate) fn column(id: i64, ty: ColumnType) -> Column {
    Column {
        id,
        name: format!("c{id}"),
        ty,
        flags: ColumnFlags { nullable: true, ..ColumnFlags::default() },
        origin_default: None,
        default: None,
        default_is_expr: false,
        generated_expr: String::new(),
        comment: String::new(),
        meta_version: 2,
    }
}

/// A table of these columns.
pub(crate) fn table(id: i64, columns: Vec<Column>, handle: TableKey) -> TableVersion {
    TableVersion {
        table: TableId(id),
        since: Ts::ZERO,
        update_ts: Ts::ZERO,
        schema_id: 1,
        schema: "test".to_owned(),
        name: "t".to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        by_id: BTreeMap::new(),
        columns,
        indexes: Vec::new(),
        row_key: None,
        handle,
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    }
}

fn info_column(info: &Value) -> Column {
    let ty = &info["type"];
    let flag = ty["Flag"].as_u64().unwrap();
    let generated = !text(&info["generated_expr_string"]).is_empty();
    let stored = info["generated_stored"].as_bool().unwrap_or_default();
    let names = [&ty["Charset"], &ty["Collate"]];
    let ty = column_type(ty["Tp"].as_u64().unwrap(), flag, &ty["Flen"], &ty["Decimal"], names, &ty["Elems"]);
    Column {
        name: text(&info["name"]["O"]),
        flags: ColumnFlags {
            nullable: flag & 1 == 0,
            primary_key: flag & 2 != 0,
            generated_stored: generated && stored,
            generated_virtual: generated && !stored,
            ..ColumnFlags::default()
        },
        origin_default: info["origin_default"].as_str().map(|text| text.as_bytes().to_vec()),
        ..column(info["id"].as_i64().unwrap(), ty)
    }
}

/// A table version from a TableInfo; as little of it as mounting needs.
pub(crate) fn table_from_info(info: &Value) -> Arc<TableVersion> {
    let columns: Vec<Column> = info["cols"].as_array().unwrap().iter().map(info_column).collect();
    let of_index = |index: &Value| -> Vec<u32> {
        index["idx_cols"].as_array().unwrap().iter().map(|c| c["offset"].as_u64().unwrap() as u32).collect()
    };
    let empty = Vec::new();
    let infos = info["index_info"].as_array().unwrap_or(&empty);
    let primary = infos.iter().find(|index| index["is_primary"] == true).map(of_index);
    let handle = if info["pk_is_handle"] == true {
        TableKey::IntColumn(columns.iter().position(|c| c.flags.primary_key).unwrap() as u32)
    } else if info["is_common_handle"] == true {
        TableKey::Common(primary.clone().unwrap())
    } else {
        TableKey::RowId
    };
    let mut version = table(info["id"].as_i64().unwrap(), columns, handle);
    version.name = text(&info["name"]["O"]);
    let definitions = info["partition"]["definitions"].as_array().unwrap_or(&empty);
    version.partitions =
        definitions.iter().map(|d| (TableId(d["id"].as_i64().unwrap()), text(&d["name"]["O"]))).collect();
    if let Some(columns) = primary.or(match version.handle {
        TableKey::IntColumn(at) => Some(vec![at]),
        _ => None,
    }) {
        let prefix_len = columns.iter().map(|_| None).collect();
        let name = "PRIMARY".to_owned();
        version.indexes = vec![Index { id: 1, name, columns, prefix_len, unique: true, primary: true }];
        version.row_key = Some(0);
    }
    Arc::new(version)
}

/// A record key with an integer handle.
pub(crate) fn int_key(table: i64, handle: i64) -> Vec<u8> {
    let cmp = |n: i64| (n.cast_unsigned() ^ (1 << 63)).to_be_bytes();
    [&b"t"[..], &cmp(table), b"_r", &cmp(handle)].concat()
}

/// An insert of a row.
pub(crate) fn insert(key: &[u8], value: &[u8]) -> RawChange {
    RawChange {
        commit_ts: Ts::new(42),
        start_ts: Ts::new(41),
        op: ChangeOp::Insert,
        key: key.to_vec().into(),
        value: value.to_vec().into(),
        old_value: Default::default(),
    }
}

/// A value as TiDB answers it over its text protocol; `None` is NULL.
pub(crate) fn value_text(image: &Image<'_>, col: usize, ty: &ColumnType) -> Option<Vec<u8>> {
    if image.is_null(col) {
        return None;
    }
    let (slot, raw) = (image.u64(col).unwrap(), image.bytes(col));
    let fsp = ty.decimals.unwrap_or(0) as u8;
    let mut out = Vec::new();
    match tg_mounter::logical(ty) {
        Logical::Int => i64_text(&mut out, slot.cast_signed()),
        Logical::UInt => u64_text(&mut out, slot),
        Logical::Year => out = format!("{slot:04}").into_bytes(),
        Logical::Float32 => f32_text(&mut out, f64::from_bits(slot) as f32),
        Logical::Float64 => f64_text(&mut out, f64::from_bits(slot)),
        Logical::Decimal | Logical::Text | Logical::Bytes | Logical::Json => out = raw.unwrap().to_vec(),
        Logical::Date => PackedTime(slot).date_text(&mut out),
        Logical::DateTime | Logical::Timestamp => PackedTime(slot).datetime_text(&mut out, fsp),
        Logical::Time => time_text(&mut out, slot.cast_signed(), fsp),
        Logical::Enum => out = slot.checked_sub(1).map(|i| ty.members[i as usize].clone()).unwrap_or_default().into(),
        Logical::Set => {
            let names: Vec<&str> =
                ty.members.iter().enumerate().filter(|(i, _)| slot >> i & 1 != 0).map(|(_, m)| m.as_str()).collect();
            out = names.join(",").into_bytes();
        }
        Logical::Bit => {
            let len = ty.len.unwrap_or(1).div_ceil(8) as usize;
            out = slot.to_be_bytes()[8 - len..].to_vec();
        }
        Logical::Vector => vector_text(&mut out, raw.unwrap()),
    }
    Some(out)
}

/// A type of this code without particulars.
pub(crate) fn ty(code: TypeCode) -> ColumnType {
    column_type(code as u64, 0, &Value::Null, &Value::Null, [&json!("utf8mb4"), &json!("utf8mb4_bin")], &Value::Null)
}

/// `id` bigint as the handle, `v` varchar.
pub(crate) fn int_table() -> TableVersion {
    let key = Column { name: "id".to_owned(), ..column(1, ty(TypeCode::BigInt)) };
    let value = Column { name: "v".to_owned(), ..column(2, ty(TypeCode::VarChar)) };
    table(45, vec![key, value], TableKey::IntColumn(0))
}

/// A row of format 2 with small ids.
pub(crate) fn row_v2(values: &[(u8, &[u8])], nulls: &[u8]) -> Vec<u8> {
    let mut out = vec![128, 0, values.len() as u8, 0, nulls.len() as u8, 0];
    out.extend(values.iter().map(|(id, _)| id));
    out.extend(nulls);
    let mut end = 0_u16;
    for (_, payload) in values {
        end += payload.len() as u16;
        out.extend(end.to_le_bytes());
    }
    out.extend(values.iter().flat_map(|(_, payload)| payload.iter().copied()));
    out
}
