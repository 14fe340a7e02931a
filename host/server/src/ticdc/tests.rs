//! Keys as TiCDC writes them, in a real store.

use super::*;
use serde_json::{Value, json};
use tg_metastore::EmbeddedStore;
use tg_model::{Coded, Position};

const CHECKPOINT: u64 = 470_609_059_287_662_600;

struct Rig {
    from: Arc<dyn MetaStore>,
    to: Arc<dyn MetaStore>,
    _folders: [tempfile::TempDir; 2],
}

/// The record of a changefeed into MySQL as TiCDC 8 writes it, with `change` merged into it.
fn info(change: &Value) -> Value {
    let mut info = json!({
        "upstream-id": 7_111_u64, "namespace": "default", "changefeed-id": "orders",
        "sink-uri": "mysql://root:hunter2@db:3306/?worker-count=8&batch-dml-enable=true",
        "create-time": "2026-03-01T10:00:00.5+08:00", "start-ts": CHECKPOINT - 9, "target-ts": 0, "admin-job-type": 1,
        "sort-engine": "unified", "sort-dir": "", "state": "stopped", "error": null, "warning": null,
        "creator-version": "v8.5.1", "epoch": 4_u64,
        "config": {
            "memory-quota": 1_073_741_824_u64, "case-sensitive": false, "force-replicate": true, "check-gc-safe-point": true,
            "enable-sync-point": false, "enable-table-monitor": false, "ignore-ineligible-table": false, "bdr-mode": false,
            "sync-point-interval": 600_000_000_000_u64, "sync-point-retention": 86_400_000_000_000_u64,
            "filter": { "rules": ["shop.*", "!shop.log_*"], "ignore-txn-start-ts": null, "event-filters": [
                { "matcher": ["shop.t"], "ignore-event": ["truncate table"], "ignore-sql": ["^DROP"],
                  "ignore-insert-value-expr": "id > 9", "ignore-update-new-value-expr": "",
                  "ignore-update-old-value-expr": "", "ignore-delete-value-expr": "" }
            ] },
            "mounter": { "worker-num": 16 },
            "sink": { "csv": { "delimiter": ",", "quote": "\"", "null": "\\N", "include-commit-ts": false,
                               "binary-encoding-method": "base64", "output-old-value": false, "output-handle-key": false },
                      "encoder-concurrency": 32, "terminator": "\r\n", "date-separator": "day",
                      "enable-partition-separator": true, "send-bootstrap-interval-in-sec": 120 },
            "consistent": { "level": "none", "max-log-size": 64, "flush-interval": 2000, "storage": "" },
            "scheduler": { "enable-table-across-nodes": false, "region-threshold": 100_000, "write-key-threshold": 0 },
            "integrity": { "integrity-check-level": "none", "corruption-handle-level": "warn" },
            "changefeed-error-stuck-duration": 1_800_000_000_000_u64, "sql-mode": ""
        }
    });
    merge(&mut info, change);
    info
}

fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (name, value) in change {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

impl Rig {
    fn new() -> Self {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let store = |at: usize| -> Arc<dyn MetaStore> { Arc::new(EmbeddedStore::open(folders[at].path()).unwrap()) };
        Self { from: store(0), to: store(1), _folders: folders }
    }

    async fn put(&self, key: &str, value: &Value) {
        let op = Op::put(format!("/tidb/cdc/default/default/changefeed/{key}"), value.to_string().into_bytes());
        self.from.txn(Vec::new(), vec![op], Vec::new()).await.unwrap();
    }

    /// A changefeed with this change, whose checkpoint is told.
    async fn with(change: &Value) -> Self {
        let rig = Self::new();
        rig.put("info/orders", &info(change)).await;
        rig.put(
            "status/orders",
            &json!({ "checkpoint-ts": CHECKPOINT, "min-table-barrier-ts": CHECKPOINT + 1, "admin-job-type": 0 }),
        )
        .await;
        rig
    }

    async fn import(&self, dry_run: bool) -> Result<Imported, ServerError> {
        let (cluster, keyspace) = ("default".to_owned(), "default".to_owned());
        let source = TicdcSource { cluster, keyspace, only: Vec::new(), dry_run };
        import_ticdc(self.from.as_ref(), Arc::clone(&self.to), "mine", &source).await
    }

    async fn made(&self) -> Vec<(ChangefeedId, Record, ChangefeedStatus)> {
        let store = ChangefeedStore::new(Arc::clone(&self.to), GENERATION, "mine");
        let mut made = Vec::new();
        for (id, info) in store.list().await.unwrap().0 {
            let status = store.status(&id).await.unwrap().0;
            made.push((id, Record::read(&info.unwrap()).unwrap(), status));
        }
        made
    }
}

#[tokio::test]
async fn a_changefeed_goes_on_paused_at_the_checkpoint_of_ticdc() {
    let rig = Rig::with(&json!({})).await;
    assert_eq!(rig.import(true).await.unwrap().changefeeds.len(), 1);
    assert!(rig.made().await.is_empty(), "who looks changes nothing");
    let imported = rig.import(false).await.unwrap();
    let made = rig.made().await;
    let (id, record, status) = &made[0];
    assert_eq!((id.to_string().as_str(), record.state), ("default/orders", FeedState::Stopped));
    assert_eq!(status.checkpoint, Position::ddl(Ts::new(CHECKPOINT)));
    assert!(record.repeat_until > Ts::new(CHECKPOINT), "TiCDC has written ahead of its checkpoint");
    assert_eq!((record.upstream_id, record.target_ts), (Some(7_111), None));
    assert!(record.uri.expose().contains("hunter2"), "it is to connect");
    assert_eq!(record.config.filter.rules, ["shop.*", "!shop.log_*"]);
    assert_eq!(record.config.filter.event_filters[0].ignore_sql, ["^DROP"]);
    assert_eq!(record.config.filter.event_filters[0].ignore_insert_value_expr, "id > 9");
    assert!(record.config.force_replicate);
    assert_eq!((record.layout.slots, record.layout.lanes), (4, 2), "by worker-count");

    let warnings = imported.changefeeds[0].warnings.join("\n");
    for named in ["`sort-engine`", "`epoch`", "`admin-job-type`", "`creator-version`", "`create-time`"] {
        assert!(warnings.contains(named), "{named}: {warnings}");
    }
    let told = format!("{imported:?}");
    assert!(!told.contains("hunter2"), "{told}");
    let again = rig.import(false).await.unwrap_err();
    assert_eq!(again.code().to_string(), "TG-4114", "{again}");
}

#[tokio::test]
async fn what_would_be_delivered_otherwise_is_refused_and_nothing_is_made() {
    for (change, says) in [
        (json!({ "state": "normal" }), "pause it there first"),
        (json!({ "state": "warning" }), "pause it there first"),
        (
            json!({ "config": { "consistent": { "level": "eventual", "storage": "s3://bucket/redo" } } }),
            "`consistent.level`",
        ),
        (json!({ "config": { "enable-active-active": true } }), "`enable-active-active`"),
        (
            json!({ "config": { "sink": { "dispatchers": [{ "matcher": ["a.b"], "target-schema": "x" }] } } }),
            "target-schema",
        ),
        (json!({ "config": { "filter": { "do-tables": [{ "db-name": "a" }] } } }), "`filter.do_tables`"),
        (json!({ "config": { "enable-old-value": false } }), "`enable_old_value`"),
        (json!({ "config": { "cyclic-replication": { "enable": true } } }), "cyclic_replication"),
        (json!({ "config": { "filter": { "rules": ["[a"] } } }), "TG-"),
        (json!({ "sink-uri": "gopher://root:hunter2@db/" }), "gopher"),
        (json!({ "target-ts": CHECKPOINT }), "has reached its target"),
    ] {
        let rig = Rig::with(&change).await;
        rig.put("info/harmless", &info(&json!({ "changefeed-id": "harmless" }))).await;
        let refused = rig.import(false).await.unwrap_err();
        let text = refused.to_string();
        assert_eq!(refused.code().to_string(), "TG-4114", "{change}: {text}");
        assert!(text.contains("default/orders: ") && (says == "TG-" || text.contains(says)), "{change}: {text}");
        assert!(!text.contains("hunter2") && !text.contains("harmless"), "{text}");
        assert!(rig.made().await.is_empty(), "{change}: all or none");
    }
}

#[tokio::test]
async fn what_has_no_meaning_here_is_named() {
    let change = json!({ "config": {
        "enable-old-value": true, "cyclic-replication": { "enable": false, "replica-id": 0, "filter-replica-ids": null },
        "mounter": { "worker-num": 4, "novelty": 3 }, "memory-quota": 5_000_000_000_u64,
        "sink": { "advance-timeout-in-sec": 200 },
    } });
    let rig = Rig::with(&change).await;
    let warnings = rig.import(false).await.unwrap().changefeeds[0].warnings.join("\n");
    for named in [
        "`enable_old_value`",
        "`cyclic_replication`",
        "`mounter.novelty`",
        "`mounter.worker-num`",
        "`memory-quota`",
        "advance-timeout",
    ] {
        assert!(warnings.contains(named), "{named}: {warnings}");
    }
}

#[tokio::test]
async fn where_it_starts_depends_on_what_ticdc_knew() {
    let never_ran = Rig::new();
    never_ran.put("info/orders", &info(&json!({}))).await;
    never_ran.import(false).await.unwrap();
    assert_eq!(never_ran.made().await[0].2.checkpoint, Position::ddl(Ts::new(CHECKPOINT - 9)), "its start-ts");

    let at_a_ddl = Rig::with(&json!({})).await;
    at_a_ddl.put("status/orders", &json!({ "checkpoint-ts": CHECKPOINT, "min-table-barrier-ts": CHECKPOINT })).await;
    let warnings = at_a_ddl.import(false).await.unwrap().changefeeds[0].warnings.join("\n");
    assert!(warnings.contains("may have run or not"), "{warnings}");
    assert_eq!(at_a_ddl.made().await[0].2.checkpoint, Position::rows(Ts::new(CHECKPOINT)), "it is not left out");

    let running = Rig::with(&json!({ "state": "normal" })).await;
    let warnings = running.import(true).await.unwrap().changefeeds[0].warnings.join("\n");
    assert!(warnings.contains("pause it there first"), "a look is allowed: {warnings}");
}

#[tokio::test]
async fn ended_ones_other_upstreams_and_empty_stores_are_told() {
    let rig = Rig::with(&json!({})).await;
    rig.put("info/old", &info(&json!({ "changefeed-id": "old", "state": "finished" }))).await;
    let imported = rig.import(false).await.unwrap();
    assert_eq!(
        imported.passed_over.iter().map(|(id, state)| (id.name.as_str(), state.as_str())).collect::<Vec<_>>(),
        [("old", "finished")]
    );

    rig.put("info/other", &info(&json!({ "changefeed-id": "other", "upstream-id": 8 }))).await;
    let (cluster, keyspace) = ("default".to_owned(), "default".to_owned());
    let source = TicdcSource { cluster, keyspace, only: vec!["other".to_owned()], dry_run: false };
    let refused = import_ticdc(rig.from.as_ref(), Arc::clone(&rig.to), "mine", &source).await.unwrap_err();
    assert!(refused.to_string().contains("upstream cluster 8"), "{refused}");
    let nobody = TicdcSource { only: vec!["nobody".to_owned()], ..source };
    let none = import_ticdc(rig.from.as_ref(), Arc::clone(&rig.to), "mine", &nobody).await.unwrap_err();
    assert_eq!(none.code().to_string(), "TG-4115", "{none}");
    assert!(none.to_string().contains("nobody"), "{none}");
}
