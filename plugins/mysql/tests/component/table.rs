//! A table and its rows as the host knows them.

use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::{Column, ColumnFlags, ColumnType, Index, TableId, TableKey, TableVersion, Ts, TypeCode};
use tgr1::{BatchBuf, BatchWriter, ColumnSpec, ImageKind, Logical, Op};

fn column(id: i64, name: &str, key: bool) -> Column {
    Column {
        id,
        name: name.to_owned(),
        ty: ColumnType {
            code: TypeCode::BigInt,
            len: None,
            decimals: None,
            unsigned: false,
            zerofill: false,
            charset: String::new(),
            collation: String::new(),
            members: Vec::new(),
        },
        flags: ColumnFlags { primary_key: key, row_key: key, unique: key, nullable: !key, ..ColumnFlags::default() },
        origin_default: None,
        default: None,
        default_is_expr: false,
        generated_expr: String::new(),
        comment: String::new(),
        meta_version: 2,
    }
}

/// `db.name (id BIGINT, v BIGINT)`, `id` its primary key if `keyed`.
pub(crate) fn table(id: i64, name: &str, keyed: bool) -> Arc<TableVersion> {
    let primary = Index {
        id: 1,
        name: "PRIMARY".to_owned(),
        columns: vec![0],
        prefix_len: vec![None],
        unique: true,
        primary: true,
    };
    Arc::new(TableVersion {
        table: TableId(id),
        since: Ts::new(1),
        update_ts: Ts::new(1),
        schema_id: 2,
        schema: "db".to_owned(),
        name: name.to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        by_id: BTreeMap::from([(1, 0), (2, 1)]),
        columns: vec![column(1, "id", keyed), column(2, "v", false)],
        indexes: if keyed { vec![primary] } else { Vec::new() },
        row_key: keyed.then_some(0),
        handle: if keyed { TableKey::IntColumn(0) } else { TableKey::RowId },
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    })
}

/// Inserts of `(id, id * 10)`.
pub(crate) fn inserts(table: &TableVersion, ids: std::ops::Range<i64>) -> Arc<BatchBuf> {
    let specs = [ColumnSpec::new(0, Logical::Int), ColumnSpec::new(1, Logical::Int)];
    let mut w = BatchWriter::new(table.table.0.cast_unsigned(), table.since.get(), &specs, 1024);
    for id in ids {
        w.begin_row(100, 99, Op::Insert, 0);
        w.begin_image(ImageKind::After);
        w.put_i64(0, id);
        w.put_i64(1, id * 10);
        w.end_row().unwrap();
    }
    Arc::new(BatchBuf::new(w.finish()).unwrap())
}
