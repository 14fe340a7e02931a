//! One run of a sink: what a lane and the instance for DDL do, with the calls and repeats of the host.

use super::broken::Broken;
use super::calls::Instance;
use super::positions;
use super::schedule::Schedule;
use crate::corpus::{Change, Corpus, Event, batch};
use crate::subject::{LANES, Subject};
use crate::world::{Effect, Owners, World};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_model::{DdlEvent, Position, TableVersion};
use tg_plugin::{BadEvent, BarrierKind};
use tgr1::row_flags;

/// Instances of one run; a plugin that never gets through is stopped here.
const STARTS_MAX: u32 = 300;

/// How a step ended.
pub(super) enum Step<T> {
    Done(T),
    /// The instance is given up; a new one begins at the checkpoint.
    Again,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) effect: Effect,
    /// Instances that were started, those for DDL left out.
    pub(crate) starts: u32,
    pub(crate) flushes: u32,
    /// Acknowledged with the last barrier.
    pub(crate) state_bytes_max: usize,
    /// Of a run that was asked for them.
    pub(crate) owners: Option<Owners>,
}

/// A run in progress.
pub(crate) struct Drive<'a> {
    pub(super) subject: &'a Subject,
    pub(super) world: Arc<World>,
    pub(super) config: &'a str,
    pub(super) events: &'a [Event],
    pub(super) schedule: Schedule,
    /// First event that is not acknowledged.
    pub(super) acked: usize,
    /// Events ever handed over.
    pub(super) handed: usize,
    /// What lanes keep.
    pub(super) states: BTreeMap<u16, Vec<u8>>,
    epoch: u64,
    starts: u32,
    pub(super) flushes: u32,
    pub(super) state_bytes_max: usize,
    refused: BTreeSet<usize>,
    /// The DDL at `acked` may have run.
    ddl_maybe_done: bool,
    owners: Option<Owners>,
    /// Things that arrived and have their owner.
    owned: usize,
}

impl<'a> Drive<'a> {
    pub(crate) fn new(subject: &'a Subject, world: &Arc<World>, corpus: &'a Corpus, schedule: Schedule) -> Self {
        world.learn(corpus.tables().iter().map(|v| &**v));
        Self {
            subject,
            world: Arc::clone(world),
            events: &corpus.events,
            schedule,
            acked: 0,
            handed: 0,
            states: BTreeMap::new(),
            epoch: 0,
            starts: 0,
            flushes: 0,
            state_bytes_max: 0,
            refused: BTreeSet::new(),
            ddl_maybe_done: false,
            config: &subject.settings.config,
            owners: None,
            owned: 0,
        }
    }

    /// Finds out which rows leave what behind: with one row to a window.
    pub(crate) fn owning(mut self) -> Self {
        self.schedule = Schedule { batch_rows: (1, 1), window_rows: (1, 1), ..self.schedule };
        self.owners = Some(Owners::default());
        self
    }

    /// What arrived by now came of this event; `None`: of no row.
    fn own(&mut self, event: Option<usize>) {
        let Some(owners) = &mut self.owners else { return };
        let keys = match event.and_then(|i| self.events.get(i)) {
            Some(Event::Row(row)) => row.key_names(),
            _ => Vec::new(),
        };
        owners.note(&keys, self.world.arrived_since(&mut self.owned));
    }

    /// With another configuration.
    pub(crate) fn with_config(mut self, config: &'a str) -> Self {
        self.config = config;
        self
    }

    /// To the end of the corpus.
    pub(crate) async fn run(mut self) -> Result<Done, Broken> {
        let mut ddl = None;
        while self.starts < STARTS_MAX {
            if self.life(&mut ddl).await? {
                if let Some(mut instance) = ddl.take() {
                    self.close(&mut instance).await;
                }
                let mut effect =
                    self.world.effect_without(&self.subject.settings.bookkeeping, &self.subject.settings.moments);
                effect.refused = std::mem::take(&mut self.refused);
                self.own(None);
                let Self { starts, flushes, state_bytes_max, owners, .. } = self;
                return Ok(Done { effect, starts, flushes, state_bytes_max, owners });
            }
            self.world.mark_restart();
        }
        Err(Broken::Claim {
            expected: format!("all {} events get through", self.events.len()),
            happened: format!("after {STARTS_MAX} instances it still stands at event {}", self.acked),
        })
    }

    pub(super) fn next_epoch(&mut self) -> u64 {
        self.epoch += 1;
        self.epoch
    }

    fn position(&self) -> Position {
        positions::before(self.events, self.acked)
    }

    /// One instance from its start to its end; whether everything is through.
    async fn life(&mut self, ddl: &mut Option<Instance>) -> Result<bool, Broken> {
        self.starts += 1;
        let Some(mut lane) = self.open(0, self.position()).await? else { return Ok(false) };
        // What is durable beyond the checkpoint is not handed over again.
        let mut at = self.acked;
        if let Some(durable) = lane.durable {
            let covered = positions::covered(self.events, durable);
            if covered > self.handed {
                return Err(Broken::Claim {
                    expected: format!("`open` names a position up to {}", positions::before(self.events, self.handed)),
                    happened: format!("it names {durable}, which was never handed over"),
                });
            }
            at = at.max(covered);
            self.acked = at;
        }
        while let Some(event) = self.events.get(at) {
            if let Event::Ddl(event) = event {
                if !self.ddl(ddl, event).await? {
                    return Ok(false);
                }
                at += 1;
                continue;
            }
            self.own(None);
            let end = self.window_end(at);
            if matches!(self.write_window(&mut lane, at, end).await?, Step::Again) {
                return Ok(false);
            }
            let kind = self.kind_of_barrier(end);
            if matches!(self.flush(&mut lane, kind, end).await?, Step::Again) {
                return Ok(false);
            }
            self.own(Some(at));
            (self.acked, at) = (end, end);
            if kind == BarrierKind::Swap || self.schedule.rng.permille(self.schedule.crash_acked) {
                if kind == BarrierKind::Swap {
                    self.close(&mut lane).await;
                }
                return Ok(false);
            }
        }
        let stopped = self.flush(&mut lane, BarrierKind::Stop, self.events.len()).await?;
        self.close(&mut lane).await;
        Ok(matches!(stopped, Step::Done(())))
    }

