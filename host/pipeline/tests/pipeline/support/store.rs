//! Progress that outlives runs, with a note of what the downstream held at every step.

use super::dispatcher::Spread;
use super::downstream::Downstream;
use super::sink::Recorder;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering::SeqCst;
use tg_model::{LaneId, Position, SlotId, Ts};
use tg_pipeline::{DdlState, OpenSink, PipelineError, PluginSource, ProgressStore};
use tg_plugin::{CallError, DispatcherPort};

/// One per world.
pub(crate) struct Store {
    down: Downstream,
    pub(crate) inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub(crate) checkpoint: Position,
    pub(crate) ddls: HashMap<(Ts, u32), DdlState>,
    /// Every checkpoint stored, with the length of the downstream's log at that moment.
    pub(crate) stored: Vec<(Position, usize)>,
}

impl Store {
    pub(crate) fn new(down: Downstream, start: Position) -> Self {
        let inner = Inner { checkpoint: start, ddls: HashMap::new(), stored: Vec::new() };
        Self { down, inner: Mutex::new(inner) }
    }

    pub(crate) fn checkpoint_now(&self) -> Position {
        self.inner.lock().checkpoint
    }
}

impl ProgressStore for Store {
    fn checkpoint(&self, at: Position) -> BoxFuture<'_, Result<(), PipelineError>> {
        let held = self.down.len();
        let mut inner = self.inner.lock();
        assert!(at > inner.checkpoint, "the checkpoint goes from {} to {at}", inner.checkpoint);
        inner.checkpoint = at;
        inner.stored.push((at, held));
        async { Ok(()) }.boxed()
    }

    fn ddl(&self, ts: Ts, seq: u32) -> BoxFuture<'_, Result<Option<DdlState>, PipelineError>> {
        let known = self.inner.lock().ddls.get(&(ts, seq)).copied();
        async move { Ok(known) }.boxed()
    }

    fn set_ddl(&self, ts: Ts, seq: u32, state: DdlState) -> BoxFuture<'_, Result<(), PipelineError>> {
        self.inner.lock().ddls.insert((ts, seq), state);
        async { Ok(()) }.boxed()
    }
}

/// Starts recorders of one run.
pub(crate) struct Plugins {
    down: Downstream,
    epoch: u64,
}

impl Plugins {
    /// The writers of all earlier runs are fenced off from here on.
    pub(crate) fn of_a_new_run(down: &Downstream) -> Self {
        let _no_writes_now = down.state.lock();
        Self { down: down.clone(), epoch: down.epoch.fetch_add(1, SeqCst) + 1 }
    }
}

impl PluginSource for Plugins {
    fn sink(&self, slot: SlotId, lane: LaneId, _: u16, _: Position) -> BoxFuture<'_, Result<OpenSink, CallError>> {
        let lane = (slot.0, lane.0);
        let durable = self.down.state.lock().durable.get(&lane).copied().filter(|_| self.down.keeps);
        let sink = Recorder {
            down: self.down.clone(),
            epoch: self.epoch,
            lane,
            buffer: Vec::new(),
            known: HashSet::new(),
            dead: false,
        };
        async move { Ok(OpenSink { sink: Box::new(sink), durable }) }.boxed()
    }

    fn dispatcher(&self, _: SlotId, lanes: u16) -> BoxFuture<'_, Result<Box<dyn DispatcherPort>, CallError>> {
        async move { Ok(Box::new(Spread { lanes, known: HashSet::new() }) as Box<dyn DispatcherPort>) }.boxed()
    }
}
