//! The calls of a run, repeated where the host repeats them.

use super::broken::Broken;
use super::drive::{Drive, Step};
use super::positions;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::{DdlEvent, Position, TableVersion};
use tg_plugin::{BadEvent, Barrier, BarrierKind, CallError, SinkInstance, SinkPort};
use tgr1::BatchBuf;

/// Tries of one call, after which the host starts a new instance.
const TRIES_MAX: u32 = 8;
/// How often a sink may answer "not complete yet" to one barrier.
const INCOMPLETE_MAX: u32 = 1_000;

/// A started sink.
pub(crate) struct Instance {
    pub(super) sink: SinkInstance,
    /// What it said is durable.
    pub(super) durable: Option<Position>,
    lane: u16,
    /// Versions it was told of, by table.
    known: BTreeMap<i64, Arc<TableVersion>>,
    barrier: u32,
}

impl Drive<'_> {
    /// A new instance; `None`: it could not be started now.
    pub(super) async fn open(&mut self, lane: u16, checkpoint: Position) -> Result<Option<Instance>, Broken> {
        let epoch = self.next_epoch();
        let mut spec = self.subject.spec(lane, epoch, Some(&self.world));
        spec.config = self.config.to_owned();
        spec.checkpoint = checkpoint;
        spec.state = self.states.get(&lane).cloned();
        match SinkInstance::open(&self.subject.plugin, &spec).await {
            Ok((sink, durable)) => Ok(Some(Instance { sink, durable, lane, known: BTreeMap::new(), barrier: 0 })),
            Err(e) if e.is_retryable() || e.is_unknown() => Ok(None),
            Err(e) => Err(Broken::call("`open`", e)),
        }
    }

    /// Tells the instance of a version, and that it can forget the one before.
    pub(super) async fn announce(
        &mut self,
        to: &mut Instance,
        version: &Arc<TableVersion>,
    ) -> Result<Step<()>, Broken> {
        let name = format!("{}.{}", version.schema, version.name);
        match to.known.get(&version.table.0) {
            Some(known) if known.since == version.since => return Ok(Step::Done(())),
            Some(known) => {
                let known = Arc::clone(known);
                let dropped = to.sink.drop_schema(&known).await;
                dropped.map_err(|e| Broken::call(format!("`drop-schema` of {name}"), e))?;
            }
            None => {}
        }
        for _ in 0..TRIES_MAX {
            match to.sink.on_schema(Arc::clone(version), Arc::from([])).await {
                Ok(_) => {
                    to.known.insert(version.table.0, Arc::clone(version));
                    return Ok(Step::Done(()));
                }
                Err(e) if e.is_retryable() => self.world.mark_restart(),
                Err(e) if e.is_unknown() => return Ok(Step::Again),
                Err(e) => return Err(Broken::call(format!("`on-schema` of {name}"), e)),
            }
        }
        Ok(Step::Again)
    }

    pub(super) async fn write_batch(
        &mut self,
        to: &mut Instance,
        batch: Arc<BatchBuf>,
        doing: &str,
    ) -> Result<Step<Vec<BadEvent>>, Broken> {
        for _ in 0..TRIES_MAX {
            match to.sink.write(Arc::clone(&batch)).await {
                Ok(outcome) => return Ok(Step::Done(outcome.quarantined)),
                Err(e) if e.is_retryable() => self.world.mark_restart(),
                Err(e) if e.is_unknown() => return Ok(Step::Again),
                Err(e) => return Err(Broken::call(doing, e)),
            }
        }
        Ok(Step::Again)
    }

    /// Until everything before `end` is acknowledged.
    pub(super) async fn flush(&mut self, to: &mut Instance, kind: BarrierKind, end: usize) -> Result<Step<()>, Broken> {
        to.barrier += 1;
        let barrier = Barrier { id: to.barrier, kind, at: positions::before(self.events, end) };
        let doing = format!("`flush` of barrier {} ({kind:?}) at {}", barrier.id, barrier.at);
        let (mut tries, mut incomplete) = (0, 0);
        while tries < TRIES_MAX {
            match to.sink.flush(barrier).await {
                Ok(ack) if ack.complete => {
                    self.flushes += 1;
                    if let Some(state) = ack.state {
                        self.state_bytes_max = self.state_bytes_max.max(state.len());
                        self.states.insert(to.lane, state);
                    }
                    return self.check_status(to, barrier.at).await.map(Step::Done);
                }
                Ok(_) => {
                    incomplete += 1;
                    if incomplete > INCOMPLETE_MAX {
                        let expected = format!("{doing} is complete in the end");
                        let happened = format!("it answered {incomplete} times that it is not");
                        return Err(Broken::Claim { expected, happened });
                    }
                    continue;
                }
                Err(e) if e.is_unknown() => {
                    self.world.mark_restart();
                    if self.durable(to).await?.is_some_and(|at| at >= barrier.at) {
                        self.flushes += 1;
                        return Ok(Step::Done(()));
                    }
                }
                Err(e) if e.is_retryable() => self.world.mark_restart(),
                Err(e) => return Err(Broken::call(doing, e)),
            }
            tries += 1;
        }
        Ok(Step::Again)
    }

    async fn durable(&mut self, to: &mut Instance) -> Result<Option<Position>, Broken> {
        for _ in 0..TRIES_MAX {
            match to.sink.status().await {
                Ok(at) => return Ok(at),
                Err(e) if e.is_retryable() || e.is_unknown() => {}
                Err(e) => return Err(Broken::call("`status`", e)),
            }
        }
        Ok(None)
    }

    /// What the sink says is durable lies at or below what was handed over.
    async fn check_status(&mut self, to: &mut Instance, acked: Position) -> Result<(), Broken> {
        match self.durable(to).await? {
            Some(at) if at > acked => Err(Broken::Claim {
                expected: format!("`status` names a position up to {acked}, where the last barrier stood"),
                happened: format!("it names {at}"),
            }),
            _ => Ok(()),
        }
    }

    pub(super) async fn run_ddl(
        &mut self,
        to: &mut Instance,
        event: &Arc<DdlEvent>,
        mut maybe_done: bool,
    ) -> Result<Step<()>, Broken> {
        for _ in 0..TRIES_MAX {
            match to.sink.on_ddl(Arc::clone(event), maybe_done).await {
                Ok(()) => return Ok(Step::Done(())),
                Err(e) if e.is_retryable() || e.is_unknown() => {
                    maybe_done |= e.is_unknown();
                    self.world.mark_restart();
                }
                Err(e) => {
                    let again = if maybe_done { ", which may have run before," } else { "" };
                    return Err(Broken::call(format!("`on-ddl` of `{}`{again}", event.query), e));
                }
            }
        }
        Ok(Step::Again)
    }

    pub(super) async fn tick(&mut self, to: &mut Instance) -> Result<(), Broken> {
        match to.sink.on_tick().await {
            Err(e) if !(e.is_retryable() || e.is_unknown()) => Err(Broken::call("`on-tick`", e)),
            _ => Ok(()),
        }
    }

    pub(super) async fn close(&mut self, to: &mut Instance) {
        to.sink.close().await;
    }
}

/// Whether the host would call again.
pub(crate) fn may_pass(e: &CallError) -> bool {
    e.is_retryable() || e.is_unknown()
}