    fn kind_of_barrier(&mut self, end: usize) -> BarrierKind {
        match self.events.get(end) {
            Some(Event::Ddl(_)) => BarrierKind::Ddl,
            _ if self.schedule.rng.permille(self.schedule.swap) => BarrierKind::Swap,
            _ => BarrierKind::Checkpoint,
        }
    }

    /// Where the rows that are flushed together end: before a DDL at the latest.
    fn window_end(&mut self, at: usize) -> usize {
        let (low, high) = self.schedule.window_rows;
        let rows = self.schedule.rng.between(low, high).max(1);
        let is_row = |e: &&Event| matches!(e, Event::Row(_));
        let end = at + self.events.iter().skip(at).take(rows).take_while(is_row).count();
        self.schedule.cuts.range(at + 1..).next().map_or(end, |cut| end.min(*cut))
    }

    /// As the host does: one table after the other, by their ids, and the rows of each in commit order.
    async fn write_window(&mut self, lane: &mut Instance, from: usize, to: usize) -> Result<Step<()>, Broken> {
        let mut tables: BTreeMap<(i64, u64), (Arc<TableVersion>, Vec<usize>)> = BTreeMap::new();
        for (i, event) in self.events.iter().enumerate().take(to).skip(from) {
            let Event::Row(row) = event else { continue };
            let of_table = tables.entry((row.table.table.0, row.table.since.get()));
            of_table.or_insert_with(|| (Arc::clone(&row.table), Vec::new())).1.push(i);
        }
        // Rows of another table may lie between those that were handed over before.
        let repeated = self.handed;
        for (version, rows) in tables.into_values() {
            let mut rest = &rows[..];
            while !rest.is_empty() {
                let (low, high) = self.schedule.batch_rows;
                let (now, later) = rest.split_at(self.schedule.rng.between(low, high).clamp(1, rest.len()));
                rest = later;
                if self.schedule.rng.permille(self.schedule.empty)
                    && matches!(self.write(lane, &version, &[], repeated).await?, Step::Again)
                {
                    return Ok(Step::Again);
                }
                if matches!(self.write(lane, &version, now, repeated).await?, Step::Again) {
                    return Ok(Step::Again);
                }
                if self.schedule.rng.permille(self.schedule.tick) {
                    self.tick(lane).await?;
                }
                if self.schedule.rng.permille(self.schedule.crash_open) {
                    return Ok(Step::Again);
                }
            }
        }
        Ok(Step::Done(()))
    }

    async fn write(
        &mut self,
        lane: &mut Instance,
        version: &Arc<TableVersion>,
        rows: &[usize],
        repeated: usize,
    ) -> Result<Step<()>, Broken> {
        if matches!(self.announce(lane, version).await?, Step::Again) {
            return Ok(Step::Again);
        }
        let of = |i: &usize| match self.events.get(*i) {
            Some(Event::Row(row)) => Some((row, if *i < repeated { row_flags::MAYBE_REPEATED } else { 0 })),
            _ => None,
        };
        let changes: Vec<(&Change, u16)> = rows.iter().filter_map(of).collect();
        let made = batch(version, &changes)?;
        let first = changes.first().map_or_else(String::new, |(row, _)| format!(", the first: {}", row.describe()));
        let doing = format!("`write` of {} rows of {}.{}{first}", rows.len(), version.schema, version.name);
        self.handed = self.handed.max(rows.last().map_or(0, |i| i + 1));
        match self.write_batch(lane, made, &doing).await? {
            Step::Again => Ok(Step::Again),
            Step::Done(bad) => {
                self.refused.extend(bad.iter().filter_map(|b: &BadEvent| rows.get(b.row as usize)));
                Ok(Step::Done(()))
            }
        }
    }

    /// The DDL at `acked`, in its own instance; whether it is done.
    async fn ddl(&mut self, instance: &mut Option<Instance>, event: &Arc<DdlEvent>) -> Result<bool, Broken> {
        let mut runner = match instance.take() {
            Some(instance) => instance,
            None => match self.open(LANES, self.position()).await? {
                Some(instance) => instance,
                None => return Ok(false),
            },
        };
        let maybe = std::mem::replace(&mut self.ddl_maybe_done, true);
        if matches!(self.run_ddl(&mut runner, event, maybe).await?, Step::Again) {
            return Ok(false);
        }
        if !maybe && self.schedule.rng.permille(self.schedule.crash_ddl) {
            return Ok(false);
        }
        self.ddl_maybe_done = false;
        self.acked += 1;
        self.handed = self.handed.max(self.acked);
        *instance = Some(runner);
        Ok(true)
    }
}
