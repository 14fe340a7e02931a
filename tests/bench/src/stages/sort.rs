//! The sorter: in and out, in memory and through disk.

use super::Limits;
use crate::args::Options;
use crate::fixture;
use crate::measure::{Cost, Work, compare, thread_cpu};
use crate::table::Line;
use tg_model::{SpanId, Ts};
use tg_sorter::{ChunkEnd, SorterConfig, SorterStore};

/// Changes pushed at once.
const PUSH_ROWS: u64 = 256;
/// Spans that take turns.
const SPANS: u64 = 10;
/// Bytes released at once, as the pipeline does.
const CHUNK_BYTES: usize = 256 << 10;

struct Spent {
    rows: u64,
    push_ns: f64,
    release_ns: f64,
}

/// Pushes batches and releases after every `lag` of them.
fn pass(rows: u64, lag: u64, spill_threshold_bytes: usize) -> anyhow::Result<Spent> {
    let dir = tempfile::tempdir()?;
    let cfg = SorterConfig { spill_threshold_bytes, ..SorterConfig::default() };
    let store = SorterStore::open(dir.path(), cfg)?;
    let mut sorter = store.sorter();
    (0..SPANS).for_each(|s| sorter.add_span(SpanId(s), fixture::TABLE));
    let value = fixture::row_value();
    let rounds = rows.div_ceil(PUSH_ROWS);
    let mut spent = Spent { rows: 0, push_ns: 0.0, release_ns: 0.0 };
    let mut out = Vec::new();
    for round in 0..rounds {
        let changes = fixture::inserts(round * PUSH_ROWS, PUSH_ROWS, &value);
        let start = thread_cpu();
        sorter.push(SpanId(round % SPANS), changes)?;
        spent.push_ns += (thread_cpu() - start).as_nanos() as f64;
        let last = round + 1 == rounds;
        if !last && !(round + 1).is_multiple_of(lag) {
            continue;
        }
        let upto = if last { Ts::MAX } else { Ts::new(1000 + (round + 1) * PUSH_ROWS * 10 - 10) };
        loop {
            let start = thread_cpu();
            let end = sorter.next_chunk(upto, CHUNK_BYTES, &mut out)?;
            spent.rows += out.len() as u64;
            spent.release_ns += (thread_cpu() - start).as_nanos() as f64;
            out.clear();
            if end == ChunkEnd::Exhausted {
                break;
            }
        }
        sorter.forget(upto);
    }
    anyhow::ensure!(spent.rows == rounds * PUSH_ROWS, "the sorter released {} rows", spent.rows);
    Ok(spent)
}

/// Measures memory and disk.
pub(crate) fn run(options: &Options, limits: &Limits, lines: &mut Vec<Line>) -> anyhow::Result<()> {
    if !options.wants("stage: sorter") {
        return Ok(());
    }
    let rows = options.scaled(400_000);
    let bytes = (fixture::row_value().len() + 19) as f64;
    let mut sums = Vec::new();
    for (name, lag, threshold) in [("memory", 16, 1 << 30), ("through disk", u64::MAX, 4 << 20)] {
        let (mut push, mut release) = (Vec::new(), Vec::new());
        let work: Work<'_> = Box::new(|| {
            let spent = pass(rows, lag, threshold)?;
            push.push(spent.push_ns / spent.rows as f64);
            release.push(spent.release_ns / spent.rows as f64);
            Ok(spent.rows)
        });
        compare(options.samples, &mut [work])?;
        let (push, release) = (crate::measure::median(push), crate::measure::median(release));
        for (part, ns) in [("in", push), ("out", release)] {
            let cost = Cost { cpu_ns: ns };
            let line = Line::per_row(format!("stage: sorter {part}, {name}"), cost, bytes);
            lines.push(line.ratio(limits.copies(ns, bytes)));
        }
        sums.push(push + release);
    }
    if let [memory, disk] = sums.as_slice() {
        lines.push(
            Line::new("stage: sorter, disk against memory", format!("{disk:.0} : {memory:.0} ns/row"))
                .ratio(format!("{:.1} x memory", disk / memory)),
        );
    }
    Ok(())
}
