//! The webhook of the box, as a component and natively, to a real HTTP server.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_http::{HttpOrigin, HttpTarget};
use tg_model::{
    ChangefeedId, Coded, Column, ColumnFlags, ColumnType, DdlEvent, DdlKind, Index, LaneId, Position, SlotId, TableId,
    TableKey, TableVersion, Ts, TypeCode,
};
use tg_plugin::grant::{LaneContext, Secret};
use tg_plugin::native::NativeSink;
use tg_plugin::{
    Barrier, BarrierKind, EngineOptions, Grants, InstanceSpec, Limits, Plugin, PluginEngine, SinkInstance, SinkPort,
};
use tg_plugin_webhook::Webhook;
use tgr1::{BatchBuf, BatchWriter, ColumnSpec, ImageKind, Logical, Op};

/// What the server has seen, and how many requests it answers with which status before it accepts.
#[derive(Default)]
struct Receiver {
    seen: Mutex<Vec<(String, Value)>>,
    refuse: Mutex<Vec<StatusCode>>,
}

impl Receiver {
    fn answer(&self, headers: &HeaderMap, body: &Bytes) -> Response {
        assert_eq!(headers["authorization"], "Bearer s3cret");
        let key = headers["idempotency-key"].to_str().unwrap().to_owned();
        if let Some(status) = self.refuse.lock().pop() {
            return (status, [("retry-after", "3")], "not now").into_response();
        }
        self.seen.lock().push((key, serde_json::from_slice(body).unwrap()));
        StatusCode::NO_CONTENT.into_response()
    }

    /// Ids of all events in the order they were accepted.
    fn ids(&self) -> Vec<String> {
        let seen = self.seen.lock();
        let events = seen.iter().flat_map(|(_, body)| body["events"].as_array().unwrap().clone());
        events.map(|e| e["id"].as_str().unwrap().to_owned()).collect()
    }
}

/// A server that ends with the test's runtime, and the grants to reach it.
async fn receiver() -> (Arc<Receiver>, Grants) {
    let receiver = Arc::<Receiver>::default();
    let shared = Arc::clone(&receiver);
    let handle = move |headers: HeaderMap, body: Bytes| {
        let answer = shared.answer(&headers, &body);
        async move { answer }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = HttpTarget {
        headers: vec![("authorization".to_owned(), Secret::new("Bearer s3cret"))],
        ..HttpTarget::new(&format!("http://{}/hooks", listener.local_addr().unwrap()))
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handle)).await });
    let mut grants = Grants::default();
    grants.http.insert("hook".to_owned(), Arc::new(HttpOrigin::new(&target).unwrap()));
    (receiver, grants)
}

fn spec(config: &Value, grants: &Grants, state: Option<Vec<u8>>) -> InstanceSpec {
    let changefeed = ChangefeedId::new("default", "f").unwrap();
    InstanceSpec {
        lane: LaneContext { changefeed, slot: SlotId(2), lane: LaneId(1), epoch: (1, 1) },
        lanes: 4,
        config: config.to_string(),
        checkpoint: Position::ZERO,
        state,
        grants: grants.clone(),
        limits: Limits::SINK,
    }
}

async fn component(spec: &InstanceSpec) -> Box<dyn SinkPort> {
    let engine = PluginEngine::new(&EngineOptions { instances_max: 4, ..EngineOptions::default() }).unwrap();
    let plugin = Plugin::load(&engine, tg_builtin::WEBHOOK.to_vec()).await.unwrap();
    Box::new(SinkInstance::open(&plugin, spec).await.unwrap().0)
}

async fn native(spec: &InstanceSpec) -> Box<dyn SinkPort> {
    Box::new(NativeSink::open::<Webhook>(spec).await.unwrap().0)
}

fn table() -> Arc<TableVersion> {
    let column = |id: i64, name: &str, code| Column {
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
        flags: ColumnFlags { primary_key: id == 1, row_key: id == 1, nullable: id != 1, ..ColumnFlags::default() },
        origin_default: None,
        default: None,
        default_is_expr: false,
        generated_expr: String::new(),
        comment: String::new(),
        meta_version: 2,
    };
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
        schema: "shop".to_owned(),
        name: "orders".to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        columns: vec![column(1, "id", TypeCode::BigInt), column(2, "note", TypeCode::VarChar)],
        by_id: BTreeMap::from([(1, 0), (2, 1)]),
        indexes: vec![primary],
        row_key: Some(0),
        handle: TableKey::IntColumn(0),
        partitions: Vec::new(),
        is_view: false,
        is_sequence: false,
    })
}

/// Inserts with these (commit-ts, id).
fn batch(rows: &[(u64, i64)]) -> Arc<BatchBuf> {
    let specs = [ColumnSpec::new(0, Logical::Int), ColumnSpec::new(1, Logical::Text)];
    let mut w = BatchWriter::new(45, 7, &specs, 4096);
    for (commit_ts, id) in rows {
        w.begin_row(*commit_ts, commit_ts - 1, Op::Insert, 0);
        w.begin_image(ImageKind::After);
        w.put_i64(0, *id);
        if id % 2 == 0 {
            w.put_bytes(1, "é\"".as_bytes());
        }
        w.end_row().unwrap();
    }
    Arc::new(BatchBuf::new(w.finish()).unwrap())
}

fn barrier(id: u32) -> Barrier {
    Barrier { id, kind: BarrierKind::Checkpoint, at: Position::rows(Ts::new(100)) }
}

fn no_targets() -> Arc<[String]> {
    Arc::from([])
}

