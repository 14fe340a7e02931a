//! A feed for benchmarks: events encoded beforehand, sent as fast as clients read, so that the server
//! costs little next to what is measured. The rows are not stored: no scan and no read finds them.

use crate::encode::row::RowWriter;
use crate::encode::{Value, key};
use crate::store::wire::{EVENT_TARGET_BYTES, Row, Rows, RowsBuf};
use crate::store::{Cluster, Lock, Mutation, Op};
use crate::{PlaygroundError, TableSpec};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tg_proto::cdcpb::{LogType, OpType};

/// Unread bytes at which the sender waits.
const BACKLOG_MAX_BYTES: usize = 16 << 20;
/// How often the sender looks for subscribers.
const SUBSCRIBER_WAIT: Duration = Duration::from_millis(5);
/// Schema and table of the feed.
const SCHEMA: &str = "bench";
const TABLE: &str = "feed";
/// The handle whose lock holds the resolved timestamp below the feed's rows.
const FENCE_HANDLE: i64 = -1;

/// Events ready to be sent, once.
#[derive(Debug)]
pub struct BenchFeed {
    cluster: Arc<Cluster>,
    events: Vec<(Vec<u8>, Rows)>,
    fence: Bytes,
    start_ts: u64,
    last_ts: u64,
}

impl Cluster {
    /// Makes `bench.feed` (`id` bigint, `v` varchar) and encodes inserts of `rows` rows with values of
    /// `row_bytes` bytes, each row a transaction of its own. The resolved timestamps of the table stay
    /// below the rows until [`BenchFeed::send`] is done.
    ///
    /// # Errors
    /// The table exists already: one feed per playground.
    pub fn bench_feed(self: &Arc<Self>, rows: i64, row_bytes: usize) -> Result<BenchFeed, PlaygroundError> {
        self.create_schema(SCHEMA)?;
        let v = format!("varchar({})", row_bytes.max(1));
        self.create_table(&TableSpec::new(SCHEMA, TABLE).column("id", "bigint").column("v", &v).primary_key(&["id"]))?;
        let table = self.table(SCHEMA, TABLE)?;
        let (start_ts, fence) = (self.tso.next(), key::record_key(table.id, FENCE_HANDLE));
        self.fence(start_ts, &fence)?;
        let row = [Value::Int(0), Value::from("x".repeat(row_bytes))];
        let value = table.row_of(&row, &mut RowWriter::default())?;
        let mut events = Vec::new();
        let (mut prewrites, mut commits) = (RowsBuf::default(), RowsBuf::default());
        let mut first = Vec::new();
        let bounds: Vec<_> = self.regions().into_iter().map(|r| r.start).collect();
        for id in 0..rows {
            let key = key::record_key(table.id, id);
            let boundary = bounds.iter().any(|b| b[..] == key[..]);
            if boundary || prewrites.len_bytes() >= EVENT_TARGET_BYTES {
                take(&mut events, &first, [&mut prewrites, &mut commits]);
            }
            if prewrites.len_bytes() == 0 {
                first = key.to_vec();
            }
            let (start_ts, commit_ts, op) = (self.tso.next(), self.tso.next(), OpType::Put);
            let (none, txn_source): (&[u8], _) = (&[], 0);
            let row = Row {
                kind: LogType::Prewrite,
                start_ts,
                commit_ts: 0,
                op,
                key: &key,
                value: &value,
                old_value: none,
                txn_source,
            };
            prewrites.push(&row);
            commits.push(&Row { kind: LogType::Commit, commit_ts, value: none, ..row });
        }
        take(&mut events, &first, [&mut prewrites, &mut commits]);
        Ok(BenchFeed { cluster: self.clone(), events, fence, start_ts, last_ts: self.tso.next() })
    }

    /// A lock that holds the resolved timestamp.
    fn fence(&self, start_ts: u64, key: &Bytes) -> Result<(), PlaygroundError> {
        let lock = Lock {
            start_ts,
            op: Op::Put,
            value: Bytes::new(),
            primary: key.clone(),
            ttl_ms: u64::from(u32::MAX),
            min_commit_ts: 0,
            async_commit: false,
            secondaries: Vec::new(),
            txn_size: 1,
            txn_source: 0,
        };
        let mutation = Mutation { key: key.clone(), value: Some(Bytes::from_static(b"\x80\0\0\0\0\0")) };
        self.prewrite(&lock, vec![mutation]).map(drop)
    }
}

fn take(events: &mut Vec<(Vec<u8>, Rows)>, first: &[u8], bufs: [&mut RowsBuf; 2]) {
    for buf in bufs {
        events.extend(buf.take().map(|rows| (first.to_vec(), rows)));
    }
}

impl BenchFeed {
    /// Waits until every region of the table has a subscriber whose scan is complete, then sends the
    /// events and lets the resolved timestamps go. Gives a timestamp above all rows.
    pub async fn send(self) -> u64 {
        while !self.is_heard() {
            tokio::time::sleep(SUBSCRIBER_WAIT).await;
        }
        for (key, rows) in &self.events {
            self.cluster.backlog_below(BACKLOG_MAX_BYTES).await;
            let state = self.cluster.lock();
            let region = state.regions.get(state.regions.at(key));
            region.subs.iter().for_each(|sub| sub.send_rows(region.id, rows));
        }
        self.cluster.roll_back(self.start_ts, std::slice::from_ref(&self.fence));
        self.last_ts
    }

    fn is_heard(&self) -> bool {
        let state = self.cluster.lock();
        let mut keys = self.events.iter().map(|(key, _)| key);
        keys.all(|key| state.regions.get(state.regions.at(key)).subs.iter().any(|s| s.initialized))
    }
}
