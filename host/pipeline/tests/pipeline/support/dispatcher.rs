//! Spreads rows over lanes by their first column.

use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::HashSet;
use std::sync::Arc;
use tg_model::{TableId, TableVersion};
use tg_plugin::{CallError, Decisions, DispatchPlan, DispatcherPort};
use tgr1::BatchBuf;

pub(crate) struct Spread {
    pub(crate) lanes: u16,
    /// Versions told and not dropped.
    pub(crate) known: HashSet<(TableId, u64)>,
}

impl DispatcherPort for Spread {
    fn on_schema(&mut self, version: Arc<TableVersion>) -> BoxFuture<'_, Result<DispatchPlan, CallError>> {
        let fresh = self.known.insert((version.table, version.since.get()));
        assert!(fresh, "{}.{} was told twice", version.schema, version.name);
        async { Ok(DispatchPlan { split_key_updates: true, ..DispatchPlan::default() }) }.boxed()
    }

    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>> {
        assert!(self.known.remove(&(version.table, version.since.get())), "an unknown version is dropped");
        async { Ok(()) }.boxed()
    }

    fn dispatch<'a>(&'a mut self, batch: &'a BatchBuf) -> BoxFuture<'a, Result<Decisions, CallError>> {
        let batch = batch.batch();
        let key = (TableId(batch.table().cast_signed()), batch.version());
        assert!(self.known.contains(&key), "rows of {key:?} come before their schema");
        let mixed = |id: i64| (id.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u16 % self.lanes;
        let lanes = batch.iter().map(|r| mixed(r.current().unwrap().i64(0).unwrap())).collect();
        async { Ok(Decisions { lanes, ..Decisions::default() }) }.boxed()
    }
}
