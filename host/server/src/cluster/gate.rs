//! The right to write to sinks that nothing fences: it ends by itself, on this process' own clock.

use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tg_cluster::Mono;
use tg_model::{DdlEvent, Position, TableVersion};
use tg_plugin::{Ack, Barrier, CallError, SinkPort, TablePlan, WriteOutcome};
use tgr1::BatchBuf;

/// Between two looks whether the right has come back.
const POLL: Duration = Duration::from_millis(10);
/// The clock begins here, so that zero means never.
const CLOCK_START_MICROS: u64 = 1_000_000;

/// This process' monotonic clock, as the state machines count it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Mono {
        Mono(CLOCK_START_MICROS + u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

/// Until when writes may be admitted.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    clock: Clock,
    until: Arc<AtomicU64>,
}

impl Gate {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, until: Arc::default() }
    }

    /// Sets the end: it may also come nearer.
    pub(crate) fn set(&self, until: Mono) {
        self.until.store(until.0, Ordering::Release);
    }

    fn is_open(&self) -> bool {
        self.clock.now().0 < self.until.load(Ordering::Acquire)
    }

    /// Returns while it is open. The caller hands its bytes over at once.
    pub(crate) async fn pass(&self) {
        while !self.is_open() {
            tokio::time::sleep(POLL).await;
        }
    }
}

/// A sink that is written to only while the gate is open.
pub(crate) struct GatedSink {
    pub(crate) sink: Box<dyn SinkPort>,
    pub(crate) gate: Gate,
}

impl SinkPort for GatedSink {
    fn on_schema(
        &mut self,
        version: Arc<TableVersion>,
        targets: Arc<[String]>,
    ) -> BoxFuture<'_, Result<TablePlan, CallError>> {
        self.sink.on_schema(version, targets)
    }

    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>> {
        self.sink.drop_schema(version)
    }

    fn on_ddl(&mut self, event: Arc<DdlEvent>, maybe_done: bool) -> BoxFuture<'_, Result<(), CallError>> {
        async move {
            self.gate.pass().await;
            self.sink.on_ddl(event, maybe_done).await
        }
        .boxed()
    }

    fn write(&mut self, batch: Arc<BatchBuf>) -> BoxFuture<'_, Result<WriteOutcome, CallError>> {
        async move {
            self.gate.pass().await;
            self.sink.write(batch).await
        }
        .boxed()
    }

    fn flush(&mut self, barrier: Barrier) -> BoxFuture<'_, Result<Ack, CallError>> {
        async move {
            self.gate.pass().await;
            self.sink.flush(barrier).await
        }
        .boxed()
    }

    fn status(&mut self) -> BoxFuture<'_, Result<Option<Position>, CallError>> {
        self.sink.status()
    }

    fn on_checkpoint(&mut self, at: Position) -> BoxFuture<'_, Result<(), CallError>> {
        async move {
            self.gate.pass().await;
            self.sink.on_checkpoint(at).await
        }
        .boxed()
    }

    fn on_tick(&mut self) -> BoxFuture<'_, Result<(), CallError>> {
        async move {
            self.gate.pass().await;
            self.sink.on_tick().await
        }
        .boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.sink.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_passes_before_it_opens_or_after_its_end() {
        let clock = Clock::start();
        let gate = Gate::new(clock);
        assert!(!gate.is_open(), "nobody has said anything yet");
        let waits = tokio::spawn({
            let gate = gate.clone();
            async move { gate.pass().await }
        });
        tokio::time::sleep(POLL * 3).await;
        assert!(!waits.is_finished());
        gate.set(clock.now().after(60_000_000));
        waits.await.unwrap();
        gate.set(Mono(0));
        assert!(!gate.is_open(), "the right is taken back");
        gate.set(clock.now());
        assert!(!gate.is_open(), "its end is not part of it");
    }
}
