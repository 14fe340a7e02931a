//! The shipped guests through the runtime. Needs their components below `target/guests`; passes over them otherwise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tg_model::{
    ChangefeedId, Column, ColumnFlags, ColumnType, Coded, Index, LaneId, Position, SlotId, TableId, TableKey,
    TableVersion, Ts, TypeCode,
};
use tg_plugin::grant::LaneContext;
use tg_plugin::{
    Barrier, BarrierKind, DispatcherInstance, DispatcherPort, EngineOptions, Grants, InstanceSpec, Limits, Plugin,
    PluginEngine, SinkInstance, SinkPort,
};
use tgr1::{BatchBuf, BatchWriter, ColumnSpec, ImageKind, Logical, Op};

fn guest(name: &str) -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/guests/wasm32-wasip2/guest");
    let bytes = std::fs::read(root.join(format!("tg_plugin_{name}.wasm"))).ok();
    if bytes.is_none() {
        eprintln!("the guest {name} is not built: passed over");
    }
    bytes
}

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
        flags: ColumnFlags { primary_key: id == 1, row_key: id == 1, ..ColumnFlags::default() },
        origin_default: None,
        default: None,
        default_is_expr: false,
        generated_expr: String::new(),
        comment: String::new(),
        meta_version: 2,
    }
}

fn table() -> Arc<TableVersion> {
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

fn batch(rows: i64) -> Arc<BatchBuf> {
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

fn spec(config: &str) -> InstanceSpec {
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

#[tokio::test]
async fn a_sink_takes_rows_and_acknowledges() {
    let Some(bytes) = guest("blackhole") else { return };
    let engine = PluginEngine::new(&EngineOptions { instances_max: 8, ..EngineOptions::default() }).unwrap();
    let plugin = Plugin::load(&engine, bytes).await.unwrap();
    assert_eq!(plugin.manifest().name, "blackhole");
    let (mut sink, durable) = SinkInstance::open(&plugin, &spec(r#"{"touch":true}"#)).await.unwrap();
    assert_eq!(durable, None);
    sink.on_schema(table()).await.unwrap();
    assert!(sink.write(batch(256)).await.unwrap().quarantined.is_empty());
    let at = Position::rows(Ts::new(100));
    assert!(sink.flush(Barrier { id: 3, kind: BarrierKind::Checkpoint, at }).await.unwrap().complete);
    assert_eq!(sink.status().await.unwrap(), None);
    sink.close().await;
    assert_eq!(plugin.metrics().counters(), [("rows".to_owned(), 256)]);
    assert_eq!(plugin.metrics().traps.load(Relaxed), 0);
}

#[tokio::test]
async fn the_dispatcher_spreads_keys_over_the_lanes() {
    let Some(bytes) = guest("dispatcher") else { return };
    let engine = PluginEngine::new(&EngineOptions { instances_max: 8, ..EngineOptions::default() }).unwrap();
    let plugin = Plugin::load(&engine, bytes).await.unwrap();
    let mut dispatcher = DispatcherInstance::open(&plugin, &spec("")).await.unwrap();
    let plan = dispatcher.on_schema(table()).await.unwrap();
    assert_eq!((plan.columns, plan.split_key_updates), (Some(vec![0]), true));
    let decided = dispatcher.dispatch(&batch(1000)).await.unwrap();
    for lane in 0..4 {
        let n = decided.lanes.iter().filter(|l| **l == lane).count();
        assert!((150..350).contains(&n), "lane {lane} has {n} of 1000");
    }
}

#[tokio::test]
async fn what_is_not_a_component_is_named_as_such() {
    let engine = PluginEngine::new(&EngineOptions { instances_max: 8, ..EngineOptions::default() }).unwrap();
    let e = Plugin::load(&engine, b"not wasm".to_vec()).await.unwrap_err();
    assert_eq!(e.code().to_string(), "TG-2001");
    let foreign = br#"(component (import "evil:net/raw@1.0.0" (instance)))"#;
    let e = Plugin::load(&engine, foreign.to_vec()).await.unwrap_err();
    assert!(["TG-2001", "TG-2003"].contains(&e.code().to_string().as_str()), "{e}");
}
