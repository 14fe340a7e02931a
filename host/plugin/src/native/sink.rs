//! A native sink behind the sink's port.

use super::convert::{self, Lent};
use super::exec::{Exec, guarded};
use super::host::Shared;
use crate::answer::{check_ack, check_bad_events, check_columns};
use crate::call::stopped;
use crate::durable::Least;
use crate::error::{CallError, CallFault, PluginError, Stop};
use crate::instance::InstanceSpec;
use crate::kept;
use crate::manifest::check_start;
use crate::plan::{Plans, sink_data};
use crate::ports::{Ack, Barrier, SinkPort, TablePlan, WriteOutcome};
use crate::sink::stored;
use crate::{Grants, PluginMetrics};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tg_model::{DdlEvent, Position, TableVersion};
use tgr1::BatchBuf;
use tidegate_sdk as sdk;
use tokio::runtime::Handle;

/// A sink in-process. Serves one lane.
pub struct NativeSink {
    exec: Exec,
    shared: Arc<Shared>,
    plans: Plans<TablePlan>,
    /// What the plugin last said it keeps.
    own_state: Option<Vec<u8>>,
    dead: bool,
}

type Opened = (NativeSink, Option<Position>);

impl NativeSink {
    /// Starts a sink on a thread of its own, where it may wait for what the grants of `spec` offer. Must be called within
    /// a tokio runtime. Returns the durable position as [`crate::SinkInstance::open`] does.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn open<T: sdk::Sink + 'static>(spec: &InstanceSpec) -> Result<Opened, CallError> {
        let (name, own_state, shared) = start::<T>(spec, Some(Handle::current()))?;
        let failed = |fault| CallError::new(&name, "open", fault);
        let mut exec = Exec::thread(&name)
            .map_err(|e| failed(CallFault::Start(PluginError::Engine { detail: format!("no thread: {e}") })))?;
        let ctx = convert::context(spec, own_state.clone());
        let open = move || {
            let (sink, durable) = T::open(ctx)?;
            Ok((Box::new(sink) as Box<dyn sdk::Sink>, durable))
        };
        let own = exec.open(&shared, open).await.map_err(failed)?;
        Self::opened(exec, shared, own_state, own)
    }

    /// Starts a sink that runs on the caller's thread: no hand-over, but no SQL endpoints either.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn open_in_place<T: sdk::Sink + Send + 'static>(spec: &InstanceSpec) -> Result<Opened, CallError> {
        let spec = InstanceSpec { grants: Grants::default(), ..spec.clone() };
        let (name, own_state, shared) = start::<T>(&spec, None)?;
        let ctx = convert::context(&spec, own_state.clone());
        let (sink, own) = guarded(&shared, || T::open(ctx)).map_err(|f| CallError::new(&name, "open", f))?;
        Self::opened(Exec::Here(Box::new(sink)), shared, own_state, own)
    }

    fn opened(
        exec: Exec,
        shared: Arc<Shared>,
        own_state: Option<Vec<u8>>,
        own: Option<sdk::Position>,
    ) -> Result<Opened, CallError> {
        let mut sink = Self { exec, shared, plans: Plans::new(), own_state, dead: false };
        let own = sink.position("open", own)?;
        let durable = own.max(*sink.shared.durable_at_open.lock());
        Ok((sink, durable))
    }

    /// Counts of this instance.
    #[must_use]
    pub fn metrics(&self) -> &Arc<PluginMetrics> {
        &self.shared.metrics
    }

    async fn call<R: Send + 'static>(
        &mut self,
        call: &'static str,
        f: impl FnOnce(&mut dyn sdk::Sink) -> Result<R, sdk::Failure> + Send + 'static,
    ) -> Result<R, CallError> {
        let error = |fault| CallError { plugin: Arc::clone(&self.shared.plugin), call, fault };
        if self.dead {
            return Err(error(stopped(Stop::Dead, String::new())));
        }
        // A call dropped half-way leaves a dead instance behind.
        self.dead = true;
        let answer = self.exec.call(&self.shared, f).await;
        self.dead = matches!(answer, Err(CallFault::Stopped { .. }));
        answer.map_err(error)
    }

    fn breach(&mut self, call: &'static str, detail: String) -> CallError {
        self.dead = true;
        CallError { plugin: Arc::clone(&self.shared.plugin), call, fault: stopped(Stop::Contract, detail) }
    }

    fn position(&mut self, call: &'static str, p: Option<sdk::Position>) -> Result<Option<Position>, CallError> {
        convert::model_position(p).map_err(|stage| self.breach(call, format!("a position has no stage {stage}")))
    }

    async fn call_on_schema(
        &mut self,
        version: Arc<TableVersion>,
        targets: Arc<[String]>,
    ) -> Result<TablePlan, CallError> {
        const CALL: &str = "on-schema";
        let schema = Arc::new(convert::schema(&version));
        let (id, columns) = (schema.id, schema.columns.len());
        let plan = self.call(CALL, move |s| s.on_schema(schema, &targets)).await?;
        check_columns(plan.columns.as_deref(), columns).map_err(|d| self.breach(CALL, d))?;
        let plan = TablePlan {
            columns: plan.columns,
            deliver: plan.deliver,
            batch_rows: plan.batch_rows,
            batch_bytes: plan.batch_bytes,
        };
        self.plans.insert((id.table, id.version), plan.clone());
        Ok(plan)
    }

    async fn call_write(&mut self, batch: Arc<BatchBuf>) -> Result<WriteOutcome, CallError> {
        const CALL: &str = "write";
        let rows = batch.len();
        let data = sink_data(&self.plans, &batch).map_err(|fault| CallError {
            plugin: Arc::clone(&self.shared.plugin),
            call: CALL,
            fault,
        })?;
        let metrics = &self.shared.metrics;
        metrics.rows.fetch_add(rows as u64, Relaxed);
        metrics.bytes.fetch_add(data.as_ref().map_or(batch.len_bytes(), Vec::len) as u64, Relaxed);
        let write = move |s: &mut dyn sdk::Sink| s.write(&Lent(&batch), data.as_deref().unwrap_or(batch.as_bytes()));
        let outcome = self.call(CALL, write).await?;
        let outcome = WriteOutcome {
            quarantined: convert::bad_events(outcome.quarantined),
            buffered_bytes: outcome.buffered_bytes,
        };
        check_bad_events(&outcome.quarantined, rows).map_err(|d| self.breach(CALL, d))?;
        Ok(outcome)
    }

    async fn call_flush(&mut self, barrier: Barrier) -> Result<Ack, CallError> {
        const CALL: &str = "flush";
        *self.shared.progress.lock() = Some(barrier.at);
        let asked = convert::barrier(barrier);
        let answer = self.call(CALL, move |s| s.flush(asked)).await;
        *self.shared.progress.lock() = None;
        let ack = answer?;
        check_ack(barrier.id, ack.barrier, ack.state.as_deref()).map_err(|d| self.breach(CALL, d))?;
        let state = ack.complete.then(|| self.keep(ack.state)).flatten();
        Ok(Ack { complete: ack.complete, state })
    }

    /// What is to be stored for the lane, if that has changed.
    fn keep(&mut self, own: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let mut kept = self.shared.kept.lock();
        let changed = kept.take_changed() | own.is_some();
        self.own_state = own.or_else(|| self.own_state.take());
        changed.then(|| kept::encode(self.own_state.as_deref(), &kept))
    }

    async fn call_status(&mut self) -> Result<Option<Position>, CallError> {
        const CALL: &str = "status";
        let own = self.call(CALL, |s| s.status()).await?;
        let own = self.position(CALL, own)?;
        let mut least = Least::default();
        for connection in self.shared.live() {
            least.add(connection.lock().await.durable().await);
        }
        for producer in self.shared.live_producers() {
            least.add(producer.lock().await.durable().await);
        }
        let held =
            least.get().map_err(|fault| CallError { plugin: Arc::clone(&self.shared.plugin), call: CALL, fault })?;
        Ok(own.max(held))
    }
}

