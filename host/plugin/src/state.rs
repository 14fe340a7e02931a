//! What the host keeps for one instance.

use crate::PluginMetrics;
use crate::capability::log::LogLimit;
use crate::deadline::CallClock;
use crate::grant::{Grants, LaneContext, Producer, SqlConnection};
use crate::instance::InstanceSpec;
use crate::kept::Kept;
use std::sync::Arc;
use std::time::Instant;
use tg_model::Position;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// Elements a table of a guest may have.
const TABLE_ELEMENTS_MAX: usize = 1 << 20;
/// Handles of host resources an instance may hold: connections, counters, what WASI makes.
const RESOURCES_MAX: usize = 4096;
/// Random bytes a guest may ask for at once.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

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

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.refused = true;
        Ok(())
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
    pub(crate) producers: Vec<Option<Box<dyn Producer>>>,
    /// Uploads that are open.
    pub(crate) uploads: usize,
    /// Calls of endpoints within the call in progress.
    pub(crate) endpoint_calls: u32,
    /// The map of `state`.
    pub(crate) kept: Kept,
    /// Where the guest's monotonic clock began.
    pub(crate) born: Instant,
    /// Least position that a connection or producer found when it was opened.
    pub(crate) durable_at_open: Option<Position>,
    /// Inside `flush`: the barrier's position.
    pub(crate) progress: Option<Position>,
    wasi: WasiCtx,
}

impl State {
    pub(crate) fn new(
        plugin: Arc<str>,
        metrics: Arc<PluginMetrics>,
        clock: CallClock,
        spec: &InstanceSpec,
        kept: Kept,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        Self {
            plugin,
            lane: spec.lane.clone(),
            grants: spec.grants.clone(),
            metrics,
            clock,
            memory: MemoryLimit::new(spec.limits.memory_bytes),
            table,
            log: LogLimit::default(),
            last_warning: None,
            connections: Vec::new(),
            producers: Vec::new(),
            uploads: 0,
            endpoint_calls: 0,
            kept,
            born: Instant::now(),
            durable_at_open: None,
            progress: None,
            // No files, no environment, no arguments, no sockets, nothing on stdin; stdout and stderr go nowhere.
            wasi: WasiCtx::builder().max_random_size(RANDOM_BYTES_MAX).build(),
        }
    }

    /// What an endpoint says is durable as it is opened.
    pub(crate) fn found_durable(&mut self, at: Option<Position>) {
        if let Some(at) = at {
            self.durable_at_open = Some(self.durable_at_open.map_or(at, |before| before.min(at)));
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
