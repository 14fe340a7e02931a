//! A native dispatcher behind the dispatcher's port.

use super::convert::{self, Lent};
use super::exec::guarded;
use super::host::Shared;
use crate::answer::{check_columns, check_decisions};
use crate::call::stopped;
use crate::error::{CallError, CallFault, Stop};
use crate::instance::InstanceSpec;
use crate::kept::Kept;
use crate::manifest::check_start;
use crate::plan::{Plans, dispatcher_data};
use crate::ports::{Decisions, DispatchPlan, DispatcherPort};
use crate::{Grants, PluginMetrics};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tg_model::TableVersion;
use tgr1::BatchBuf;
use tidegate_sdk as sdk;

/// A dispatcher in-process, on the caller's thread.
pub struct NativeDispatcher {
    plugin: Box<dyn sdk::Dispatcher + Send>,
    shared: Arc<Shared>,
    lanes: u16,
    plans: Plans<DispatchPlan>,
    dead: bool,
}

impl NativeDispatcher {
    /// Starts a dispatcher; the grants of `spec` are not used.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn open<T: sdk::Dispatcher + Send + 'static>(spec: &InstanceSpec) -> Result<Self, CallError> {
        let spec = InstanceSpec { grants: Grants::default(), ..spec.clone() };
        let manifest = convert::manifest(T::manifest());
        let failed = |fault| CallError::new(&manifest.name, "open", fault);
        check_start(&manifest, &spec.config, &spec.grants).map_err(|e| failed(CallFault::Start(e)))?;
        let shared = Shared::new(&manifest.name, &spec, Kept::default(), None);
        let ctx = convert::context(&spec, None);
        let plugin = Box::new(guarded(&shared, || T::open(ctx)).map_err(failed)?);
        Ok(Self { plugin, shared, lanes: spec.lanes, plans: Plans::new(), dead: false })
    }

    /// Counts of this instance.
    #[must_use]
    pub fn metrics(&self) -> &Arc<PluginMetrics> {
        &self.shared.metrics
    }

    fn error(&self, call: &'static str, fault: CallFault) -> CallError {
        CallError { plugin: Arc::clone(&self.shared.plugin), call, fault }
    }

    fn breach(&mut self, call: &'static str, detail: String) -> CallError {
        self.dead = true;
        self.error(call, stopped(Stop::Contract, detail))
    }

    fn call<R>(
        &mut self,
        call: &'static str,
        f: impl FnOnce(&mut dyn sdk::Dispatcher) -> Result<R, sdk::Failure>,
    ) -> Result<R, CallError> {
        if self.dead {
            return Err(self.error(call, stopped(Stop::Dead, String::new())));
        }
        let answer = guarded(&self.shared, || f(&mut *self.plugin));
        self.dead = matches!(answer, Err(CallFault::Stopped { .. }));
        answer.map_err(|fault| self.error(call, fault))
    }

    fn call_on_schema(&mut self, version: &TableVersion) -> Result<DispatchPlan, CallError> {
        const CALL: &str = "on-schema";
        let schema = Arc::new(convert::schema(version));
        let (id, columns) = (schema.id, schema.columns.len());
        let plan = self.call(CALL, |d| d.on_schema(schema))?;
        check_columns(plan.columns.as_deref(), columns).map_err(|d| self.breach(CALL, d))?;
        let plan =
            DispatchPlan { columns: plan.columns, targets: plan.targets, split_key_updates: plan.split_key_updates };
        self.plans.insert((id.table, id.version), plan.clone());
        Ok(plan)
    }

    fn call_dispatch(&mut self, batch: &BatchBuf) -> Result<Decisions, CallError> {
        const CALL: &str = "dispatch";
        let (targets, data) = dispatcher_data(&self.plans, batch).map_err(|fault| self.error(CALL, fault))?;
        let data = data.as_deref().unwrap_or(batch.as_bytes());
        let metrics = &self.shared.metrics;
        metrics.rows.fetch_add(batch.len() as u64, Relaxed);
        metrics.bytes.fetch_add(data.len() as u64, Relaxed);
        let d = self.call(CALL, |d| d.dispatch(&Lent(batch), data))?;
        let decided = Decisions {
            lanes: d.lanes,
            targets: d.targets,
            partitions: d.partitions,
            quarantined: convert::bad_events(d.quarantined),
        };
        check_decisions(&decided, batch.len(), self.lanes, targets).map_err(|d| self.breach(CALL, d))?;
        Ok(decided)
    }
}

impl DispatcherPort for NativeDispatcher {
    fn on_schema(&mut self, version: Arc<TableVersion>) -> BoxFuture<'_, Result<DispatchPlan, CallError>> {
        Box::pin(std::future::ready(self.call_on_schema(&version)))
    }

    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>> {
        let table = convert::table_ref(crate::convert::table_ref(version));
        self.plans.remove(&(table.table, table.version));
        let dropped = self.call("drop-schema", |d| {
            d.drop_schema(table);
            Ok(())
        });
        Box::pin(std::future::ready(dropped))
    }

    fn partition_counts<'a>(
        &'a mut self,
        version: &'a TableVersion,
        counts: &'a [u32],
    ) -> BoxFuture<'a, Result<(), CallError>> {
        let table = convert::table_ref(crate::convert::table_ref(version));
        let told = self.call("partition-counts", |d| {
            d.partition_counts(table, counts);
            Ok(())
        });
        Box::pin(std::future::ready(told))
    }

    fn dispatch<'a>(&'a mut self, batch: &'a BatchBuf) -> BoxFuture<'a, Result<Decisions, CallError>> {
        Box::pin(async move { self.call_dispatch(batch) })
    }
}
