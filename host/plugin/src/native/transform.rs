//! A native transform behind the transform's port.

use super::convert::{self, Lent};
use super::exec::guarded;
use super::host::Shared;
use crate::PluginMetrics;
use crate::answer::{check_columns, check_transformed};
use crate::call::stopped;
use crate::error::{CallError, CallFault, Stop};
use crate::instance::InstanceSpec;
use crate::kept::Kept;
use crate::manifest::check_start;
use crate::plan::{Plans, transform_data};
use crate::ports::{TransformPlan, TransformPort, Transformed};
use crate::transform::{keyed, pure};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tg_model::{DdlEvent, TableVersion};
use tgr1::BatchBuf;
use tidegate_sdk as sdk;

/// A transform in-process, on the caller's thread.
pub struct NativeTransform {
    plugin: Box<dyn sdk::Transform + Send>,
    shared: Arc<Shared>,
    plans: Plans<TransformPlan>,
    dead: bool,
}

impl NativeTransform {
    /// Starts a transform; of the grants of `spec` only secrets are used.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn open<T: sdk::Transform + Send + 'static>(spec: &InstanceSpec) -> Result<Self, CallError> {
        let spec = InstanceSpec { grants: pure(&spec.grants), ..spec.clone() };
        let manifest = convert::manifest(T::manifest());
        let failed = |fault| CallError::new(&manifest.name, "open", fault);
        check_start(&manifest, &spec.config, &spec.grants).map_err(|e| failed(CallFault::Start(e)))?;
        let shared = Shared::new(&manifest.name, &spec, Kept::default(), None);
        let ctx = convert::context(&spec, None);
        let plugin = Box::new(guarded(&shared, || T::open(ctx)).map_err(failed)?);
        Ok(Self { plugin, shared, plans: Plans::new(), dead: false })
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
        f: impl FnOnce(&mut dyn sdk::Transform) -> Result<R, sdk::Failure>,
    ) -> Result<R, CallError> {
        if self.dead {
            return Err(self.error(call, stopped(Stop::Dead, String::new())));
        }
        let answer = guarded(&self.shared, || f(&mut *self.plugin));
        self.dead = matches!(answer, Err(CallFault::Stopped { .. }));
        answer.map_err(|fault| self.error(call, fault))
    }

    fn call_on_schema(&mut self, version: &TableVersion) -> Result<TransformPlan, CallError> {
        const CALL: &str = "on-schema";
        let schema = Arc::new(convert::schema(version));
        let (id, columns) = (schema.id, schema.columns.len());
        let plan = self.call(CALL, |t| t.on_schema(schema))?;
        check_columns(plan.columns.as_deref(), columns).map_err(|d| self.breach(CALL, d))?;
        let made = plan.output.map(|o| convert::output(o, version)).transpose();
        let output = made.map_err(|d| self.breach(CALL, d))?.map(Arc::new);
        let plan = TransformPlan { active: plan.active, columns: plan.columns, output };
        self.plans.insert((id.table, id.version), keyed(&plan, version));
        Ok(plan)
    }

    fn call_transform(&mut self, batch: &BatchBuf) -> Result<Transformed, CallError> {
        const CALL: &str = "transform";
        let (output, data) = transform_data(&self.plans, batch).map_err(|fault| self.error(CALL, fault))?;
        let data = data.as_deref().unwrap_or(batch.as_bytes());
        let metrics = &self.shared.metrics;
        metrics.rows.fetch_add(batch.len() as u64, Relaxed);
        metrics.bytes.fetch_add(data.len() as u64, Relaxed);
        let made = self.call(CALL, |t| t.transform(&Lent(batch), data))?;
        let quarantined = convert::bad_events(made.quarantined);
        check_transformed(batch, &output, made.data, made.origins, quarantined).map_err(|d| self.breach(CALL, d))
    }

    fn call_on_ddl(&mut self, event: &DdlEvent, maybe_done: bool) -> Result<Option<Arc<DdlEvent>>, CallError> {
        const CALL: &str = "on-ddl";
        let ddl = convert::ddl_event(event, maybe_done);
        let seen = self.call(CALL, |t| t.on_ddl(ddl))?;
        let made = seen.map(|d| convert::seen_ddl(d, event)).transpose();
        Ok(made.map_err(|d| self.breach(CALL, d))?.map(Arc::new))
    }
}

impl TransformPort for NativeTransform {
    fn on_schema(&mut self, version: Arc<TableVersion>) -> BoxFuture<'_, Result<TransformPlan, CallError>> {
        Box::pin(std::future::ready(self.call_on_schema(&version)))
    }

    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>> {
        let table = convert::table_ref(crate::convert::table_ref(version));
        self.plans.remove(&(table.table, table.version));
        let dropped = self.call("drop-schema", |t| {
            t.drop_schema(table);
            Ok(())
        });
        Box::pin(std::future::ready(dropped))
    }

    fn transform<'a>(&'a mut self, batch: &'a BatchBuf) -> BoxFuture<'a, Result<Transformed, CallError>> {
        Box::pin(async move { self.call_transform(batch) })
    }

    fn on_ddl(
        &mut self,
        event: Arc<DdlEvent>,
        maybe_done: bool,
    ) -> BoxFuture<'_, Result<Option<Arc<DdlEvent>>, CallError>> {
        Box::pin(async move { self.call_on_ddl(&event, maybe_done) })
    }
}