#[tokio::test]
async fn rows_ddl_and_checkpoints_arrive_once_each_in_order() {
    for as_component in [true, false] {
        let (receiver, grants) = receiver().await;
        let spec = spec(&json!({"batch-rows": 2, "checkpoints": true, "path": "/in"}), &grants, None);
        let mut sink = if as_component { component(&spec).await } else { native(&spec).await };
        sink.on_schema(table(), no_targets()).await.unwrap();
        sink.write(batch(&[(10, 1), (10, 2), (11, 3)])).await.unwrap();
        assert!(sink.flush(barrier(1)).await.unwrap().complete);
        let ddl = DdlEvent {
            commit_ts: Ts::new(12),
            seq: 0,
            job_id: 1,
            action: 5,
            kind: DdlKind::AddColumn,
            schema: "shop".to_owned(),
            table: "orders".to_owned(),
            query: "ALTER TABLE `shop`.`orders` ADD COLUMN c INT".to_owned(),
            charset: String::new(),
            collation: String::new(),
            sql_mode: 0,
            before: Some(table()),
            after: Some(table()),
            blocks: Vec::new(),
            removes: Vec::new(),
            adds: Vec::new(),
        };
        sink.on_ddl(Arc::new(ddl), true).await.unwrap();
        sink.on_checkpoint(Position::ddl(Ts::new(12))).await.unwrap();
        sink.close().await;
        let at = "default/f/2/1";
        let ids = ["10-45-1", "10-45-2", "11-45-1", "12-ddl-0", "checkpoint-12-2-0"].map(|id| format!("{at}/{id}"));
        assert_eq!(receiver.ids(), ids);
        let seen = receiver.seen.lock();
        let keys: Vec<&str> = seen.iter().map(|(k, _)| k.as_str()).collect();
        assert_eq!(keys[..2], [format!("{at}/10-45-1..10-45-2"), format!("{at}/11-45-1..11-45-1")]);
        let first = json!({"id": ids[0], "type": "insert", "database": "shop", "table": "orders", "commit-ts": "10", "key": ["id"],
            "after": {"id": 1, "note": null}});
        assert_eq!(
            seen[0].1,
            json!({"version": 1, "source": at, "events": [first, {"id": ids[1], "type": "insert",
            "database": "shop", "table": "orders", "commit-ts": "10", "key": ["id"], "after": {"id": 2, "note": "é\""}}]})
        );
        assert_eq!(seen[2].1["events"][0]["maybe-repeated"], json!(true));
    }
}

#[tokio::test]
async fn what_the_receiver_refuses_for_now_is_sent_again_under_its_name() {
    let (receiver, grants) = receiver().await;
    let mut sink = component(&spec(&json!({}), &grants, None)).await;
    sink.on_schema(table(), no_targets()).await.unwrap();
    sink.write(batch(&[(10, 1)])).await.unwrap();
    *receiver.refuse.lock() = vec![StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS];
    for _ in 0..2 {
        let e = sink.flush(barrier(1)).await.unwrap_err();
        assert!(e.is_retryable(), "{e}");
        assert_eq!(e.after_ms(), Some(3000));
        assert!(!e.to_string().contains("s3cret"), "{e}");
    }
    assert!(receiver.ids().is_empty());
    assert!(sink.flush(barrier(1)).await.unwrap().complete);
    assert_eq!(receiver.ids(), ["default/f/2/1/10-45-1"]);
    *receiver.refuse.lock() = vec![StatusCode::BAD_REQUEST];
    sink.write(batch(&[(11, 1)])).await.unwrap();
    assert_eq!(sink.flush(barrier(2)).await.unwrap_err().code().0, 2013);
}

#[tokio::test]
async fn events_keep_their_names_over_a_restart_within_a_commit_ts() {
    let (receiver, grants) = receiver().await;
    let mut sink = component(&spec(&json!({}), &grants, None)).await;
    sink.on_schema(table(), no_targets()).await.unwrap();
    sink.write(batch(&[(10, 1), (10, 2)])).await.unwrap();
    let within = Barrier { at: Position::within(Ts::new(10), 2), ..barrier(1) };
    let kept = sink.flush(within).await.unwrap().state;
    assert!(kept.is_some());
    // Not acknowledged, so that it comes again to the next instance.
    sink.write(batch(&[(10, 3)])).await.unwrap();
    drop(sink);
    let mut sink = native(&spec(&json!({}), &grants, kept)).await;
    sink.on_schema(table(), no_targets()).await.unwrap();
    sink.write(batch(&[(10, 3), (12, 4)])).await.unwrap();
    sink.flush(barrier(2)).await.unwrap();
    assert_eq!(receiver.ids(), ["10-45-1", "10-45-2", "10-45-3", "12-45-1"].map(|id| format!("default/f/2/1/{id}")));
}

#[tokio::test]
async fn without_an_endpoint_it_does_not_start() {
    let engine = PluginEngine::new(&EngineOptions { instances_max: 4, ..EngineOptions::default() }).unwrap();
    let plugin = Plugin::load(&engine, tg_builtin::WEBHOOK.to_vec()).await.unwrap();
    let refused = SinkInstance::open(&plugin, &spec(&json!({}), &Grants::default(), None)).await.err().unwrap();
    assert_eq!(refused.code().0, 2004);
    let (_, grants) = receiver().await;
    let e = plugin.check(r#"{"path":"x"}"#, &grants).unwrap_err();
    assert!(e.to_string().contains("config.path"), "{e}");
}
