//! Spreads rows over lanes by their first column, and over targets and partitions by what the targets are called.

use super::plugins::{Flaw, Flawed};
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;
use tg_model::{TableId, TableVersion};
use tg_plugin::{BadEvent, CallError, CallFault, Decisions, DispatchPlan, DispatcherPort, Stop};
use tgr1::BatchBuf;

/// Rows that stop or displease who sees them.
#[derive(Default, Debug)]
pub(crate) struct Poison {
    /// Ids at which a dispatcher traps.
    pub(crate) dispatcher: HashSet<i64>,
    /// Ids that a dispatcher refuses.
    pub(crate) undecided: HashSet<i64>,
    /// Ids at which a sink traps.
    pub(crate) sink: HashSet<i64>,
    /// Ids at which a sink traps when it flushes them.
    pub(crate) flush: HashSet<i64>,
    /// Ids that a sink refuses.
    pub(crate) unwanted: HashSet<i64>,
}

pub(crate) const TARGETS: [&str; 2] = ["two", "three"];

pub(crate) struct Spread {
    pub(crate) lanes: u16,
    /// Another one is another function.
    pub(crate) salt: u64,
    /// Versions told and not dropped.
    pub(crate) known: HashSet<(TableId, u64)>,
    pub(crate) counts: Vec<u32>,
    pub(crate) poison: Arc<Mutex<Poison>>,
    pub(crate) flaw: Flawed,
    pub(crate) dead: bool,
}

impl Spread {
    fn decide(&mut self, batch: &BatchBuf) -> Result<Decisions, CallError> {
        assert!(!self.dead, "a dispatcher is used after it trapped");
        self.flaw.hit("dispatch", |f| if let Flaw::Dispatch(n) = f { Some(n) } else { None })?;
        let batch = batch.batch();
        let key = (TableId(batch.table().cast_signed()), batch.version());
        assert!(self.known.contains(&key), "rows of {key:?} come before their schema");
        let mixed = |id: i64| id.cast_unsigned().wrapping_add(self.salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let mut out = Decisions::default();
        let poison = self.poison.lock();
        for (i, row) in batch.iter().enumerate() {
            let id = row.current().unwrap().i64(0).unwrap();
            if poison.dispatcher.contains(&id) {
                self.dead = true;
                let fault = CallFault::Stopped { stop: Stop::Trap, detail: "poison".to_owned() };
                return Err(CallError::new("spread", "dispatch", fault));
            }
            if poison.undecided.contains(&id) {
                out.quarantined.push(BadEvent { row: i as u32, code: "undecided".into(), message: "it is odd".into() });
            }
            let target = mixed(id) as u16 % 2;
            let partitions = self.counts.get(usize::from(target)).copied().unwrap_or(1);
            out.lanes.push(mixed(id) as u16 % self.lanes);
            out.targets.push(target);
            out.partitions.push(mixed(id) as u32 % partitions);
        }
        Ok(out)
    }
}

impl DispatcherPort for Spread {
    fn on_schema(&mut self, version: Arc<TableVersion>) -> BoxFuture<'_, Result<DispatchPlan, CallError>> {
        let fresh = self.known.insert((version.table, version.since.get()));
        assert!(fresh, "{}.{} was told twice", version.schema, version.name);
        let flawed = self.flaw.hit("on-schema", |f| if let Flaw::Schema(n) = f { Some(n) } else { None });
        let targets = TARGETS.map(str::to_owned).to_vec();
        async move {
            flawed?;
            Ok(DispatchPlan { split_key_updates: true, targets, ..DispatchPlan::default() })
        }
        .boxed()
    }

    fn drop_schema<'a>(&'a mut self, version: &'a TableVersion) -> BoxFuture<'a, Result<(), CallError>> {
        assert!(self.known.remove(&(version.table, version.since.get())), "an unknown version is dropped");
        async { Ok(()) }.boxed()
    }

    fn partition_counts<'a>(
        &'a mut self,
        version: &'a TableVersion,
        counts: &'a [u32],
    ) -> BoxFuture<'a, Result<(), CallError>> {
        assert!(self.known.contains(&(version.table, version.since.get())), "counts of an unknown version");
        self.counts = counts.to_vec();
        async { Ok(()) }.boxed()
    }

    fn dispatch<'a>(&'a mut self, batch: &'a BatchBuf) -> BoxFuture<'a, Result<Decisions, CallError>> {
        let decided = self.decide(batch);
        async { decided }.boxed()
    }
}
