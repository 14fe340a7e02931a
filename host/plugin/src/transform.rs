//! A running transform.

use crate::answer::{check_columns, check_transformed};
use crate::bindings::transform::TransformPlugin;
use crate::capability::rows::BatchResource;
use crate::error::{CallError, CallFault};
use crate::grant::Grants;
use crate::instance::{Core, InstanceSpec};
use crate::kept::Kept;
use crate::plan::{Plans, transform_data};
use crate::plugin::{Plugin, Pre};
use crate::ports::{TransformPlan, TransformPort, Transformed};
use crate::{convert, output};
use futures::future::BoxFuture;
use std::pin::pin;
use std::sync::Arc;
use tg_model::{DdlEvent, TableVersion};
use tgr1::BatchBuf;
use wasmtime::component::Resource;

/// A transform in its sandbox. Reaches no endpoint.
pub struct TransformInstance {
    core: Core,
    guest: TransformPlugin,
    plans: Plans<TransformPlan>,
}

impl TransformInstance {
    /// Starts an instance; of the grants of `spec` only secrets are used.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn open(plugin: &Plugin, spec: &InstanceSpec) -> Result<Self, CallError> {
        let spec = InstanceSpec { grants: pure(&spec.grants), ..spec.clone() };
        let start = |e| CallError { plugin: Arc::clone(&plugin.name), call: "open", fault: CallFault::Start(e) };
        plugin.check(&spec.config, &spec.grants).map_err(start)?;
        let Pre::Transform(pre) = &plugin.pre else {
            return Err(start(plugin.wrong_kind("`transform`")));
        };
        let metrics = Arc::clone(plugin.metrics());
        let mut core = Core::new(&plugin.engine, Arc::clone(&plugin.name), metrics, &spec, Kept::default());
        let watch = core.begin("open")?;
        let ctx = convert::context(&spec, None);
        let store = &mut core.store;
        let answer = watch.within(async move {
            let guest = pre.instantiate_async(&mut *store).await?;
            let answer = guest.tidegate_plugin_transform().call_open(store, &ctx).await?;
            Ok(answer.map(|()| guest))
        });
        let answer = answer.await;
        let guest = core.end("open", answer)?.map_err(|f| core.error("open", f.into()))?;
        Ok(Self { core, guest, plans: Plans::new() })
    }

    async fn call_on_schema(&mut self, version: &TableVersion) -> Result<TransformPlan, CallError> {
        const CALL: &str = "on-schema";
        let watch = self.core.begin(CALL)?;
        let schema = convert::table_schema(version);
        let guest = self.guest.tidegate_plugin_transform();
        let answer = watch.within(guest.call_on_schema(&mut self.core.store, &schema)).await;
        let plan = self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))?;
        check_columns(plan.columns.as_deref(), convert::column_count(version))
            .map_err(|detail| self.core.breach(CALL, detail))?;
        let made = plan.output.map(|o| output::table_version(&o, version)).transpose();
        let output = made.map_err(|detail| self.core.breach(CALL, detail))?.map(Arc::new);
        let plan = TransformPlan { active: plan.active, columns: plan.columns, output };
        self.plans.insert((schema.ref_.table, schema.ref_.version), keyed(&plan, version));
        Ok(plan)
    }

    async fn call_drop_schema(&mut self, version: &TableVersion) -> Result<(), CallError> {
        const CALL: &str = "drop-schema";
        let table = convert::table_ref(version);
        self.plans.remove(&(table.table, table.version));
        let watch = self.core.begin(CALL)?;
        let guest = self.guest.tidegate_plugin_transform();
        let answer = watch.within(guest.call_drop_schema(&mut self.core.store, table)).await;
        self.core.end(CALL, answer)
    }

    async fn call_transform(&mut self, batch: &BatchBuf) -> Result<Transformed, CallError> {
        const CALL: &str = "transform";
        let (output, projected) = transform_data(&self.plans, batch).map_err(|f| self.core.error(CALL, f))?;
        let data = projected.as_deref().unwrap_or(batch.as_bytes());
        let watch = self.core.begin(CALL)?;
        self.core.count_rows(batch.len(), data.len());
        let answer = match self.core.store.data_mut().table.push(BatchResource(batch.clone())) {
            Ok(handle) => {
                let lent = Resource::new_borrow(handle.rep());
                let answer = {
                    // Pinned where it is made: it is large, and moving it costs more than the call.
                    let call =
                        pin!(self.guest.tidegate_plugin_transform().call_transform(&mut self.core.store, lent, data));
                    watch.within(call).await
                };
                let taken = self.core.store.data_mut().table.delete(handle).map(|_| ());
                answer.and_then(|a| taken.map(|()| a).map_err(Into::into))
            }
            Err(e) => Err(e.into()),
        };
        let made = self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))?;
        let quarantined = made.quarantined.into_iter().map(Into::into).collect();
        check_transformed(batch, &output, made.data, made.origins, quarantined)
            .map_err(|detail| self.core.breach(CALL, detail))
    }

    async fn call_on_ddl(&mut self, event: &DdlEvent, maybe_done: bool) -> Result<Option<Arc<DdlEvent>>, CallError> {
        const CALL: &str = "on-ddl";
        let watch = self.core.begin(CALL)?;
        let ddl = convert::ddl_event(event, maybe_done);
        let guest = self.guest.tidegate_plugin_transform();
        let answer = watch.within(guest.call_on_ddl(&mut self.core.store, &ddl)).await;
        let seen = self.core.end(CALL, answer)?.map_err(|f| self.core.error(CALL, f.into()))?;
        let made = seen.map(|d| output::ddl_event(d, event)).transpose();
        Ok(made.map_err(|detail| self.core.breach(CALL, detail))?.map(Arc::new))
    }
}

/// Transforms are pure: the same answer for the same rows. Secrets are part of the question.
pub(crate) fn pure(grants: &Grants) -> Grants {
    Grants { secrets: grants.secrets.clone(), ..Grants::default() }
}

/// The plan with the output filled in, to check rows against.
pub(crate) fn keyed(plan: &TransformPlan, version: &TableVersion) -> TransformPlan {
    let output = plan.output.clone().unwrap_or_else(|| Arc::new(version.clone()));
    TransformPlan { output: Some(output), ..plan.clone() }
}

impl TransformPort for TransformInstance {
    fn on_schema(&mut self, version: Arc<TableVersion>) -> BoxFuture<'_, Result<TransformPlan, CallError>> {
        Box::pin(async move { self.call_on_schema(&version).await })
    }

    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(self.call_drop_schema(version))
    }

    fn transform<'a>(&'a mut self, batch: &'a BatchBuf) -> BoxFuture<'a, Result<Transformed, CallError>> {
        Box::pin(self.call_transform(batch))
    }

    fn on_ddl(
        &mut self,
        event: Arc<DdlEvent>,
        maybe_done: bool,
    ) -> BoxFuture<'_, Result<Option<Arc<DdlEvent>>, CallError>> {
        Box::pin(async move { self.call_on_ddl(&event, maybe_done).await })
    }
}
