//! A table, batches of it and instances for it.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tg_model::{
    ChangefeedId, Column, ColumnFlags, ColumnType, Index, LaneId, Position, SlotId, TableId, TableKey, TableVersion,
    Ts, TypeCode,
};
use tg_plugin::grant::LaneContext;
use tg_plugin::{Barrier, BarrierKind, EngineOptions, Grants, InstanceSpec, Limits, PluginEngine};
use tgr1::{BatchBuf, BatchWriter, ColumnSpec, ImageKind, Logical, Op};

pub(crate) fn engine(instances_max: u32) -> Arc<PluginEngine> {
    PluginEngine::new(&EngineOptions { instances_max, ..EngineOptions::default() }).unwrap()
}

/// No targets: the table itself.
pub(crate) fn none() -> Arc<[String]> {
    Arc::from([])
}

pub(crate) fn barrier(id: u32) -> Barrier {
    Barrier { id, kind: BarrierKind::Checkpoint, at: Position::rows(Ts::new(100)) }
}

/// With little memory, and more time than any guest needs that ends by itself.
pub(crate) fn small_spec(config: &str) -> InstanceSpec {
    let limits = Limits { memory_bytes: 64 << 20, call: Duration::from_secs(120) };
    InstanceSpec { limits, ..spec(config) }
}

/// With little memory and time.
pub(crate) fn short_spec(config: &str) -> InstanceSpec {
    let limits = Limits { memory_bytes: 64 << 20, call: Duration::from_millis(300) };
    InstanceSpec { limits, ..spec(config) }
}

pub(crate) fn column(id: i64, name: &str, code: TypeCode) -> Column {
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
        flags: ColumnFlags { primary_key: id == 1, row_key: id == 1, ..ColumnFlags::default() },
        origin_default: None,
        default: None,
        default_is_expr: false,
        generated_expr: String::new(),
        comment: String::new(),
        meta_version: 2,
    }
}

pub(crate) fn table() -> Arc<TableVersion> {
    let primary = Index {
        id: 1,
        name: "PRIMARY".to_owned(),
        columns: vec![0],
        prefix_len: vec![None],
        unique: true,
        primary: true,
    };
    Arc::new(TableVersion {
        table: TableId(45),
        since: Ts::new(7),
        update_ts: Ts::new(7),
        schema_id: 2,
        schema: "test".to_owned(),
        name: "t".to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        columns: vec![column(1, "id", TypeCode::BigInt), column(2, "c", TypeCode::VarChar)],
        by_id: BTreeMap::from([(1, 0), (2, 1)]),
        indexes: vec![primary],
        row_key: Some(0),
        handle: TableKey::IntColumn(0),
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    })
}

pub(crate) fn batch(rows: i64) -> Arc<BatchBuf> {
    let specs = [ColumnSpec::new(0, Logical::Int), ColumnSpec::new(1, Logical::Text)];
    let mut w = BatchWriter::new(45, 7, &specs, 4096);
    for id in 0..rows {
        w.begin_row(100, 99, Op::Insert, 0);
        w.begin_image(ImageKind::After);
        w.put_i64(0, id);
        w.put_bytes(1, b"hello");
        w.end_row().unwrap();
    }
    Arc::new(BatchBuf::new(w.finish_with(Vec::new())).unwrap())
}

pub(crate) fn spec(config: &str) -> InstanceSpec {
    InstanceSpec {
        lane: LaneContext {
            changefeed: ChangefeedId::new("default", "f").unwrap(),
            slot: SlotId(0),
            lane: LaneId(0),
            epoch: (1, 1),
        },
        lanes: 4,
        config: config.to_owned(),
        checkpoint: Position::ZERO,
        state: None,
        grants: Grants::default(),
        limits: Limits::SINK,
    }
}
