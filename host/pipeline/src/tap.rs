//! Looking at rows on their way to the lanes, without holding them up.

use crate::row_filter::RowImage;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use tg_filter::{Bound, Expression, FilterError, TableFilter};
use tg_model::{LaneId, SlotId, TableVersion};
use tgr1::{BatchBuf, Row};
use tokio::sync::mpsc;

/// Taps of one run at a time.
const TAPS_MAX: usize = 8;
/// Batches that wait for whoever looks; more are dropped.
const WAITING_BATCHES_MAX: usize = 256;
/// Bytes of batches that wait for whoever looks; more are dropped.
const WAITING_BYTES_MAX: usize = 8 << 20;
/// Table versions that a condition is bound to; above it all are bound again.
const BOUND_MAX: usize = 1_024;

/// Rows of one table version on their way to one lane.
pub struct TappedRows {
    /// The table.
    pub version: Arc<TableVersion>,
    /// Its rows.
    pub batch: Arc<BatchBuf>,
    /// Slot they leave.
    pub slot: SlotId,
    /// Lane they go to.
    pub lane: LaneId,
}

/// The open taps of a run.
#[derive(Default)]
pub(crate) struct Taps {
    any: AtomicBool,
    valves: Mutex<Vec<Valve>>,
}

struct Valve {
    tables: TableFilter,
    rows: mpsc::Sender<TappedRows>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    waiting_bytes: AtomicUsize,
    dropped: AtomicU64,
}

/// Rows as they pass. What its owner does not take in time is dropped and counted. Ends with the run.
pub struct Tap {
    taps: Weak<Taps>,
    counts: Arc<Counts>,
    rows: mpsc::Receiver<TappedRows>,
}

impl Taps {
    /// `None`: too many are open.
    pub(crate) fn open(self: &Arc<Self>, tables: TableFilter) -> Option<Tap> {
        let mut valves = self.valves.lock();
        valves.retain(|v| !v.rows.is_closed());
        if valves.len() >= TAPS_MAX {
            return None;
        }
        let (sender, rows) = mpsc::channel(WAITING_BATCHES_MAX);
        let counts = Arc::<Counts>::default();
        valves.push(Valve { tables, rows: sender, counts: Arc::clone(&counts) });
        self.any.store(true, Relaxed);
        Some(Tap { taps: Arc::downgrade(self), counts, rows })
    }

    /// Shows rows to whoever looks at their table; never waits.
    pub(crate) fn offer(&self, slot: SlotId, lane: LaneId, version: &Arc<TableVersion>, batch: &Arc<BatchBuf>) {
        if !self.any.load(Relaxed) {
            return;
        }
        for valve in self.valves.lock().iter().filter(|v| v.tables.matches(&version.schema, &version.name)) {
            let (version, batch) = (Arc::clone(version), Arc::clone(batch));
            valve.offer(TappedRows { version, batch, slot, lane });
        }
    }

    fn close(&self) {
        let mut valves = self.valves.lock();
        valves.retain(|v| !v.rows.is_closed());
        self.any.store(!valves.is_empty(), Relaxed);
    }
}

impl Valve {
    fn offer(&self, rows: TappedRows) {
        let (count, bytes) = (rows.batch.len() as u64, rows.batch.len_bytes());
        let waiting = self.counts.waiting_bytes.fetch_add(bytes, Relaxed);
        if waiting + bytes > WAITING_BYTES_MAX || self.rows.try_send(rows).is_err() {
            self.counts.waiting_bytes.fetch_sub(bytes, Relaxed);
            self.counts.dropped.fetch_add(count, Relaxed);
        }
    }
}

impl Tap {
    /// The next rows; `None`: the run has ended.
    pub async fn next(&mut self) -> Option<TappedRows> {
        let rows = self.rows.recv().await?;
        self.counts.waiting_bytes.fetch_sub(rows.batch.len_bytes(), Relaxed);
        Some(rows)
    }

    /// Rows that passed unseen because too many waited.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Relaxed)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.rows.close();
        if let Some(taps) = self.taps.upgrade() {
            taps.close();
        }
    }
}

/// A condition on rows of any table; it does not hold for rows of tables without its columns.
pub struct TapCondition {
    expression: Expression,
    bound: HashMap<(i64, u64), Option<Bound>>,
}

impl TapCondition {
    /// Reads a condition, in the words of event filters.
    ///
    /// # Errors
    /// With the column where reading stopped.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Ok(Self { expression: Expression::parse(text)?, bound: HashMap::new() })
    }

    /// Whether it holds for a row as it is afterwards, or was if it is deleted.
    pub fn holds(&mut self, rows: &TappedRows, row: &Row<'_>) -> bool {
        let id = (rows.version.table.0, rows.version.since.get());
        if self.bound.len() >= BOUND_MAX {
            self.bound.clear();
        }
        let expression = &self.expression;
        let bound = self.bound.entry(id).or_insert_with(|| expression.bind(&rows.version).ok());
        let Some((bound, image)) = bound.as_ref().zip(row.current()) else { return false };
        let specs: Vec<_> = rows.batch.batch().columns().collect();
        bound.is_true(&RowImage::new(image, &rows.version, &specs))
    }
}
