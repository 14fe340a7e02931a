//! The table and rows that the stages are measured with: `id` bigint, `k` int, `c` char(120), `pad` char(60), the shape of
//! sysbench, 200 bytes of values.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::{
    ChangeOp, Column, ColumnFlags, ColumnType, Index, RawChange, Span, TableId, TableKey, TableVersion, Ts, TypeCode,
};
use tg_mounter::{MountOptions, TableMounter};
use tgr1::BatchBuf;

/// Id of the table.
pub(crate) const TABLE: TableId = TableId(45);
/// Bytes of a record key: `t`, table, `_r`, handle.
const KEY_BYTES: usize = 19;

fn column(id: i64, name: &str, code: TypeCode) -> Column {
    Column {
        id,
        name: name.to_owned(),
        ty: ColumnType {
            code,
            len: None,
            decimals: None,
            unsigned: false,
            zerofill: false,
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_bin".to_owned(),
            members: Vec::new(),
        },
        flags: ColumnFlags {
            primary_key: id == 1,
            row_key: id == 1,
            unique: id == 1,
            nullable: id != 1,
            ..ColumnFlags::default()
        },
        origin_default: None,
        default: None,
        default_is_expr: false,
        generated_expr: String::new(),
        comment: String::new(),
        meta_version: 2,
    }
}

/// The table.
pub(crate) fn table() -> Arc<TableVersion> {
    let primary = Index {
        id: 1,
        name: "PRIMARY".to_owned(),
        columns: vec![0],
        prefix_len: vec![None],
        unique: true,
        primary: true,
    };
    let columns = vec![
        column(1, "id", TypeCode::BigInt),
        column(2, "k", TypeCode::Int),
        column(3, "c", TypeCode::Char),
        column(4, "pad", TypeCode::Char),
    ];
    Arc::new(TableVersion {
        table: TABLE,
        since: Ts::new(1),
        update_ts: Ts::new(1),
        schema_id: 2,
        schema: "test".to_owned(),
        name: "sbtest1".to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        by_id: (1..).zip(0..columns.len() as u32).collect::<BTreeMap<_, _>>(),
        columns,
        indexes: vec![primary],
        row_key: Some(0),
        handle: TableKey::IntColumn(0),
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    })
}

/// A row's value in TiDB's format 2: columns 2 to 4.
pub(crate) fn row_value() -> Bytes {
    let mut out = vec![128, 0, 3, 0, 0, 0, 2, 3, 4, 4, 0, 124, 0, 184, 0];
    out.extend([1, 2, 3, 0]);
    out.extend([b'c'; 120]);
    out.extend([b'p'; 60]);
    out.into()
}

/// A small generator: repeatable disorder is wanted, not quality.
pub(crate) const fn scramble(n: u64) -> u64 {
    let x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
}

/// Keys of the handles `from..from + rows`, sharing one buffer.
fn keys(from: u64, rows: u64) -> Bytes {
    let prefix = Span::of_table(TABLE).start().clone();
    let mut out = Vec::with_capacity(rows as usize * KEY_BYTES);
    for handle in from..from + rows {
        out.extend_from_slice(&prefix);
        out.extend_from_slice(&(handle | 1 << 63).to_be_bytes());
    }
    out.into()
}

/// Inserts of the handles `from..from + rows`, each a transaction of its own; commit-ts nearly sorted, as they come from a store.
pub(crate) fn inserts(from: u64, rows: u64, value: &Bytes) -> Vec<RawChange> {
    let keys = keys(from, rows);
    let change = |n: u64| {
        let ts = 1000 + (from + n) * 10 + scramble(from + n) % 200;
        let at = n as usize * KEY_BYTES;
        RawChange {
            commit_ts: Ts::new(ts),
            start_ts: Ts::new(ts - 5),
            op: ChangeOp::Insert,
            key: keys.slice(at..at + KEY_BYTES),
            value: value.clone(),
            old_value: Bytes::new(),
        }
    };
    (0..rows).map(change).collect()
}

/// A batch of inserts as the mounter writes it.
pub(crate) fn batch(from: u64, rows: u64) -> anyhow::Result<Arc<BatchBuf>> {
    let table = table();
    let mut mounter = TableMounter::new(Arc::clone(&table), MountOptions::default())?;
    let mut writer = mounter.writer(table.since.get(), rows as usize * 300);
    for change in inserts(from, rows, &row_value()) {
        mounter.mount(&change, &mut writer)?;
    }
    Ok(Arc::new(BatchBuf::new(writer.finish())?))
}
