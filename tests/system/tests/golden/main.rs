//! Recordings of a real cluster, played by a PD and a store on the wire, through client, sorter, schema store
//! and mounter; at every snapshot's ts each table must hold what TiDB answered.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod pd;
mod recording;
mod store;
mod tables;
mod text;

use bytes::Bytes;
use cluster::{Cluster, Cut, Play};
use recording::Recording;
use std::sync::Arc;
use std::time::Duration;
use tables::Tables;
use tg_model::{Span, SpanId, TableId, Ts};
use tg_schema::{Job, SchemaStore};
use tg_sorter::{ChunkEnd, Sorter, SorterConfig, SorterStore};
use tg_upstream::{FeedEvent, FeedLimits, FeedOptions, FeedReceiver, Upstream, UpstreamConfig, feed_channel};

/// Longest wait for an event.
const PATIENCE: Duration = Duration::from_secs(60);
/// Room of the channel: small, so that feeds wait for their consumer.
const CHANNEL_BYTES: usize = 64 << 10;
/// Size of the chunks that the sorter is asked for.
const CHUNK_BYTES: usize = 10_000;
const DDL: SpanId = SpanId(1);
const META: SpanId = SpanId(2);
const DATA: SpanId = SpanId(3);

/// What a capture does with a feed, without routing and sinks.
struct Pipeline {
    schema: SchemaStore,
    sorter: Sorter,
    jobs: Vec<Job>,
    tables: Tables,
    ddl_resolved: Ts,
    data_resolved: Ts,
    done: Ts,
}

impl Pipeline {
    fn new(recording: &Recording, store: &Arc<SorterStore>) -> Self {
        let start = recording.start_ts;
        let mut schema = SchemaStore::from_snapshot(start, recording.meta.iter().cloned()).unwrap();
        schema.cap_resolved(start);
        let mut sorter = store.sorter();
        sorter.add_span(DATA, TableId(0));
        Self {
            schema,
            sorter,
            jobs: Vec::new(),
            tables: Tables::default(),
            ddl_resolved: start,
            data_resolved: start,
            done: start,
        }
    }

    fn event(&mut self, event: FeedEvent) {
        match event {
            FeedEvent::Changes { span, changes, .. } if span == DDL => {
                for change in &changes {
                    self.jobs.extend(self.schema.decode_job(change).unwrap());
                }
                self.jobs.sort_by_key(|job| (job.commit_ts, job.id()));
            }
            FeedEvent::Changes { span, changes, .. } if span == DATA => {
                assert!(changes.iter().all(|c| c.commit_ts > self.data_resolved), "a change below the resolved-ts");
                self.sorter.push(DATA, changes).unwrap();
            }
            FeedEvent::Resolved { span, ts } if span == DDL => self.ddl_resolved = self.schema.cap_resolved(ts),
            FeedEvent::Resolved { span, ts } if span == DATA => {
                assert!(ts >= self.data_resolved, "the resolved-ts fell");
                self.data_resolved = ts;
            }
            FeedEvent::Failed { span, error } => panic!("{span:?}: {error}"),
            FeedEvent::Changes { .. } | FeedEvent::Resolved { .. } | FeedEvent::Initialized { .. } => {}
        }
    }

    fn frontier(&self) -> Ts {
        self.ddl_resolved.min(self.data_resolved)
    }

    /// Rows and DDL up to `upto`, each DDL behind the rows at its ts.
    fn advance(&mut self, upto: Ts) {
        while self.jobs.first().is_some_and(|job| job.commit_ts <= upto) {
            let job = self.jobs.remove(0);
            self.rows(job.commit_ts);
            for event in self.schema.apply(&job).unwrap() {
                self.tables.ddl(&event);
            }
        }
        self.rows(upto);
        self.done = upto;
    }

    fn rows(&mut self, upto: Ts) {
        let mut end = ChunkEnd::More;
        let mut last = Ts::ZERO;
        while end == ChunkEnd::More {
            let mut chunk = Vec::new();
            end = self.sorter.next_chunk(upto, CHUNK_BYTES, &mut chunk).unwrap();
            for sorted in &chunk {
                assert!(sorted.change.commit_ts >= last, "out of order");
                last = sorted.change.commit_ts;
                self.tables.change(&sorted.change, &self.schema);
            }
        }
    }
}

