//! A running sink.

use crate::answer::{check_ack, check_bad_events, check_columns};
use crate::bindings::sink::SinkPlugin;
use crate::bindings::sink::exports::tidegate::plugin::sink as wit;
use crate::capability::rows::BatchResource;
use crate::convert;
use crate::durable::Least;
use crate::error::{CallError, CallFault, PluginError, Stop};
use crate::instance::{Core, InstanceSpec};
use crate::kept::{self, Kept};
use crate::plan::{Plans, sink_data};
use crate::plugin::{Plugin, Pre};
use crate::ports::{Ack, Barrier, BarrierKind, SinkPort, TablePlan, WriteOutcome};
use futures::future::BoxFuture;
use std::pin::pin;
use std::sync::Arc;
use tg_model::{DdlEvent, Position, TableVersion};
use tgr1::BatchBuf;
use wasmtime::component::Resource;

/// A sink in its sandbox. Serves one lane.
pub struct SinkInstance {
    core: Core,
    guest: SinkPlugin,
    plans: Plans<TablePlan>,
    /// What the guest last said it keeps.
    own_state: Option<Vec<u8>>,
}

impl SinkInstance {
    /// Starts an instance. Returns with it the position that is durable downstream: the greater of the plugin's own answer
    /// and what its endpoints hold; `None`: nobody knows.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn open(plugin: &Plugin, spec: &InstanceSpec) -> Result<(Self, Option<Position>), CallError> {
        let start = |e| CallError { plugin: Arc::clone(&plugin.name), call: "open", fault: CallFault::Start(e) };
        plugin.check(&spec.config, &spec.grants).map_err(start)?;
        let Pre::Sink(pre) = &plugin.pre else {
            return Err(start(plugin.wrong_kind("`sink`")));
        };
        let (own_state, kept) = stored(&plugin.name, spec).map_err(start)?;
        let mut core = Core::new(&plugin.engine, Arc::clone(&plugin.name), Arc::clone(plugin.metrics()), spec, kept);
        let watch = core.begin("open")?;
        let ctx = convert::context(spec, own_state.clone());
        let store = &mut core.store;
        let answer = watch.within(async move {
            let guest = pre.instantiate_async(&mut *store).await?;
            let answer = guest.tidegate_plugin_sink().call_open(store, &ctx).await?;
            Ok(answer.map(|durable| (guest, durable)))
        });
        let answer = answer.await;
        let (guest, own) = core.end("open", answer)?.map_err(|f| core.error("open", f.into()))?;
        let own = position(&mut core, "open", own)?;
        let durable = own.max(core.store.data().durable_at_open);
        Ok((Self { core, guest, plans: Plans::new(), own_state }, durable))
    }

    async fn call_on_schema(&mut self, version: &TableVersion, targets: &[String]) -> Result<TablePlan, CallError> {
        const CALL: &str = "on-schema";
        let watch = self.core.begin(CALL)?;
        let schema = convert::table_schema(version);
        let guest = self.guest.tidegate_plugin_sink();
        let answer = watch.within(guest.call_on_schema(&mut self.core.store, &schema, targets)).await;
        let plan = self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))?;
        check_columns(plan.columns.as_deref(), convert::column_count(version))
            .map_err(|detail| self.core.breach(CALL, detail))?;
        let plan = TablePlan {
            columns: plan.columns,
            deliver: plan.deliver,
            batch_rows: plan.batch_rows,
            batch_bytes: plan.batch_bytes,
        };
        self.plans.insert((schema.ref_.table, schema.ref_.version), plan.clone());
        Ok(plan)
    }

    async fn call_drop_schema(&mut self, version: &TableVersion) -> Result<(), CallError> {
        const CALL: &str = "drop-schema";
        let table = convert::table_ref(version);
        self.plans.remove(&(table.table, table.version));
        let watch = self.core.begin(CALL)?;
        let answer =
            watch.within(self.guest.tidegate_plugin_sink().call_drop_schema(&mut self.core.store, table)).await;
        self.core.end(CALL, answer)
    }

    async fn call_on_ddl(&mut self, event: &DdlEvent, maybe_done: bool) -> Result<(), CallError> {
        const CALL: &str = "on-ddl";
        let watch = self.core.begin(CALL)?;
        let ddl = convert::ddl_event(event, maybe_done);
        let answer = watch.within(self.guest.tidegate_plugin_sink().call_on_ddl(&mut self.core.store, &ddl)).await;
        self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))
    }

    async fn call_write(&mut self, batch: Arc<BatchBuf>) -> Result<WriteOutcome, CallError> {
        const CALL: &str = "write";
        let rows = batch.len();
        let projected = sink_data(&self.plans, &batch).map_err(|f| self.core.error(CALL, f))?;
        let data = projected.as_deref().unwrap_or(batch.as_bytes());
        let watch = self.core.begin(CALL)?;
        self.core.count_rows(rows, data.len());
        let answer = match self.core.store.data_mut().table.push(BatchResource(BatchBuf::clone(&batch))) {
            Ok(handle) => {
                let lent = Resource::new_borrow(handle.rep());
                let answer = {
                    // Pinned where it is made: it is large, and moving it costs more than the call.
                    let call = pin!(self.guest.tidegate_plugin_sink().call_write(&mut self.core.store, lent, data));
                    watch.within(call).await
                };
                let taken = self.core.store.data_mut().table.delete(handle).map(|_| ());
                answer.and_then(|a| taken.map(|()| a).map_err(Into::into))
            }
            Err(e) => Err(e.into()),
        };
        let outcome = self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))?;
        let outcome = WriteOutcome {
            quarantined: outcome.quarantined.into_iter().map(Into::into).collect(),
            buffered_bytes: outcome.buffered_bytes,
        };
        check_bad_events(&outcome.quarantined, rows).map_err(|detail| self.core.breach(CALL, detail))?;
        Ok(outcome)
    }

    async fn call_flush(&mut self, barrier: Barrier) -> Result<Ack, CallError> {
        const CALL: &str = "flush";
        let watch = self.core.begin(CALL)?;
        self.core.store.data_mut().progress = Some(barrier.at);
        let asked = wit::Barrier { id: barrier.id, kind: kind(barrier.kind), at: convert::position(barrier.at) };
        let answer = watch.within(self.guest.tidegate_plugin_sink().call_flush(&mut self.core.store, asked)).await;
        self.core.store.data_mut().progress = None;
        let ack = self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))?;
        check_ack(barrier.id, ack.barrier, ack.state.as_deref()).map_err(|detail| self.core.breach(CALL, detail))?;
        let state = ack.complete.then(|| self.keep(ack.state)).flatten();
        Ok(Ack { complete: ack.complete, state })
    }

    /// What is to be stored for the lane, if that has changed.
    fn keep(&mut self, own: Option<Vec<u8>>) -> Option<Vec<u8>> {
        let kept = &mut self.core.store.data_mut().kept;
        let changed = kept.take_changed() | own.is_some();
        self.own_state = own.or_else(|| self.own_state.take());
        changed.then(|| kept::encode(self.own_state.as_deref(), kept))
    }

    async fn call_status(&mut self) -> Result<Option<Position>, CallError> {
        const CALL: &str = "status";
        let watch = self.core.begin(CALL)?;
        let answer = watch.within(self.guest.tidegate_plugin_sink().call_status(&mut self.core.store)).await;
        let own = self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))?;
        let own = position(&mut self.core, CALL, own)?;
        Ok(own.max(self.endpoints_durable().await?))
    }

    /// The least position that the open connections hold; `None`: none of them keeps one.
    async fn endpoints_durable(&mut self) -> Result<Option<Position>, CallError> {
        const CALL: &str = "status";
        let limit = self.core.limit;
        let ask = async {
            let mut least = Least::default();
            for connection in self.core.store.data_mut().connections.iter_mut().flatten() {
                least.add(connection.durable().await);
            }
            for producer in self.core.store.data_mut().producers.iter_mut().flatten() {
                least.add(producer.durable().await);
            }
            least.get()
        };
        match tokio::time::timeout(limit, ask).await {
            Ok(answer) => answer.map_err(|fault| self.core.error(CALL, fault)),
            // The question was dropped half-way, so the connections are not to be used again.
            Err(_) => Err(self.core.kill(CALL, Stop::Deadline, "an endpoint does not say what is durable".to_owned())),
        }
    }

    async fn call_on_checkpoint(&mut self, at: Position) -> Result<(), CallError> {
        const CALL: &str = "on-checkpoint";
        let watch = self.core.begin(CALL)?;
        let guest = self.guest.tidegate_plugin_sink();
        let answer = watch.within(guest.call_on_checkpoint(&mut self.core.store, convert::position(at))).await;
        self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))
    }

    async fn call_on_tick(&mut self) -> Result<(), CallError> {
        const CALL: &str = "on-tick";
        let watch = self.core.begin(CALL)?;
        let answer = watch.within(self.guest.tidegate_plugin_sink().call_on_tick(&mut self.core.store)).await;
        self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))
    }

    async fn call_close(&mut self) -> Result<(), CallError> {
        const CALL: &str = "close";
        let watch = self.core.begin(CALL)?;
        let answer = watch.within(self.guest.tidegate_plugin_sink().call_close(&mut self.core.store)).await;
        self.core.end(CALL, answer)
    }
}

