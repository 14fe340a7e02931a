//! Table versions that a sink instance was told of, with what it asked for.

use std::collections::HashMap;
use std::sync::Arc;
use tg_model::TableVersion;
use tg_plugin::{CallError, SinkPort};

/// Rows written before a flush, when the sink's plan names no number.
pub(crate) const FLUSH_ROWS: u64 = 4_096;
/// Bytes written before a flush, when the sink's plan names no number.
pub(crate) const FLUSH_BYTES: u64 = 8 << 20;
/// Table versions a sink instance is kept told of; above it those that the last flush did not need are dropped.
const KNOWN_TABLES_MAX: usize = 1_024;

#[derive(Default)]
pub(crate) struct Known {
    plans: HashMap<i64, KnownTable, foldhash::fast::RandomState>,
    /// Flushes so far.
    flush: u64,
}

struct KnownTable {
    version: Arc<TableVersion>,
    targets: Arc<[String]>,
    plan: Plan,
    /// The flush that last had rows of it.
    flush: u64,
}

/// What may be written before a flush.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl Known {
    /// Tells the sink of a version if it has not been told.
    pub(crate) async fn plan(
        &mut self,
        v: &Arc<TableVersion>,
        targets: &Arc<[String]>,
        sink: &mut dyn SinkPort,
    ) -> Result<Plan, CallError> {
        if let Some(known) = self.plans.get_mut(&v.table.0)
            && Arc::ptr_eq(&known.version, v)
            && known.targets == *targets
        {
            known.flush = self.flush;
            return Ok(known.plan);
        }
        if let Some(old) = self.plans.remove(&v.table.0) {
            sink.drop_schema(&old.version).await?;
        }
        let asked = sink.on_schema(Arc::clone(v), Arc::clone(targets)).await?;
        let plan = Plan {
            rows: asked.batch_rows.map_or(FLUSH_ROWS, u64::from).max(1),
            bytes: asked.batch_bytes.map_or(FLUSH_BYTES, u64::from).max(1),
        };
        let (version, targets) = (Arc::clone(v), Arc::clone(targets));
        self.plans.insert(v.table.0, KnownTable { version, targets, plan, flush: self.flush });
        Ok(plan)
    }

    /// With too many tables, drops those that the last flush did not need. Only while nothing is written and not durable.
    pub(crate) async fn forget_idle(&mut self, sink: &mut dyn SinkPort) -> Result<(), CallError> {
        if self.plans.len() > KNOWN_TABLES_MAX {
            let last = self.flush;
            for (_, idle) in self.plans.extract_if(|_, t| t.flush < last).collect::<Vec<_>>() {
                sink.drop_schema(&idle.version).await?;
            }
        }
        self.flush += 1;
        Ok(())
    }
}
