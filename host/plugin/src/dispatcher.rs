//! A running dispatcher.

use crate::answer::{check_columns, check_decisions};
use crate::bindings::dispatcher::DispatcherPlugin;
use crate::capability::rows::BatchResource;
use crate::convert;
use crate::error::{CallError, CallFault};
use crate::grant::Grants;
use crate::instance::{Core, InstanceSpec};
use crate::kept::Kept;
use crate::plan::{Plans, dispatcher_data};
use crate::plugin::{Plugin, Pre};
use crate::ports::{Decisions, DispatchPlan, DispatcherPort};
use futures::future::BoxFuture;
use std::pin::pin;
use std::sync::Arc;
use tg_model::TableVersion;
use tgr1::BatchBuf;
use wasmtime::component::Resource;

/// A dispatcher in its sandbox. Has no capabilities.
pub struct DispatcherInstance {
    core: Core,
    guest: DispatcherPlugin,
    lanes: u16,
    plans: Plans<DispatchPlan>,
}

impl DispatcherInstance {
    /// Starts an instance; the grants of `spec` are not used.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn open(plugin: &Plugin, spec: &InstanceSpec) -> Result<Self, CallError> {
        let spec = InstanceSpec { grants: Grants::default(), ..spec.clone() };
        let start = |e| CallError { plugin: Arc::clone(&plugin.name), call: "open", fault: CallFault::Start(e) };
        plugin.check(&spec.config, &spec.grants).map_err(start)?;
        let Pre::Dispatcher(pre) = &plugin.pre else {
            return Err(start(plugin.wrong_kind("`dispatcher`")));
        };
        let mut core =
            Core::new(&plugin.engine, Arc::clone(&plugin.name), Arc::clone(plugin.metrics()), &spec, Kept::default());
        let watch = core.begin("open")?;
        let ctx = convert::context(&spec, None);
        let store = &mut core.store;
        let answer = watch.within(async move {
            let guest = pre.instantiate_async(&mut *store).await?;
            let answer = guest.tidegate_plugin_dispatcher().call_open(store, &ctx).await?;
            Ok(answer.map(|durable| (guest, durable)))
        });
        let answer = answer.await;
        let (guest, ()) = core.end("open", answer)?.map_err(|f| core.error("open", f.into()))?;
        Ok(Self { core, guest, lanes: spec.lanes, plans: Plans::new() })
    }

    async fn call_on_schema(&mut self, version: &TableVersion) -> Result<DispatchPlan, CallError> {
        const CALL: &str = "on-schema";
        let watch = self.core.begin(CALL)?;
        let schema = convert::table_schema(version);
        let answer =
            watch.within(self.guest.tidegate_plugin_dispatcher().call_on_schema(&mut self.core.store, &schema)).await;
        let plan = self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))?;
        check_columns(plan.columns.as_deref(), convert::column_count(version))
            .map_err(|detail| self.core.breach(CALL, detail))?;
        let plan =
            DispatchPlan { columns: plan.columns, targets: plan.targets, split_key_updates: plan.split_key_updates };
        self.plans.insert((schema.ref_.table, schema.ref_.version), plan.clone());
        Ok(plan)
    }

    async fn call_drop_schema(&mut self, version: &TableVersion) -> Result<(), CallError> {
        const CALL: &str = "drop-schema";
        let table = convert::table_ref(version);
        self.plans.remove(&(table.table, table.version));
        let watch = self.core.begin(CALL)?;
        let answer =
            watch.within(self.guest.tidegate_plugin_dispatcher().call_drop_schema(&mut self.core.store, table)).await;
        self.core.end(CALL, answer)
    }

    async fn call_partition_counts(&mut self, version: &TableVersion, counts: &[u32]) -> Result<(), CallError> {
        const CALL: &str = "partition-counts";
        let watch = self.core.begin(CALL)?;
        let table = convert::table_ref(version);
        let guest = self.guest.tidegate_plugin_dispatcher();
        let answer = watch.within(guest.call_partition_counts(&mut self.core.store, table, counts)).await;
        self.core.end(CALL, answer)
    }

    async fn call_dispatch(&mut self, batch: &BatchBuf) -> Result<Decisions, CallError> {
        const CALL: &str = "dispatch";
        let rows = batch.len();
        let (targets, projected) = dispatcher_data(&self.plans, batch).map_err(|f| self.core.error(CALL, f))?;
        let data = projected.as_deref().unwrap_or(batch.as_bytes());
        let watch = self.core.begin(CALL)?;
        self.core.count_rows(rows, data.len());
        let answer = match self.core.store.data_mut().table.push(BatchResource(batch.clone())) {
            Ok(handle) => {
                let lent = Resource::new_borrow(handle.rep());
                let answer = {
                    // Pinned where it is made: it is large, and moving it costs more than the call.
                    let call =
                        pin!(self.guest.tidegate_plugin_dispatcher().call_dispatch(&mut self.core.store, lent, data));
                    watch.within(call).await
                };
                let taken = self.core.store.data_mut().table.delete(handle).map(|_| ());
                answer.and_then(|a| taken.map(|()| a).map_err(Into::into))
            }
            Err(e) => Err(e.into()),
        };
        let decided = self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))?;
        let decided = Decisions {
            lanes: decided.lanes,
            targets: decided.targets,
            partitions: decided.partitions,
            quarantined: decided.quarantined.into_iter().map(Into::into).collect(),
        };
        check_decisions(&decided, rows, self.lanes, targets).map_err(|detail| self.core.breach(CALL, detail))?;
        Ok(decided)
    }
}

impl DispatcherPort for DispatcherInstance {
    fn on_schema(&mut self, version: Arc<TableVersion>) -> BoxFuture<'_, Result<DispatchPlan, CallError>> {
        Box::pin(async move { self.call_on_schema(&version).await })
    }

    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(self.call_drop_schema(version))
    }

    fn partition_counts<'a>(
        &'a mut self,
        version: &'a TableVersion,
        counts: &'a [u32],
    ) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(self.call_partition_counts(version, counts))
    }

    fn dispatch<'a>(&'a mut self, batch: &'a BatchBuf) -> BoxFuture<'a, Result<Decisions, CallError>> {
        Box::pin(self.call_dispatch(batch))
    }
}
