//! How a window's rows get to their lanes.

use crate::error::PipelineError;
use crate::held::{LaneBatch, LaneWork};
use crate::lane::LaneItem;
use crate::slot::Slot;
use crate::stages::Routed;
use crate::stats::add;
use std::collections::HashMap;
use std::sync::Arc;
use tg_model::{LaneId, Position, TableVersion, Ts};
use tg_plugin::Decisions;
use tgr1::{BatchBuf, Route};

/// What was mounted between two cuts.
pub(crate) struct Window {
    /// The cut at its end.
    pub(crate) at: Position,
    /// No transaction is cut in two at its end.
    pub(crate) between: bool,
    pub(crate) batches: Vec<(Arc<TableVersion>, BatchBuf)>,
}

impl Slot {
    /// Takes a window through the stages and hands its rows to the lanes.
    pub(crate) async fn hand_over(&mut self, window: Window) -> Result<(), PipelineError> {
        let mut routed = Vec::with_capacity(window.batches.len());
        let due = !window.batches.is_empty() && self.shadow.as_mut().is_some_and(|s| s.share.due());
        let mut shadow = self.shadow.as_mut().filter(|_| due);
        for (version, batch) in &window.batches {
            match self.stages.run(version, batch, self.progress.cut, !self.probation).await {
                Ok(rows) => {
                    if let Some(shadow) = &mut shadow {
                        shadow.compare(version, batch, self.progress.cut, &rows).await;
                    }
                    routed.extend(rows);
                }
                Err(e) if self.probation && e.is_the_plugins() => return self.park(window, e),
                Err(e) => return Err(e),
            }
        }
        if let Some(shadow) = shadow {
            shadow.window();
        }
        let Window { at, between, batches } = window;
        // With them gone the rows have one owner, and get their routes in place.
        drop(batches);
        let mut work: HashMap<LaneId, Vec<LaneBatch>> = HashMap::new();
        for rows in routed {
            self.assign(rows, &mut work)?;
        }
        self.progress.cut = self.progress.cut.max(at);
        self.progress.cut_between = between;
        let bytes = work.values().flatten().map(|b| b.batch.len_bytes()).sum();
        let window = self.progress.windows.cut(at, bytes, work.keys().copied());
        add(&self.stats.windows, 1);
        for (lane, batches) in work {
            let Some(end) = self.lane(lane) else { continue };
            let item = LaneItem::Work(LaneWork { window, upto: end.cursor.position(at), batches });
            // Never waits: a lane's channel has room for every window that may be in flight.
            if end.items.send(item).await.is_err() {
                return Err(self.lane_ended());
            }
        }
        Ok(())
    }

    /// Why a lane takes nothing more. Whatever else has come does not count any more: no other lane may get ahead of this window.
    fn lane_ended(&mut self) -> PipelineError {
        while let Ok(report) = self.lane_reports.try_recv() {
            if let Err(e) = self.lane_report(report) {
                return e;
            }
        }
        PipelineError::Gone { part: "a lane" }
    }

    fn assign(&mut self, rows: Routed, work: &mut HashMap<LaneId, Vec<LaneBatch>>) -> Result<(), PipelineError> {
        let Routed { version, targets, mut batch, decisions } = rows;
        mark_repeated(&mut batch, self.replay_until);
        write_routes(&decisions, &mut batch);
        add(&self.stats.rows_out, batch.batch().len() as u64);
        add(&self.stats.bytes_out, batch.len_bytes() as u64);
        let whole = LaneBatch { version, targets, batch: Arc::new(batch) };
        self.split(&whole, &decisions.lanes, work)
    }

    /// Gives every lane its rows, less those its store holds already.
    fn split(
        &mut self,
        whole: &LaneBatch,
        lanes: &[u16],
        work: &mut HashMap<LaneId, Vec<LaneBatch>>,
    ) -> Result<(), PipelineError> {
        let rows = whole.batch.len();
        let mut chosen: Vec<Vec<u32>> = vec![Vec::new(); self.lanes.len()];
        let mut skipped = 0;
        for (i, row) in whole.batch.batch().iter().enumerate() {
            let lane = lanes.get(i).copied().unwrap_or(0);
            if lane == tg_plugin::LEAVE_OUT {
                continue;
            }
            if self.lanes[usize::from(lane)].cursor.admit(Ts::new(row.commit_ts())) {
                chosen[usize::from(lane)].push(i as u32);
            } else {
                skipped += 1;
            }
        }
        add(&self.stats.rows_skipped, skipped);
        for (lane, picked) in chosen.into_iter().enumerate() {
            if picked.is_empty() {
                continue;
            }
            let part = if picked.len() == rows {
                whole.clone()
            } else {
                let data = tgr1::select(&whole.batch.batch(), picked).and_then(BatchBuf::new);
                let data = data.map_err(|source| PipelineError::Format { slot: self.id, source })?;
                LaneBatch { batch: Arc::new(data), ..whole.clone() }
            };
            self.taps.offer(self.id, LaneId(lane as u16), &part.version, &part.batch);
            work.entry(LaneId(lane as u16)).or_default().push(part);
        }
        Ok(())
    }
}

/// Marks the rows that may have been handed over before the start.
fn mark_repeated(batch: &mut BatchBuf, until: Ts) {
    if batch.batch().commit_ts_range().0 > until.get() {
        return;
    }
    for i in 0..batch.len() {
        let flags = batch.batch().row(i).filter(|r| r.commit_ts() <= until.get()).map(|r| r.flags());
        if let Some(flags) = flags {
            batch.set_row_flags(i, flags | tgr1::row_flags::MAYBE_REPEATED);
        }
    }
}

/// A dispatcher's answer as row headers.
fn write_routes(decisions: &Decisions, batch: &mut BatchBuf) {
    let Decisions { lanes, targets, partitions, .. } = decisions;
    if lanes.is_empty() && targets.is_empty() && partitions.is_empty() {
        return;
    }
    for i in 0..batch.batch().len() {
        let lane = lanes.get(i).copied().unwrap_or(0);
        let target = targets.get(i).copied().unwrap_or(0);
        let partition = partitions.get(i).copied().unwrap_or(0);
        batch.set_route(i, Route { lane, target, partition });
    }
}
