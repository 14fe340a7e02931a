//! A plain client against the playground: what a change feed sees, and what it is told when regions move.

use std::sync::Arc;
use std::time::Duration;
use tg_playground::encode::{Value, key};
use tg_playground::workload::{Bank, Workload as _};
use tg_playground::{Alter, ColumnSpec, Playground, PlaygroundConfig, TableDef, TableSpec};
use tg_proto::cdcpb::change_data_client::ChangeDataClient;
use tg_proto::cdcpb::{self, LogType, event};
use tg_proto::pdpb::pd_client::PdClient;
use tg_proto::tikvpb::tikv_client::TikvClient;
use tg_proto::{kvrpcpb, metapb, pdpb};
use tokio::sync::mpsc;
use tonic::transport::Channel;
use tonic::{Request, Streaming};

struct Feed {
    requests: mpsc::Sender<cdcpb::ChangeDataRequest>,
    events: Streaming<cdcpb::ChangeDataEvent>,
    cluster: u64,
    rows: std::collections::VecDeque<cdcpb::Row>,
    resolved: u64,
    error: Option<cdcpb::Error>,
}

impl Feed {
    async fn open(address: &str, cluster: u64) -> Self {
        let mut client = ChangeDataClient::connect(format!("http://{address}")).await.unwrap();
        let (requests, receiver) = mpsc::channel(8);
        let outgoing = futures::stream::unfold(receiver, |mut r| async move { r.recv().await.map(|m| (m, r)) });
        let mut request = Request::new(outgoing);
        request.metadata_mut().insert("features", "stream-multiplexing".parse().unwrap());
        let events = client.event_feed_v2(request).await.unwrap().into_inner();
        Self { requests, events, cluster, rows: Default::default(), resolved: 0, error: None }
    }

    async fn register(&self, region: &metapb::Region, table: i64, checkpoint_ts: u64) {
        let request = cdcpb::ChangeDataRequest {
            header: Some(cdcpb::Header { cluster_id: self.cluster, ticdc_version: "8.5.4".to_owned() }),
            region_id: region.id,
            region_epoch: region.region_epoch,
            checkpoint_ts,
            start_key: key::region_key(&key::record_start(table)),
            end_key: key::region_key(&key::record_end(table)),
            request_id: 7,
            ..Default::default()
        };
        self.requests.send(request).await.unwrap();
    }

    /// Takes one message in.
    async fn message(&mut self) {
        let wait = Duration::from_secs(20);
        let message = tokio::time::timeout(wait, self.events.message()).await.expect("a message in time");
        let message = message.unwrap().expect("the stream goes on");
        if let Some(resolved) = message.resolved_ts {
            assert!(resolved.ts >= self.resolved, "resolved timestamps only rise");
            self.resolved = resolved.ts;
        }
        for event in message.events {
            match event.event {
                Some(event::Event::Entries(entries)) => self.rows.extend(entries.entries),
                Some(event::Event::Error(error)) => self.error = Some(error),
                _ => {}
            }
        }
    }

    async fn row(&mut self) -> cdcpb::Row {
        while self.rows.is_empty() {
            self.message().await;
        }
        self.rows.pop_front().unwrap()
    }

    async fn error(&mut self) -> cdcpb::Error {
        while self.error.is_none() {
            self.message().await;
        }
        self.error.take().unwrap()
    }
}

struct Client {
    pd: PdClient<Channel>,
    header: Option<pdpb::RequestHeader>,
    cluster: u64,
}

impl Client {
    async fn new(playground: &Playground) -> Self {
        let mut pd = PdClient::connect(playground.pd_endpoint()).await.unwrap();
        let members = pd.get_members(pdpb::GetMembersRequest::default()).await.unwrap().into_inner();
        let cluster = members.header.unwrap().cluster_id;
        Self { pd, header: Some(pdpb::RequestHeader { cluster_id: cluster, ..Default::default() }), cluster }
    }

