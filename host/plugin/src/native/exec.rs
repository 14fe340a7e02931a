//! Where a native sink's calls run.

use super::convert::fault;
use super::host::{CallHost, Shared};
use crate::call::stopped;
use crate::error::{CallFault, Stop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Instant;
use tidegate_sdk::{Failure, Sink, native};

/// Calls that may wait for a plugin's thread: there is one at a time.
const QUEUE_LEN: usize = 1;

/// The sink of a thread, once it is open.
type Cell = Option<Box<dyn Sink>>;
type Job = Box<dyn FnOnce(&mut Cell) + Send>;

/// A sink and where its calls run.
pub(super) enum Exec {
    /// On the caller's thread.
    Here(Box<dyn Sink + Send>),
    /// On a thread of its own, which may wait for capabilities and ends with the sender.
    Thread(SyncSender<Job>),
}

impl Exec {
    pub(super) fn thread(plugin: &str) -> std::io::Result<Self> {
        let (jobs, todo) = sync_channel::<Job>(QUEUE_LEN);
        let run = move || {
            let mut cell = None;
            while let Ok(job) = todo.recv() {
                job(&mut cell);
            }
        };
        std::thread::Builder::new().name(format!("native-{plugin}")).spawn(run)?;
        Ok(Self::Thread(jobs))
    }

    /// Makes the sink of a thread.
    pub(super) async fn open<R: Send + 'static>(
        &mut self,
        shared: &Arc<Shared>,
        open: impl FnOnce() -> Result<(Box<dyn Sink>, R), Failure> + Send + 'static,
    ) -> Result<R, CallFault> {
        let jobs = match self {
            Self::Thread(jobs) => jobs.clone(),
            Self::Here(_) => return Err(dead()),
        };
        let shared = Arc::clone(shared);
        let open = move |cell: &mut Cell| {
            let (sink, answer) = guarded(&shared, open)?;
            *cell = Some(sink);
            Ok(answer)
        };
        on_thread(jobs, open).await
    }

    /// One call.
    pub(super) async fn call<R: Send + 'static>(
        &mut self,
        shared: &Arc<Shared>,
        call: impl FnOnce(&mut dyn Sink) -> Result<R, Failure> + Send + 'static,
    ) -> Result<R, CallFault> {
        let jobs = match self {
            Self::Here(sink) => return guarded(shared, || call(&mut **sink)),
            Self::Thread(jobs) => jobs.clone(),
        };
        let shared = Arc::clone(shared);
        let call = move |cell: &mut Cell| match cell {
            Some(sink) => guarded(&shared, || call(&mut **sink)),
            None => Err(dead()),
        };
        on_thread(jobs, call).await
    }
}

fn dead() -> CallFault {
    stopped(Stop::Dead, String::new())
}

async fn on_thread<R: Send + 'static>(
    jobs: SyncSender<Job>,
    job: impl FnOnce(&mut Cell) -> Result<R, CallFault> + Send + 'static,
) -> Result<R, CallFault> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let job: Job = Box::new(move |cell| {
        // Nobody waits when the call was dropped.
        let _ = answer.send(job(cell));
    });
    if jobs.try_send(job).is_err() {
        return Err(dead());
    }
    answered.await.unwrap_or_else(|_| Err(dead()))
}

/// Runs a call of a plugin with its host; a panic is an error.
pub(super) fn guarded<R>(shared: &Arc<Shared>, call: impl FnOnce() -> Result<R, Failure>) -> Result<R, CallFault> {
    let started = Instant::now();
    let host = Rc::new(CallHost(Arc::clone(shared)));
    let outcome = catch_unwind(AssertUnwindSafe(|| native::scope(host, call)));
    let metrics = &shared.metrics;
    metrics.calls.fetch_add(1, Relaxed);
    let spent = (started.elapsed().as_nanos() as u64).saturating_sub(shared.take_waited_ns());
    metrics.guest_ns.fetch_add(spent, Relaxed);
    metrics.latency.observe(spent as f64 / 1e9);
    match outcome {
        Ok(answer) => answer.map_err(fault),
        Err(panic) => {
            metrics.traps.fetch_add(1, Relaxed);
            let said = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(stopped(Stop::Trap, said.unwrap_or_default()))
        }
    }
}
