//! A sink whose downstream only notes what it gets.

use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::sync::Arc;
use tg_model::{DdlEvent, Position, TableVersion};
use tg_pipeline::Tape;
use tg_plugin::{Ack, Barrier, CallError, SinkPort, TablePlan, WriteOutcome};
use tgr1::BatchBuf;

#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Tape for Lines {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock())
    }
}

pub(crate) struct Noting {
    pub(crate) sink: Box<dyn SinkPort>,
    pub(crate) told: Arc<Lines>,
    pub(crate) version: u64,
}

impl SinkPort for Noting {
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
        self.sink.on_ddl(event, maybe_done)
    }

    fn write(&mut self, batch: Arc<BatchBuf>) -> BoxFuture<'_, Result<WriteOutcome, CallError>> {
        self.told.0.lock().push(format!("{} rows in version {}", batch.len(), self.version));
        self.sink.write(batch)
    }

    fn flush(&mut self, barrier: Barrier) -> BoxFuture<'_, Result<Ack, CallError>> {
        self.sink.flush(barrier)
    }

    fn status(&mut self) -> BoxFuture<'_, Result<Option<Position>, CallError>> {
        self.sink.status()
    }

    fn on_checkpoint(&mut self, at: Position) -> BoxFuture<'_, Result<(), CallError>> {
        self.sink.on_checkpoint(at)
    }

    fn on_tick(&mut self) -> BoxFuture<'_, Result<(), CallError>> {
        self.sink.on_tick()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        self.sink.close()
    }
}