async fn next((upstream, receiver): &mut (Upstream, FeedReceiver), pipeline: &Pipeline) -> FeedEvent {
    if let Ok(event) = tokio::time::timeout(PATIENCE, receiver.recv()).await {
        return event;
    }
    let mut regions = upstream.regions(DATA).await.unwrap();
    regions.retain(|r| r.resolved <= pipeline.data_resolved);
    panic!("no news since data {} ddl {}; behind: {regions:#?}", pipeline.data_resolved, pipeline.ddl_resolved)
}

/// A client of its own, fed from where the pipeline has come to, as after a restart.
async fn subscribe(cluster: &Cluster, pipeline: &mut Pipeline) -> (Upstream, FeedReceiver) {
    (pipeline.ddl_resolved, pipeline.data_resolved) = (pipeline.done, pipeline.done);
    let limits = FeedLimits {
        reconnect_ms: 5,
        backoff_min_ms: 2,
        backoff_max_ms: 20,
        violations_max: 0,
        lock_fence_ms: 3_600_000,
        ..FeedLimits::default()
    };
    let pd_endpoints = vec![cluster.address.clone()];
    let upstream = Upstream::connect(UpstreamConfig { pd_endpoints, limits, ..Default::default() }).await.unwrap();
    let (sender, receiver) = feed_channel(CHANNEL_BYTES);
    let span = |a: &'static str, b: &'static str| {
        Span::new(Bytes::from_static(a.as_bytes()), Bytes::from_static(b.as_bytes())).unwrap()
    };
    let ddl = pipeline.schema.ddl_spans().remove(0);
    for (id, span) in [(DDL, ddl), (META, span("m", "n")), (DATA, span("t", "u"))] {
        upstream.subscribe(id, &span, pipeline.done, FeedOptions::default(), sender.clone());
    }
    (upstream, receiver)
}

async fn replay(case: &str, play: Play) {
    let Some(recording) = recording::load(case) else { return };
    let folder = tempfile::tempdir().unwrap();
    // Little memory, so that sorting goes over the disk.
    let config = SorterConfig {
        memory_limit_bytes: 8 << 20,
        spill_threshold_bytes: 256 << 10,
        instances: 1,
        ..Default::default()
    };
    let sorters = SorterStore::open(folder.path(), config).unwrap();
    let mut pipeline = Pipeline::new(&recording, &sorters);
    let cluster = Cluster::start(recording, play).await;
    let mut feed = subscribe(&cluster, &mut pipeline).await;
    let mut compared = 0;
    for (ts, snapshot) in &cluster.recording.snapshots {
        while pipeline.frontier() < *ts {
            let event = next(&mut feed, &pipeline).await;
            pipeline.event(event);
            pipeline.advance(pipeline.frontier().min(*ts));
        }
        pipeline.advance(*ts);
        compared += pipeline.tables.compare(&pipeline.schema, *ts, snapshot);
        if play.breaks > 0 {
            feed = subscribe(&cluster, &mut pipeline).await;
        }
    }
    let breaks = play.breaks - cluster.state.lock().unwrap().breaks_left;
    println!(
        "{case} {:?}: {} changes mounted, {} snapshots equal with {compared} rows, {breaks} streams broken off",
        play.cut,
        pipeline.tables.mounted,
        cluster.recording.snapshots.len()
    );
}

async fn check(case: &str) {
    for (cut, breaks) in [(Cut::AsRecorded, 0), (Cut::Rows, 0), (Cut::Merged, 12)] {
        replay(case, Play { cut, breaks, seed: 20_261_121 }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_and_key_shape() {
    check("types").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ddl_between_writes() {
    check("ddl").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_transfers_and_a_large_transaction() {
    check("bank").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transaction_modes() {
    check("modes").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn splits() {
    check("regions").await;
}
