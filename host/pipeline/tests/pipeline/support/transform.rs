//! Leaves out the last column, and rows whose id ends in a five.

use futures::FutureExt;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::sync::Arc;
use tg_model::{DdlEvent, TableVersion};
use tg_plugin::{CallError, TransformPlan, TransformPort, Transformed};
use tgr1::BatchBuf;

#[derive(Default)]
pub(crate) struct Narrow {
    /// Columns of each version that is known, less the one that goes.
    known: HashMap<(i64, u64), u32>,
}

/// Whether a row passes.
pub(crate) fn passes(id: i64) -> bool {
    id % 10 != 5
}

fn narrowed(version: &TableVersion) -> TableVersion {
    let mut out = version.clone();
    if let Some(gone) = out.columns.pop() {
        out.by_id.remove(&gone.id);
    }
    out.name = format!("narrow_{}", version.name);
    let last = out.columns.len() as u32;
    let row_key = out.row_key.and_then(|k| out.indexes.get(k as usize).cloned());
    out.indexes.retain(|i| i.columns.iter().all(|c| *c < last));
    out.row_key = row_key.and_then(|key| out.indexes.iter().position(|i| i.id == key.id)).map(|i| i as u32);
    out
}

impl TransformPort for Narrow {
    fn on_schema(&mut self, version: Arc<TableVersion>) -> BoxFuture<'_, Result<TransformPlan, CallError>> {
        let output = narrowed(&version);
        let fresh = self.known.insert((version.table.0, version.since.get()), output.columns.len() as u32);
        assert!(fresh.is_none(), "{} was told twice", version.name);
        let plan = TransformPlan { active: true, columns: None, output: Some(Arc::new(output)) };
        async { Ok(plan) }.boxed()
    }

    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>> {
        assert!(self.known.remove(&(version.table.0, version.since.get())).is_some(), "an unknown version is dropped");
        async { Ok(()) }.boxed()
    }

    fn transform<'a>(&'a mut self, batch: &'a BatchBuf) -> BoxFuture<'a, Result<Transformed, CallError>> {
        let b = batch.batch();
        let columns = self.known[&(b.table().cast_signed(), b.version())];
        let id = |i: u32| b.row(i as usize).unwrap().current().unwrap().i64(0).unwrap();
        let origins: Vec<u32> = (0..batch.len() as u32).filter(|i| passes(id(*i))).collect();
        let rows = tgr1::select(&b, origins.iter().copied()).and_then(BatchBuf::new).unwrap();
        let all: Vec<u32> = (0..columns).collect();
        let narrow = tgr1::project(&rows.batch(), &all, 0, u32::MAX).and_then(BatchBuf::new).unwrap();
        let batch = Some(narrow).filter(|n| !n.is_empty());
        async { Ok(Transformed { batch, origins, quarantined: Vec::new() }) }.boxed()
    }

    fn on_ddl(&mut self, event: Arc<DdlEvent>, _: bool) -> BoxFuture<'_, Result<Option<Arc<DdlEvent>>, CallError>> {
        let known = |v: &Arc<TableVersion>| self.known.contains_key(&(v.table.0, v.since.get()));
        assert!(event.before.iter().chain(&event.after).all(known), "the DDL comes before its tables");
        let query = format!("/* narrow */ {}", event.query);
        async move { Ok(Some(Arc::new(DdlEvent { query, ..DdlEvent::clone(&event) }))) }.boxed()
    }
}
