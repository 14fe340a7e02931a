//! Against a real TiDB. Set `TIDEGATE_TEST_TIDB` to a program that runs one and prints
//! `{"pd": port, "mysql": port, ..}` as its first line; without it the tests pass over.

use bytes::Bytes;
use mysql_async::prelude::Queryable;
use std::collections::BTreeMap;
use std::time::Duration;
use tg_model::{ChangeOp, RawChange, Span, SpanId, TableId, Ts};
use tg_proto::kvrpcpb;
use tg_upstream::{FeedEvent, FeedOptions, FeedReceiver, Upstream, UpstreamConfig, UpstreamError, feed_channel};
use tokio::io::{AsyncBufReadExt, BufReader};

/// Longest wait for something that comes in a fraction of it.
const PATIENCE: Duration = Duration::from_secs(60);

struct Live {
    _process: tokio::process::Child,
    upstream: Upstream,
    sql: mysql_async::Conn,
    pd: String,
}

async fn start() -> Option<Live> {
    let Some(program) = std::env::var("TIDEGATE_TEST_TIDB").ok().filter(|p| !p.is_empty()) else {
        eprintln!("passed over: TIDEGATE_TEST_TIDB is not set");
        return None;
    };
    let mut process = tokio::process::Command::new(program)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let ports: serde_json::Value = serde_json::from_str(&line).unwrap();
    let pd_endpoints = vec![format!("127.0.0.1:{}", ports["pd"])];
    let upstream = Upstream::connect(UpstreamConfig { pd_endpoints, ..Default::default() }).await.unwrap();
    assert_eq!(upstream.cluster_id().to_string(), ports["cluster_id"].as_str().unwrap());
    let url = format!("mysql://root@127.0.0.1:{}/test", ports["mysql"]);
    let sql = mysql_async::Conn::from_url(url).await.unwrap();
    Some(Live { _process: process, upstream, sql, pd: format!("http://127.0.0.1:{}", ports["pd"]) })
}

impl Live {
    async fn table(&mut self, name: &str, definition: &str) -> TableId {
        self.sql.query_drop(format!("CREATE TABLE {name} ({definition})")).await.unwrap();
        let id: Option<i64> = self
            .sql
            .query_first(format!("SELECT tidb_table_id FROM information_schema.tables WHERE table_name = '{name}'"))
            .await
            .unwrap();
        TableId(id.unwrap())
    }
}

#[derive(Default)]
struct Seen {
    resolved: BTreeMap<SpanId, Ts>,
    initialized: Vec<SpanId>,
    changes: Vec<(SpanId, RawChange)>,
}

