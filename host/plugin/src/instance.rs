//! What every instance has, whatever its world.

use crate::call::stopped;
use crate::deadline::{CallClock, DeadlineReached, Watch};
use crate::engine::PluginEngine;
use crate::error::{CallError, CallFault, Stop};
use crate::grant::{Grants, LaneContext};
use crate::kept::Kept;
use crate::state::State;
use crate::{PluginMetrics, call};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tg_model::Position;
use wasmtime::{Store, UpdateDeadline};

/// What an instance may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Linear memory in bytes.
    pub memory_bytes: usize,
    /// Guest time per call; time in capability calls does not count.
    pub call: Duration,
}

impl Limits {
    /// Defaults for sinks: 256 MiB, 30 s.
    pub const SINK: Self = Self { memory_bytes: 256 << 20, call: Duration::from_secs(30) };
    /// Defaults for dispatchers: 256 MiB, 1 s.
    pub const DISPATCHER: Self = Self { memory_bytes: 256 << 20, call: Duration::from_secs(1) };
    /// Defaults for transforms: 256 MiB, 1 s.
    pub const TRANSFORM: Self = Self::DISPATCHER;
}

/// What an instance is started for.
#[derive(Clone, Debug)]
pub struct InstanceSpec {
    /// Who it is.
    pub lane: LaneContext,
    /// Lanes of the slot.
    pub lanes: u16,
    /// The plugin's configuration as JSON text.
    pub config: String,
    /// Everything up to here is durable.
    pub checkpoint: Position,
    /// [`crate::Ack::state`] as it was last stored for this lane.
    pub state: Option<Vec<u8>>,
    /// What it may open.
    pub grants: Grants,
    /// What it may use.
    pub limits: Limits,
}

/// Bytes a guest may hand to the host in one call or answer, as the host holds them.
const HANDED_BYTES_MAX: usize = 64 << 20;

/// The store of an instance and whether it still lives.
pub(crate) struct Core {
    pub(crate) store: Store<State>,
    pub(crate) plugin: Arc<str>,
    /// Guest time per call.
    pub(crate) limit: Duration,
    dead: bool,
    started: Instant,
}

impl Core {
    pub(crate) fn new(
        engine: &PluginEngine,
        plugin: Arc<str>,
        metrics: Arc<PluginMetrics>,
        spec: &InstanceSpec,
        kept: Kept,
    ) -> Self {
        let clock = CallClock::new(Arc::clone(&engine.ticks), spec.limits.call);
        let state = State::new(Arc::clone(&plugin), metrics, clock, spec, kept);
        let mut store = Store::new(&engine.engine, state);
        store.set_hostcall_fuel(HANDED_BYTES_MAX);
        store.limiter(|s| &mut s.memory);
        store.epoch_deadline_callback(|ctx| match ctx.data().clock.slice() {
            Some(ticks) => Ok(UpdateDeadline::Yield(ticks)),
            None => Err(DeadlineReached.into()),
        });
        Self { store, plugin, limit: spec.limits.call, dead: false, started: Instant::now() }
    }

    /// A call begins. Until [`Core::end`] the instance counts as dead, so that a call dropped half-way leaves none behind.
    pub(crate) fn begin(&mut self, call: &'static str) -> Result<Watch, CallError> {
        if self.dead {
            return Err(self.error(call, stopped(Stop::Dead, String::new())));
        }
        self.dead = true;
        let state = self.store.data_mut();
        state.endpoint_calls = 0;
        let watch = state.clock.begin();
        self.store.set_epoch_deadline(self.store.data().clock.slice().unwrap_or(1));
        self.started = Instant::now();
        self.store.data().metrics.calls.fetch_add(1, Relaxed);
        Ok(watch)
    }

    /// The call ends.
    pub(crate) fn end<T>(&mut self, call: &'static str, result: wasmtime::Result<T>) -> Result<T, CallError> {
        let state = self.store.data();
        let guest = self.started.elapsed().saturating_sub(state.clock.waited());
        state.metrics.guest_ns.fetch_add(guest.as_nanos() as u64, Relaxed);
        state.metrics.latency.observe(guest.as_secs_f64());
        state.metrics.memory_peak_bytes.fetch_max(state.memory.used_bytes as u64, Relaxed);
        match result {
            Ok(value) => {
                self.dead = false;
                Ok(value)
            }
            Err(e) => {
                state.metrics.traps.fetch_add(1, Relaxed);
                let fault = call::classify(&e, state);
                Err(self.error(call, fault))
            }
        }
    }

    /// Rows are handed over.
    pub(crate) fn count_rows(&self, rows: usize, bytes: usize) {
        let metrics = &self.store.data().metrics;
        metrics.rows.fetch_add(rows as u64, Relaxed);
        metrics.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// The answer breaks the contract: the instance is not asked again.
    pub(crate) fn breach(&mut self, call: &'static str, detail: String) -> CallError {
        self.kill(call, Stop::Contract, detail)
    }

    /// The instance is not to be asked again.
    pub(crate) fn kill(&mut self, call: &'static str, stop: Stop, detail: String) -> CallError {
        self.dead = true;
        self.store.data().metrics.traps.fetch_add(1, Relaxed);
        self.error(call, stopped(stop, detail))
    }

    pub(crate) fn error(&self, call: &'static str, fault: CallFault) -> CallError {
        CallError { plugin: Arc::clone(&self.plugin), call, fault }
    }
}