    async fn region(&mut self, raw_key: &[u8]) -> (metapb::Region, metapb::Peer) {
        let request = pdpb::GetRegionRequest {
            header: self.header.clone(),
            region_key: key::region_key(raw_key),
            ..Default::default()
        };
        let answer = self.pd.get_region(request).await.unwrap().into_inner();
        (answer.region.unwrap(), answer.leader.unwrap())
    }

    async fn address(&mut self, store_id: u64) -> String {
        let request = pdpb::GetStoreRequest { header: self.header.clone(), store_id };
        self.pd.get_store(request).await.unwrap().into_inner().store.unwrap().address
    }

    async fn feed(&mut self, table: &TableDef, checkpoint_ts: u64) -> (Feed, metapb::Region) {
        let (region, leader) = self.region(&key::record_key(table.id, 1)).await;
        let feed = Feed::open(&self.address(leader.store_id).await, self.cluster).await;
        feed.register(&region, table.id, checkpoint_ts).await;
        (feed, region)
    }
}

async fn start() -> (Playground, Arc<TableDef>) {
    let config = PlaygroundConfig { resolved_interval_ms: 10, ..PlaygroundConfig::default() };
    let playground = Playground::start(config).await.unwrap();
    let spec = TableSpec::new("test", "t").column("id", "bigint").column("v", "varchar(20)").primary_key(&["id"]);
    playground.create_table(&spec).unwrap();
    let table = playground.table("test", "t").unwrap();
    (playground, table)
}

fn put(playground: &Playground, table: &Arc<TableDef>, id: i64, v: &'static str) -> u64 {
    let mut txn = playground.begin();
    txn.put_row(table, &[Value::Int(id), v.into()]).unwrap();
    txn.commit().unwrap()
}