/// Name, the plugin's own stored state, and what the port shares with it.
type Started = (String, Option<Vec<u8>>, Arc<Shared>);

fn start<T: sdk::Sink>(spec: &InstanceSpec, runtime: Option<Handle>) -> Result<Started, CallError> {
    let manifest = convert::manifest(T::manifest());
    let failed = |e| CallError::new(&manifest.name, "open", CallFault::Start(e));
    check_start(&manifest, &spec.config, &spec.grants).map_err(failed)?;
    let (own_state, kept) = stored(&manifest.name, spec).map_err(failed)?;
    let shared = Shared::new(&manifest.name, spec, kept, runtime);
    Ok((manifest.name, own_state, shared))
}

impl SinkPort for NativeSink {
    fn on_schema(
        &mut self,
        version: Arc<TableVersion>,
        targets: Arc<[String]>,
    ) -> BoxFuture<'_, Result<TablePlan, CallError>> {
        Box::pin(self.call_on_schema(version, targets))
    }

    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>> {
        let table = convert::table_ref(crate::convert::table_ref(version));
        self.plans.remove(&(table.table, table.version));
        Box::pin(self.call("drop-schema", move |s| {
            s.drop_schema(table);
            Ok(())
        }))
    }

    fn on_ddl(&mut self, event: Arc<DdlEvent>, maybe_done: bool) -> BoxFuture<'_, Result<(), CallError>> {
        Box::pin(self.call("on-ddl", move |s| s.on_ddl(&convert::ddl_event(&event, maybe_done))))
    }

    fn write(&mut self, batch: Arc<BatchBuf>) -> BoxFuture<'_, Result<WriteOutcome, CallError>> {
        Box::pin(self.call_write(batch))
    }

    fn flush(&mut self, barrier: Barrier) -> BoxFuture<'_, Result<Ack, CallError>> {
        Box::pin(self.call_flush(barrier))
    }

    fn status(&mut self) -> BoxFuture<'_, Result<Option<Position>, CallError>> {
        Box::pin(self.call_status())
    }

    fn on_checkpoint(&mut self, at: Position) -> BoxFuture<'_, Result<(), CallError>> {
        let at = convert::position(crate::convert::position(at));
        Box::pin(self.call("on-checkpoint", move |s| s.on_checkpoint(at)))
    }

    fn on_tick(&mut self) -> BoxFuture<'_, Result<(), CallError>> {
        Box::pin(self.call("on-tick", |s| s.on_tick()))
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let closed = self.call("close", |s| {
                s.close();
                Ok(())
            });
            if let Err(e) = closed.await {
                tracing::debug!(error = %e, "a sink did not close");
            }
        })
    }
}
