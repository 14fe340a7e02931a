//! What the host keeps for one instance.

use crate::PluginMetrics;
use crate::capability::log::LogLimit;
use crate::grant::{Grants, LaneContext, SqlConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tg_model::Position;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// Length of a tick of the engine.
pub(crate) const TICK_MS: u64 = 10;
/// Elements a table of a guest may have.
const TABLE_ELEMENTS_MAX: usize = 1 << 20;

/// The guest has used up its time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the call's guest time is used up")]
pub(crate) struct DeadlineReached;

/// Guest time of the call in progress, in ticks. Time in capability calls does not count.
pub(crate) struct CallClock {
    ticks: Arc<AtomicU64>,
    budget: u64,
    deadline: u64,
    pub(crate) waited: Duration,
}

impl CallClock {
    pub(crate) fn new(ticks: Arc<AtomicU64>, budget: Duration) -> Self {
        let budget = (budget.as_millis() as u64 / TICK_MS).max(1);
        Self { ticks, budget, deadline: 0, waited: Duration::ZERO }
    }

    pub(crate) fn now(&self) -> u64 {
        self.ticks.load(Relaxed)
    }

    /// A call begins; returns its budget in ticks.
    pub(crate) fn begin(&mut self) -> u64 {
        self.waited = Duration::ZERO;
        // One more: the tick in progress may be nearly over.
        self.deadline = self.now() + self.budget + 1;
        self.budget + 1
    }

    /// A capability call that began at `started` ends: the guest has its full time again.
    pub(crate) fn renew(&mut self, started: Instant) {
        self.waited += started.elapsed();
        self.deadline = self.now() + self.budget + 1;
    }

    /// Ticks left; `None`: the deadline is reached.
    pub(crate) fn left(&self) -> Option<u64> {
        self.deadline.checked_sub(self.now()).filter(|n| *n > 0)
    }

    pub(crate) fn left_ms(&self) -> u32 {
        u32::try_from(self.left().unwrap_or(0) * TICK_MS).unwrap_or(u32::MAX)
    }
}

/// Caps linear memory over all memories of the instance.
pub(crate) struct MemoryLimit {
    limit_bytes: usize,
    pub(crate) used_bytes: usize,
    /// The guest was refused memory.
    pub(crate) refused: bool,
}

impl MemoryLimit {
    pub(crate) const fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, used_bytes: 0, refused: false }
    }
}

impl wasmtime::ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let after = self.used_bytes.saturating_add(desired.saturating_sub(current));
        let fits = after <= self.limit_bytes;
        if fits {
            self.used_bytes = after;
        } else {
            self.refused = true;
        }
        Ok(fits)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}

/// What the host keeps for one instance.
pub(crate) struct State {
    pub(crate) plugin: Arc<str>,
    pub(crate) lane: LaneContext,
    pub(crate) grants: Grants,
    pub(crate) metrics: Arc<PluginMetrics>,
    pub(crate) clock: CallClock,
    pub(crate) memory: MemoryLimit,
    pub(crate) table: ResourceTable,
    pub(crate) log: LogLimit,
    /// Last line of level warn or error: what a panic said.
    pub(crate) last_warning: Option<String>,
    pub(crate) connections: Vec<Option<Box<dyn SqlConnection>>>,
    /// Least position that a connection found when it was opened.
    pub(crate) durable_at_open: Option<Position>,
    /// Inside `flush`: the barrier's position.
    pub(crate) progress: Option<Position>,
    wasi: WasiCtx,
}

impl State {
    pub(crate) fn new(
        plugin: Arc<str>,
        lane: LaneContext,
        grants: Grants,
        metrics: Arc<PluginMetrics>,
        clock: CallClock,
        memory_bytes: usize,
    ) -> Self {
        Self {
            plugin,
            lane,
            grants,
            metrics,
            clock,
            memory: MemoryLimit::new(memory_bytes),
            table: ResourceTable::new(),
            log: LogLimit::default(),
            last_warning: None,
            connections: Vec::new(),
            durable_at_open: None,
            progress: None,
            // No files, no environment, no arguments, no sockets, nothing on stdin; stdout and stderr go nowhere.
            wasi: WasiCtx::builder().build(),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