#[tokio::test]
async fn a_feed_sees_scan_then_live_rows_then_resolved() {
    let (playground, table) = start().await;
    let before = playground.tso.next();
    let old_ts = put(&playground, &table, 1, "old");
    let (mut feed, _) = Client::new(&playground).await.feed(&table, before).await;
    let row = feed.row().await;
    assert_eq!((row.r#type(), row.commit_ts), (LogType::Committed, old_ts));
    assert_eq!(feed.row().await.r#type(), LogType::Initialized);
    let new_ts = put(&playground, &table, 1, "new");
    let prewrite = feed.row().await;
    assert_eq!((prewrite.r#type(), prewrite.commit_ts), (LogType::Prewrite, 0));
    assert!(!prewrite.old_value.is_empty() && prewrite.key == key::record_key(table.id, 1));
    let commit = feed.row().await;
    assert_eq!((commit.r#type(), commit.commit_ts, commit.start_ts), (LogType::Commit, new_ts, prewrite.start_ts));
    while feed.resolved < new_ts {
        feed.message().await;
    }
    let text = |v: &str| Some(v.as_bytes().to_vec());
    assert_eq!(playground.rows_at("test", "t", old_ts), [vec![text("1"), text("old")]]);
    assert_eq!(playground.rows_at("test", "t", new_ts), [vec![text("1"), text("new")]]);
    playground.shutdown().await;
}

#[tokio::test]
async fn splits_and_leader_moves_end_feeds() {
    let (playground, table) = start().await;
    let mut client = Client::new(&playground).await;
    let ts = playground.tso.next();
    let (mut feed, region) = client.feed(&table, ts).await;
    assert_eq!(feed.row().await.r#type(), LogType::Initialized);
    assert!(playground.split(&key::record_key(table.id, 50)));
    let regions = feed.error().await.epoch_not_match.expect("epoch").current_regions;
    assert_eq!((regions.len(), regions[1].id), (2, region.id), "the old id stays on the right");
    let (mut feed, region) = client.feed(&table, ts).await;
    assert_eq!(feed.row().await.r#type(), LogType::Initialized);
    let leader = playground.regions().into_iter().find(|r| r.id == region.id).unwrap().leader.unwrap();
    let next = leader % 3 + 1;
    playground.move_leader(region.id, Some(next)).unwrap();
    let moved = feed.error().await.not_leader.expect("not leader");
    assert_eq!(moved.leader.unwrap().store_id, next);
}

#[tokio::test]
async fn a_stuck_lock_holds_resolved_until_it_is_resolved_over_the_wire() {
    let (playground, table) = start().await;
    let mut client = Client::new(&playground).await;
    let (mut feed, region) = client.feed(&table, playground.tso.next()).await;
    let mut txn = playground.begin();
    txn.lock_ttl_ms(0).put_row(&table, &[Value::Int(1), "x".into()]).unwrap();
    let stuck = txn.prewrite().unwrap();
    let start_ts = stuck.start_ts();
    drop(stuck);
    while feed.rows.iter().all(|r| r.r#type() != LogType::Prewrite) {
        feed.message().await;
    }
    for _ in 0..20 {
        feed.message().await;
        assert!(feed.resolved <= start_ts, "held at the lock");
    }
    let leader = playground.regions().into_iter().find(|r| r.id == region.id).unwrap().leader.unwrap();
    let address = client.address(leader).await;
    let mut tikv = TikvClient::connect(format!("http://{address}")).await.unwrap();
    let context =
        Some(kvrpcpb::Context { region_id: region.id, region_epoch: region.region_epoch, ..Default::default() });
    let scan = kvrpcpb::ScanLockRequest { context: context.clone(), max_version: start_ts, ..Default::default() };
    let lock = tikv.kv_scan_lock(scan).await.unwrap().into_inner().locks.remove(0);
    let status = kvrpcpb::CheckTxnStatusRequest {
        context: context.clone(),
        primary_key: lock.primary_lock,
        lock_ts: lock.lock_version,
        current_ts: playground.tso.next(),
        ..Default::default()
    };
    let status = tikv.kv_check_txn_status(status).await.unwrap().into_inner();
    assert_eq!((status.lock_ttl, status.action()), (0, kvrpcpb::Action::TtlExpireRollback));
    while feed.resolved <= start_ts {
        feed.message().await;
    }
    assert!(feed.rows.iter().any(|r| r.r#type() == LogType::Rollback));
}

#[tokio::test]
async fn the_meta_data_and_the_jobs_can_be_read() {
    let (playground, table) = start().await;
    let add = Alter::AddColumn(ColumnSpec::new("n", "int").not_null().default("9"));
    put(&playground, &table, 1, "a");
    let done_ts = playground.alter_table("test", "t", &add).unwrap();
    let ts = playground.tso.next();
    assert_eq!(playground.rows_at("test", "t", ts)[0][2], Some(b"9".to_vec()), "the frozen default");
    let mut client = Client::new(&playground).await;
    let (region, leader) = client.region(b"m").await;
    let mut tikv = TikvClient::connect(format!("http://{}", client.address(leader.store_id).await)).await.unwrap();
    let context =
        Some(kvrpcpb::Context { region_id: region.id, region_epoch: region.region_epoch, ..Default::default() });
    let start_key = key::meta_hash_prefix("DB:2").into();
    let scan = kvrpcpb::ScanRequest { context, start_key, limit: 10, version: ts, ..Default::default() };
    let pairs = tikv.kv_scan(scan).await.unwrap().into_inner().pairs;
    let info: serde_json::Value = serde_json::from_slice(&pairs[0].value).unwrap();
    assert_eq!((info["name"]["O"].as_str(), info["cols"].as_array().unwrap().len()), (Some("t"), 3));
    let job_table = 281_474_976_710_654;
    let (region, leader) = client.region(&key::record_key(job_table, 1)).await;
    let mut feed = Feed::open(&client.address(leader.store_id).await, client.cluster).await;
    feed.register(&region, job_table, 0).await;
    let done = loop {
        let row = feed.row().await;
        assert_ne!(row.r#type(), LogType::Initialized, "the done job comes before");
        if row.commit_ts == done_ts {
            break row;
        }
    };
    let text = String::from_utf8_lossy(&done.value).into_owned();
    assert!(text.contains("\"state\":4") && text.contains("ADD COLUMN `n` int NOT NULL DEFAULT '9'"));
}

#[tokio::test]
async fn timestamps_rise_over_two_streams() {
    let (playground, _) = start().await;
    let mut client = Client::new(&playground).await;
    let mut last = 0;
    for count in [1, 5, 1, 100] {
        let request = pdpb::TsoRequest { header: client.header.clone(), count, ..Default::default() };
        let answer =
            client.pd.tso(futures::stream::iter([request])).await.unwrap().into_inner().message().await.unwrap();
        let ts = answer.unwrap().timestamp.unwrap();
        let ts = (ts.physical as u64) << 18 | ts.logical as u64;
        assert!(ts >= last + u64::from(count), "{ts} after {last}");
        last = ts;
    }
    playground.set_pd_leaderless(true);
    let members = client.pd.get_members(pdpb::GetMembersRequest::default()).await.unwrap().into_inner();
    assert!(members.leader.is_none());
}

#[tokio::test]
async fn the_bank_keeps_its_sum_and_is_the_same_by_seed() {
    let mut states = Vec::new();
    for _ in 0..2 {
        let playground = Playground::start(PlaygroundConfig::default()).await.unwrap();
        let mut bank = Bank::new(20, 7);
        bank.prepare(&playground).unwrap();
        for _ in 0..200 {
            bank.step(&playground).unwrap();
            let now = playground.tso.next();
            assert_eq!(Bank::total_at(&playground, now), Some(bank.expected_total()));
        }
        states.push(playground.rows_at("bank", "accounts", playground.tso.next()));
    }
    assert_eq!(states[0], states[1]);
}

#[tokio::test]
async fn a_bench_feed_arrives_whole_and_then_resolves() {
    const ROWS: usize = 30_000;
    let config = PlaygroundConfig { resolved_interval_ms: 10, regions_per_table: 1, ..PlaygroundConfig::default() };
    let playground = Playground::start(config).await.unwrap();
    let bench = playground.bench_feed(ROWS as i64, 200).unwrap();
    let table = playground.table("bench", "feed").unwrap();
    let (mut feed, _) = Client::new(&playground).await.feed(&table, playground.tso.next()).await;
    let begin = std::time::Instant::now();
    let sender = tokio::spawn(bench.send());
    let (mut prewrites, mut commits) = (0, 0);
    while commits < ROWS {
        match feed.row().await.r#type() {
            LogType::Prewrite => prewrites += 1,
            LogType::Commit => commits += 1,
            _ => {}
        }
    }
    eprintln!("{ROWS} rows in {:?}", begin.elapsed());
    assert_eq!(prewrites, ROWS + 1, "every row and the fence");
    let last_ts = sender.await.unwrap();
    while feed.resolved < last_ts {
        feed.message().await;
    }
}

#[tokio::test]
async fn every_workload_steps_and_chaos_leaves_the_data_alone() {
    use tg_playground::Chaos;
    use tg_playground::workload::{DdlStorm, Sysbench, Wide, huge_txn};
    let (playground, table) = start().await;
    let (mut storm, mut sysbench, mut wide) = (DdlStorm::new(3, 1), Sysbench::new(2, 10, 1), Wide::new(1));
    let mut chaos = Chaos::new(5);
    storm.prepare(&playground).unwrap();
    sysbench.prepare(&playground).unwrap();
    wide.prepare(&playground).unwrap();
    for _ in 0..200 {
        storm.step(&playground).unwrap();
        assert_eq!(sysbench.step(&playground).unwrap(), 10);
        assert_eq!(wide.step(&playground).unwrap(), 1);
        chaos.step(&playground).unwrap();
    }
    let regions = playground.regions();
    assert!(regions.windows(2).all(|w| w[0].end == w[1].start), "no gaps");
    assert!(regions[0].start.is_empty() && regions.last().unwrap().end.is_empty());
    let ts = huge_txn(&playground, &table, 2500, 20).await.unwrap();
    assert_eq!(playground.rows_at("test", "t", ts).len(), 2500);
    assert!(playground.rows_at("test", "t", ts - 1).is_empty(), "all or nothing");
    let now = playground.tso.next();
    let wide_table = playground.table("wide", "types").unwrap();
    assert!(playground.rows_at("wide", "types", now).iter().all(|r| r.len() == wide_table.columns.len()));
}