/// Reads events, and checks their order, until the span is resolved up to `ts`.
async fn read_to(rx: &mut FeedReceiver, seen: &mut Seen, span: SpanId, ts: Ts) {
    let reading = async {
        while seen.resolved.get(&span).is_none_or(|t| *t < ts) {
            match rx.recv().await {
                FeedEvent::Changes { span, changes, .. } => {
                    let resolved = seen.resolved.get(&span).copied().unwrap_or_default();
                    for change in changes {
                        assert!(change.commit_ts > resolved, "{change:?} after {resolved}");
                        seen.changes.push((span, change));
                    }
                }
                FeedEvent::Resolved { span, ts } => {
                    let before = seen.resolved.insert(span, ts);
                    assert!(before.is_none_or(|b| b < ts));
                }
                FeedEvent::Initialized { span } => seen.initialized.push(span),
                FeedEvent::Failed { span, error } => panic!("{span}: {error}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("no progress");
}

fn ops(seen: &Seen, span: SpanId) -> Vec<ChangeOp> {
    let mut all: Vec<&RawChange> = seen.changes.iter().filter(|(s, _)| *s == span).map(|(_, c)| c).collect();
    all.sort_by(|a, b| a.cmp_order(b));
    all.dedup_by(|a, b| (&a.key, a.commit_ts) == (&b.key, b.commit_ts));
    all.into_iter().map(|c| c.op).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clock_gc_and_reads() {
    let Some(mut live) = start().await else {
        return;
    };
    let up = live.upstream.clone();
    let before = up.tso().await.unwrap();
    let mut all = Vec::new();
    for ts in futures::future::join_all((0..500).map(|_| up.tso())).await {
        all.push(ts.unwrap());
    }
    let mut sorted = all.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert!(sorted.len() == 500 && sorted[0] > before);

    let future = Ts::compose(before.physical_ms() + 3_600_000, 0);
    assert!(matches!(up.check_start_ts(future).await, Err(UpstreamError::TsInFuture { .. })));
    assert!(matches!(up.snapshot(future).get(&Bytes::from_static(b"m")).await, Err(UpstreamError::TsInFuture { .. })));
    up.check_start_ts(before).await.unwrap();
    up.hold_gc("tidegate-test", before, Duration::from_secs(600)).await.unwrap();
    up.release_gc("tidegate-test").await.unwrap();
    up.release_gc("tidegate-test").await.unwrap();

    let table = live.table("reads", "id INT PRIMARY KEY, v VARCHAR(20)").await;
    for chunk in 0..3 {
        let values: Vec<_> = (0..1000).map(|n| format!("({}, 'v')", chunk * 1000 + n)).collect();
        live.sql.query_drop(format!("INSERT INTO reads VALUES {}", values.join(","))).await.unwrap();
    }
    live.sql.query_drop("SPLIT TABLE reads BETWEEN (0) AND (4000) REGIONS 4").await.unwrap();
    let snapshot = up.snapshot(up.tso().await.unwrap());
    live.sql.query_drop("DELETE FROM reads WHERE id < 100").await.unwrap();
    let pairs = snapshot.scan(&Span::of_table(table)).collect().await.unwrap();
    assert_eq!(pairs.len(), 3000);
    assert!(pairs.is_sorted_by(|a, b| a.0 < b.0));
    let keys: Vec<Bytes> = pairs.iter().step_by(300).map(|(k, _)| k.clone()).collect();
    assert_eq!(snapshot.batch_get(&keys).await.unwrap().len(), 10);
    assert_eq!(snapshot.get(&keys[0]).await.unwrap(), Some(pairs[0].1.clone()));
    let now = up.snapshot(up.tso().await.unwrap());
    assert_eq!(now.get(&keys[0]).await.unwrap(), None);
    assert_eq!(now.scan(&Span::of_table(table)).collect().await.unwrap().len(), 2900);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_over_a_split_and_two_spans() {
    use ChangeOp::{Delete, Insert, Update};
    let Some(mut live) = start().await else {
        return;
    };
    let up = live.upstream.clone();
    let a = live.table("a", "id INT PRIMARY KEY, v VARCHAR(400)").await;
    let b = live.table("b", "id INT PRIMARY KEY, v INT").await;
    let start = up.tso().await.unwrap();
    live.sql.query_drop("INSERT INTO a VALUES (1, 'scan'), (2, REPEAT('x', 400))").await.unwrap();
    let (tx, mut rx) = feed_channel(64 << 20);
    let mut seen = Seen::default();
    for (id, table) in [(SpanId(1), a), (SpanId(2), b)] {
        up.subscribe(id, &Span::of_table(table), start, FeedOptions::default(), tx.clone());
    }
    read_to(&mut rx, &mut seen, SpanId(1), up.tso().await.unwrap()).await;
    assert_eq!(ops(&seen, SpanId(1)), [Insert; 2]);
    assert!(seen.initialized.contains(&SpanId(1)));

    live.sql.query_drop("UPDATE a SET v = REPEAT('y', 300) WHERE id = 1").await.unwrap();
    live.sql.query_drop("DELETE FROM a WHERE id = 2").await.unwrap();
    live.sql.query_drop("SPLIT TABLE a BETWEEN (-5000) AND (5000) REGIONS 10").await.unwrap();
    live.sql.query_drop("INSERT INTO a SELECT id + 500, v FROM a").await.unwrap();
    live.sql.query_drop("BEGIN").await.unwrap();
    live.sql.query_drop("INSERT INTO b VALUES (7, 7)").await.unwrap();
    live.sql.query_drop("INSERT INTO a VALUES (999, 'both')").await.unwrap();
    live.sql.query_drop("COMMIT").await.unwrap();
    let now = up.tso().await.unwrap();
    read_to(&mut rx, &mut seen, SpanId(1), now).await;
    read_to(&mut rx, &mut seen, SpanId(2), now).await;
    assert_eq!(ops(&seen, SpanId(1)), [Insert, Insert, Update, Delete, Insert, Insert]);
    assert_eq!(ops(&seen, SpanId(2)), [Insert]);
    assert!(up.regions(SpanId(1)).await.unwrap().len() >= 5);

    up.unsubscribe(SpanId(1));
    live.sql.query_drop("INSERT INTO b VALUES (8, 8)").await.unwrap();
    read_to(&mut rx, &mut seen, SpanId(2), up.tso().await.unwrap()).await;
    assert_eq!(ops(&seen, SpanId(2)), [Insert, Insert]);
    assert!(up.regions(SpanId(1)).await.unwrap().is_empty());
}

/// Writes a lock as a client that dies right after its prewrite.
async fn orphan(live: &Live, key: &Bytes, value: &Bytes, ttl_ms: u64, use_async_commit: bool) -> Ts {
    let mut pd = tg_proto::pdpb::pd_client::PdClient::connect(live.pd.clone()).await.unwrap();
    let header = Some(tg_proto::pdpb::RequestHeader { cluster_id: live.upstream.cluster_id(), ..Default::default() });
    let region_key = comparable(key);
    let request = tg_proto::pdpb::GetRegionRequest { header: header.clone(), region_key, need_buckets: false };
    let found = pd.get_region(request).await.unwrap().into_inner();
    let (region, leader) = (found.region.unwrap(), found.leader.unwrap());
    let request = tg_proto::pdpb::GetStoreRequest { header, store_id: leader.store_id };
    let address = pd.get_store(request).await.unwrap().into_inner().store.unwrap().address;
    let mut kv = tg_proto::tikvpb::tikv_client::TikvClient::connect(format!("http://{address}")).await.unwrap();
    let start_ts = live.upstream.tso().await.unwrap();
    let mutation = kvrpcpb::Mutation { op: kvrpcpb::Op::Put.into(), key: key.clone(), value: value.clone() };
    let prewrite = kvrpcpb::PrewriteRequest {
        context: Some(kvrpcpb::Context {
            region_id: region.id,
            region_epoch: region.region_epoch,
            peer: Some(leader),
            ..Default::default()
        }),
        mutations: vec![mutation],
        primary_lock: key.clone(),
        start_version: start_ts.get(),
        lock_ttl: ttl_ms,
        txn_size: 1,
        use_async_commit,
        min_commit_ts: start_ts.get() + 1,
        ..Default::default()
    };
    let answer = kv.kv_prewrite(prewrite).await.unwrap().into_inner();
    assert!(answer.errors.is_empty() && answer.region_error.is_none(), "{answer:?}");
    start_ts
}

/// Region-key form.
fn comparable(key: &[u8]) -> Bytes {
    let mut out = Vec::new();
    for n in 0..=key.len() / 8 {
        let part = &key[n * 8..key.len().min(n * 8 + 8)];
        out.extend_from_slice(part);
        out.resize(n * 9 + 8, 0);
        out.push(0xff - (8 - part.len() as u8));
    }
    out.into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_of_dead_clients_hold_nothing_for_long() {
    let Some(mut live) = start().await else {
        return;
    };
    let up = live.upstream.clone();
    let table = live.table("locks", "id INT PRIMARY KEY, v VARCHAR(20)").await;
    live.sql.query_drop("INSERT INTO locks VALUES (1, 'v')").await.unwrap();
    let span = Span::of_table(table);
    let first = up.snapshot(up.tso().await.unwrap()).scan(&span).collect().await.unwrap();
    let (tx, mut rx) = feed_channel(64 << 20);
    let mut seen = Seen::default();
    up.subscribe(SpanId(1), &span, up.tso().await.unwrap(), FeedOptions::default(), tx);
    read_to(&mut rx, &mut seen, SpanId(1), up.tso().await.unwrap()).await;
    // A lock that is rolled back, and one of an async commit, which is committed: its only key is there.
    for (use_async_commit, changes) in [(false, 0), (true, 1)] {
        let (key, value) = &first[0];
        let start_ts = orphan(&live, key, value, 100, use_async_commit).await;
        read_to(&mut rx, &mut seen, SpanId(1), Ts::new(start_ts.get() + (5_000 << 18))).await;
        assert_eq!(ops(&seen, SpanId(1)), vec![ChangeOp::Update; changes], "async commit: {use_async_commit}");
    }
    // A reader does not wait for either.
    orphan(&live, &first[0].0, &first[0].1, 100, false).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    let pairs = up.snapshot(up.tso().await.unwrap()).scan(&span).collect().await.unwrap();
    assert_eq!(pairs, first);
}