/// The two parts of what was stored for the lane.
pub(crate) fn stored(plugin: &str, spec: &InstanceSpec) -> Result<(Option<Vec<u8>>, Kept), PluginError> {
    let failed = |detail| PluginError::State { plugin: plugin.to_owned(), detail };
    spec.state.as_deref().map_or_else(|| Ok((None, Kept::default())), |s| kept::decode(s).map_err(failed))
}

fn position(
    core: &mut Core,
    call: &'static str,
    answered: Option<crate::bindings::api::types::Position>,
) -> Result<Option<Position>, CallError> {
    answered
        .map(|p| {
            convert::model_position(p).ok_or_else(|| core.breach(call, format!("a position has no stage {}", p.stage)))
        })
        .transpose()
}

const fn kind(k: BarrierKind) -> wit::BarrierKind {
    match k {
        BarrierKind::Checkpoint => wit::BarrierKind::Checkpoint,
        BarrierKind::Ddl => wit::BarrierKind::Ddl,
        BarrierKind::Swap => wit::BarrierKind::Swap,
        BarrierKind::Stop => wit::BarrierKind::Stop,
    }
}

impl SinkPort for SinkInstance {
    fn on_schema(
        &mut self,
        version: Arc<TableVersion>,
        targets: Arc<[String]>,
    ) -> BoxFuture<'_, Result<TablePlan, CallError>> {
        Box::pin(async move { self.call_on_schema(&version, &targets).await })
    }

    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(self.call_drop_schema(version))
    }

    fn on_ddl(&mut self, event: Arc<DdlEvent>, maybe_done: bool) -> BoxFuture<'_, Result<(), CallError>> {
        Box::pin(async move { self.call_on_ddl(&event, maybe_done).await })
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
        Box::pin(self.call_on_checkpoint(at))
    }

    fn on_tick(&mut self) -> BoxFuture<'_, Result<(), CallError>> {
        Box::pin(self.call_on_tick())
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Err(e) = self.call_close().await {
                tracing::debug!(error = %e, "a sink did not close");
            }
        })
    }
}
