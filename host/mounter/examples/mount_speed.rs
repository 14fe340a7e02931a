//! Prints what mounting a row costs: four columns, about 200 bytes, one image.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tg_model::{ChangeOp, Column, ColumnFlags, ColumnType, RawChange, TableId, TableKey, TableVersion, Ts, TypeCode};
use tg_mounter::{MountOptions, TableMounter};

const ROWS: u32 = 4_000_000;
const BATCH_BYTES: usize = 1 << 20;

fn column(id: i64, code: TypeCode) -> Column {
    let charset = "utf8mb4".to_owned();
    let collation = "utf8mb4_bin".to_owned();
    let ty = ColumnType {
        code,
        len: None,
        decimals: None,
        unsigned: false,
        zerofill: false,
        charset,
        collation,
        members: Vec::new(),
    };
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

/// `id` bigint primary key, `k` int, `c` char(120), `pad` char(60): the shape of sysbench.
fn sysbench() -> TableVersion {
    let types = [TypeCode::BigInt, TypeCode::Int, TypeCode::Char, TypeCode::Char];
    TableVersion {
        table: TableId(45),
        since: Ts::ZERO,
        update_ts: Ts::ZERO,
        schema_id: 1,
        schema: "test".to_owned(),
        name: "sbtest1".to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        columns: (1..).zip(types).map(|(id, code)| column(id, code)).collect(),
        by_id: BTreeMap::new(),
        indexes: Vec::new(),
        row_key: None,
        handle: TableKey::IntColumn(0),
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    }
}

fn row() -> Vec<u8> {
    let mut out = vec![128, 0, 3, 0, 0, 0, 2, 3, 4, 4, 0, 124, 0, 184, 0];
    out.extend([1, 2, 3, 0]);
    out.extend([b'c'; 120]);
    out.extend([b'p'; 60]);
    out
}

fn key() -> Vec<u8> {
    [&b"t\x80\0\0\0\0\0\0\x2d_r\x80\0\0\0\0\0\0"[..], &[1]].concat()
}

fn measure(name: &str, change: &RawChange, table: &Arc<TableVersion>) {
    let mut mounter = TableMounter::new(table.clone(), MountOptions::default()).unwrap();
    let mut out = mounter.writer(1, BATCH_BYTES);
    let mut spare = Vec::with_capacity(BATCH_BYTES);
    let start = Instant::now();
    for _ in 0..ROWS {
        mounter.mount(change, &mut out).unwrap();
        if out.len_bytes() > BATCH_BYTES - 4096 {
            spare = out.finish_with(spare);
        }
    }
    let ns = start.elapsed().as_nanos() as f64 / f64::from(ROWS);
    println!("{name}: {ns:.0} ns/row");
}

fn main() {
    let table = Arc::new(sysbench());
    let insert = RawChange {
        commit_ts: Ts::new(2),
        start_ts: Ts::new(1),
        op: ChangeOp::Insert,
        key: key().into(),
        value: row().into(),
        old_value: Default::default(),
    };
    measure("insert, one image", &insert, &table);
    let update = RawChange { op: ChangeOp::Update, old_value: insert.value.clone(), ..insert };
    measure("update, two images", &update, &table);
}
