//! Starts recorders and dispatchers of one run, in one of many versions.

use super::dispatcher::Spread;
use super::downstream::Downstream;
use super::faults::Faults;
use super::noting::{Lines, Noting};
use super::sink::Recorder;
use super::transform::Narrow;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use tg_model::SlotId;
use tg_pipeline::{OpenSink, PluginSource, ShadowSink, SinkStart};
use tg_plugin::{CallError, CallFault, DispatcherPort, Stop, TransformPort};

/// What is wrong with a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Flaw {
    #[default]
    None,
    /// It cannot be started.
    Open,
    /// It traps when it is given rows for the n-th time.
    Write(u64),
    /// It traps when it is to make rows durable for the n-th time.
    Flush(u64),
    /// It fails for good when it is given rows for the n-th time.
    Fatal(u64),
    /// Its dispatcher traps on the n-th batch.
    Dispatch(u64),
    /// Its dispatcher traps on the n-th table.
    Schema(u64),
}

/// Which plugins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Version {
    /// Of the dispatcher: another function of the key.
    pub(crate) stages: u64,
    /// Of the sink.
    pub(crate) sink: u64,
    /// A transform runs.
    pub(crate) narrow: bool,
    pub(crate) warm: bool,
    pub(crate) flaw: Flaw,
}

impl Version {
    fn label(self) -> String {
        format!("{} {} {}", self.stages, self.sink, self.narrow)
    }

    /// What the record of a run says.
    pub(crate) fn of_label(label: &str) -> Self {
        let mut words = label.split(' ');
        let mut number = || words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        Self { stages: number(), sink: number(), narrow: label.ends_with("true"), ..Self::default() }
    }
}

/// One choice of plugins of one run.
pub(crate) struct Plugins {
    down: Downstream,
    epoch: u64,
    version: Version,
    /// Calls that a flaw waits for.
    calls: Arc<AtomicU64>,
}

impl Plugins {
    /// The writers of all earlier runs are fenced off from here on.
    pub(crate) fn of_a_new_run(down: &Downstream, version: Version) -> Self {
        let _no_writes_now = down.state.lock();
        Self::of_run(down, down.epoch.fetch_add(1, SeqCst) + 1, version)
    }

    /// Others for the run that goes on.
    pub(crate) fn of_run(down: &Downstream, epoch: u64, version: Version) -> Self {
        Self { down: down.clone(), epoch, version, calls: Arc::default() }
    }

    pub(crate) const fn epoch(&self) -> u64 {
        self.epoch
    }

    fn flaw(&self) -> Flawed {
        Flawed { flaw: self.version.flaw, calls: Arc::clone(&self.calls) }
    }
}

/// Lets a call fail when its time has come.
#[derive(Clone, Default)]
pub(crate) struct Flawed {
    flaw: Flaw,
    calls: Arc<AtomicU64>,
}

impl Flawed {
    /// A call that `at` counts, if it is of the kind.
    pub(crate) fn hit(&self, call: &'static str, at: impl Fn(Flaw) -> Option<u64>) -> Result<(), CallError> {
        let Some(n) = at(self.flaw) else { return Ok(()) };
        if self.calls.fetch_add(1, SeqCst) + 1 < n {
            return Ok(());
        }
        let detail = "a flaw of this version".to_owned();
        let fault = match self.flaw {
            Flaw::Fatal(_) => CallFault::Fatal { code: "flaw".to_owned(), message: detail },
            _ => CallFault::Stopped { stop: Stop::Trap, detail },
        };
        Err(CallError::new("flawed", call, fault))
    }
}

impl PluginSource for Plugins {
    fn sink(&self, at: SinkStart) -> BoxFuture<'_, Result<OpenSink, CallError>> {
        let lane = (at.slot.0, at.lane.0);
        let durable = self.down.state.lock().durable.get(&lane).copied().filter(|_| self.down.keeps);
        let count = at.state.and_then(|s| s.try_into().ok()).map_or(0, u64::from_le_bytes);
        let sink = Recorder {
            down: self.down.clone(),
            epoch: self.epoch,
            lane,
            executor: at.lane.0 == at.lanes,
            buffer: Vec::new(),
            known: HashSet::new(),
            dead: false,
            count,
            flaw: self.flaw(),
        };
        let opened = match self.version.flaw {
            Flaw::Open => {
                let fault = CallFault::Fatal { code: "flaw".to_owned(), message: "it cannot be started".to_owned() };
                Err(CallError::new("flawed", "open", fault))
            }
            _ => Ok(OpenSink { sink: Box::new(sink), durable }),
        };
        async move { opened }.boxed()
    }

    fn dispatcher(&self, _: SlotId, lanes: u16) -> BoxFuture<'_, Result<Box<dyn DispatcherPort>, CallError>> {
        let spread = Spread {
            lanes,
            salt: self.version.stages,
            known: HashSet::new(),
            counts: Vec::new(),
            poison: self.down.poison.clone(),
            flaw: self.flaw(),
            dead: false,
        };
        async move { Ok(Box::new(spread) as Box<dyn DispatcherPort>) }.boxed()
    }

    fn transforms(&self, _: SlotId) -> BoxFuture<'_, Result<Vec<Box<dyn TransformPort>>, CallError>> {
        let narrow = self.version.narrow.then(|| Box::new(Narrow::default()) as Box<dyn TransformPort>);
        async move { Ok(narrow.into_iter().collect()) }.boxed()
    }

    fn partition_counts<'a>(&'a self, targets: &'a [String]) -> BoxFuture<'a, Result<Vec<u32>, CallError>> {
        let counts = targets.iter().map(|t| t.len() as u32).collect();
        async move { Ok(counts) }.boxed()
    }

    fn shadow_sink(&self, at: SinkStart) -> BoxFuture<'_, Result<Option<ShadowSink>, CallError>> {
        async move {
            let tape = Arc::new(Lines::default());
            let down = Downstream::new(false, Faults::default());
            let told = Arc::clone(&tape);
            let inner = Self { down, epoch: 0, version: self.version, calls: Arc::clone(&self.calls) };
            let sink = inner.sink(at).await?.sink;
            let version = self.version.sink;
            Ok(Some(ShadowSink { sink: Box::new(Noting { sink, told, version }), tape }))
        }
        .boxed()
    }

    fn opens_warm(&self) -> bool {
        self.version.warm
    }

    fn label(&self) -> String {
        self.version.label()
    }
}
