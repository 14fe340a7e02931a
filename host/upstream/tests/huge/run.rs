//! A transaction from a playground in a process of its own, through upstream and sorter, counted.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;
use tg_model::{Span, SpanId, TableId, Ts};
use tg_playground::{Playground, PlaygroundConfig, TableSpec, workload::huge_txn};
use tg_sorter::{ChunkEnd, Sorter, SorterConfig, SorterStore};
use tg_upstream::{FeedEvent, FeedLimits, FeedOptions, FeedReceiver, Upstream, UpstreamConfig, feed_channel};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What is sent, and what the receiver may use.
pub(crate) struct Case {
    pub(crate) rows: i64,
    pub(crate) row_bytes: usize,
    /// Of the whole process, as the system counts it.
    pub(crate) bound_bytes: u64,
    pub(crate) feed_bytes: usize,
    pub(crate) unmatched_bytes: usize,
    pub(crate) sorter_bytes: usize,
}

const SPAN: SpanId = SpanId(1);
const CHUNK_BYTES: usize = 1 << 20;
/// Argument of the process that sends.
const SENDER: &str = "send-huge-transaction";

/// The receiver, or with the argument [`SENDER`] the sender.
pub(crate) fn main(case: &Case) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
    if std::env::args().any(|a| a == SENDER) {
        runtime.block_on(send(case));
    } else {
        runtime.block_on(receive(case));
    }
}

async fn send(case: &Case) {
    let playground = Playground::start(PlaygroundConfig::default()).await.unwrap();
    playground.create_schema("huge").unwrap();
    let spec = TableSpec::new("huge", "rows").column("id", "bigint").column("v", "text").primary_key(&["id"]);
    playground.create_table(&spec).unwrap();
    let table = playground.table("huge", "rows").unwrap();
    println!("{} {} {}", playground.pd_endpoint(), table.id, playground.cluster().tso.next());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let commit_ts = huge_txn(playground.cluster(), &table, case.rows, case.row_bytes).await.unwrap();
    println!("{commit_ts}");
    // Until the receiver is done.
    tokio::task::spawn_blocking(move || std::io::stdin().read_line(&mut line)).await.unwrap().unwrap();
    playground.shutdown().await;
}

struct Sender {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Sender {
    fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child =
            command.arg(SENDER).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the sender starts");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        self.lines.next().expect("the sender says something").unwrap()
    }

    fn say(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

async fn receive(case: &Case) {
    let mut sender = Sender::start();
    let line = sender.line();
    let [pd, table, start] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let (table, start) = (TableId(table.parse().unwrap()), Ts::new(start.parse().unwrap()));
    let dir = tempfile::tempdir().unwrap();
    let spill_dir = dir.path().join("unmatched");
    let limits = FeedLimits { unmatched_max_bytes: case.unmatched_bytes, ..FeedLimits::default() };
    let config = UpstreamConfig {
        pd_endpoints: vec![pd.to_owned()],
        spill_dir: Some(spill_dir.clone()),
        limits,
        ..UpstreamConfig::default()
    };
    let upstream = Upstream::connect(config).await.unwrap();
    let (tx, mut feed) = feed_channel(case.feed_bytes);
    upstream.subscribe(SPAN, &Span::of_table(table), start, FeedOptions::default(), tx);
    let sorters = SorterConfig {
        memory_limit_bytes: case.sorter_bytes,
        spill_threshold_bytes: case.sorter_bytes / 4,
        instances: 1,
        ..SorterConfig::default()
    };
    let store = SorterStore::open(&dir.path().join("sorter"), sorters).unwrap();
    let mut sorter = store.sorter();
    sorter.add_span(SPAN, table);
    while !matches!(feed.recv().await, FeedEvent::Initialized { .. }) {}
    let idle_bytes = status_bytes("VmRSS");
    let begin = Instant::now();
    sender.say();
    let spilled_most = sink(case, &mut feed, &mut sorter, &upstream).await;
    let (rss, mib) = (status_bytes("VmHWM"), |bytes: u64| bytes >> 20);
    println!(
        "{} rows of {} bytes ({} MiB) in {:.1} s; resident {} MiB at the start, {} MiB at most, bound {} MiB; {} MiB lay on disk unmatched",
        case.rows,
        case.row_bytes,
        mib(case.rows as u64 * case.row_bytes as u64),
        begin.elapsed().as_secs_f64(),
        mib(idle_bytes),
        mib(rss),
        mib(case.bound_bytes),
        mib(spilled_most),
    );
    assert_eq!(std::fs::read_dir(&spill_dir).unwrap().count(), 0, "files are left");
    assert!(rss < case.bound_bytes, "the bound did not hold");
    assert!(spilled_most > case.rows as u64 * case.row_bytes as u64 / 2, "nearly all of it has to be spilled");
    sender.say();
}

/// Counts what leaves the sorter until all of the transaction has; the most that lay on disk unmatched.
async fn sink(case: &Case, feed: &mut FeedReceiver, sorter: &mut Sorter, upstream: &Upstream) -> u64 {
    let (mut rows, mut spilled_most, mut last) = (0, 0, None);
    let mut chunk = Vec::new();
    while rows < case.rows {
        spilled_most = spilled_most.max(upstream.stats().spilled_bytes);
        match feed.recv().await {
            FeedEvent::Changes { span, changes, .. } => sorter.push(span, changes).unwrap(),
            FeedEvent::Resolved { ts, .. } => loop {
                let end = sorter.next_chunk(ts, CHUNK_BYTES, &mut chunk).unwrap();
                for sorted in chunk.drain(..) {
                    let change = sorted.change;
                    assert!(change.value.len() >= case.row_bytes && change.old_value.is_empty());
                    assert!(last.as_ref() < Some(&change.key), "each key once, in order");
                    last = Some(bytes::Bytes::copy_from_slice(&change.key));
                    rows += 1;
                }
                if end == ChunkEnd::Exhausted {
                    break;
                }
            },
            FeedEvent::Initialized { .. } => {}
            FeedEvent::Failed { error, .. } => panic!("{error}"),
        }
    }
    assert_eq!(rows, case.rows);
    spilled_most
}

/// A line of `/proc/self/status`; zero where there is none.
fn status_bytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}
