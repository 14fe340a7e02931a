//! Bringing up the parts of a run.

use crate::error::PipelineError;
use crate::feed::{FeedParts, FeedPlan};
use crate::lane::Lane;
use crate::lane_cursor::LaneCursor;
use crate::slot::{LaneEnd, Progress, Slot, SlotCommand, SlotReport};
use crate::tables::Tables;
use crate::windows::WINDOWS_MAX;
use std::sync::Arc;
use tg_model::{LaneId, Position, SlotId, Ts};
use tg_plugin::SinkPort;
use tg_schema::SchemaStore;
use tg_upstream::{FeedSender, Upstream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The feed's ends of a slot.
pub(crate) struct SlotEnd {
    pub(crate) commands: mpsc::UnboundedSender<SlotCommand>,
    pub(crate) feed: FeedSender,
}

impl SlotEnd {
    pub(crate) fn send(&self, command: SlotCommand) -> Result<(), PipelineError> {
        // A slot that failed has reported why: that report, not the closed channel, ends the run.
        let _ = self.commands.send(command);
        Ok(())
    }
}

/// Reads the schema at a timestamp.
///
/// # Errors
/// When the upstream cannot be read or its meta data not be understood.
pub async fn load_schema(upstream: &Upstream, ts: Ts) -> Result<SchemaStore, PipelineError> {
    let failed =
        |e: tg_upstream::UpstreamError| PipelineError::Upstream { table: "schema".to_owned(), source: Arc::new(e) };
    let snapshot = upstream.snapshot(ts);
    let mut pairs = Vec::new();
    for span in SchemaStore::scan_ranges() {
        pairs.extend(snapshot.scan(&span).collect().await.map_err(failed)?);
    }
    SchemaStore::from_snapshot(ts, pairs).map_err(|source| PipelineError::Schema { source })
}

pub(crate) async fn open_ddl_sink(plan: &FeedPlan, parts: &FeedParts) -> Result<Box<dyn SinkPort>, PipelineError> {
    let lane = LaneId(plan.lanes);
    let opened = parts.plugins.sink(SlotId(0), lane, plan.lanes, plan.start).await;
    opened.map(|o| o.sink).map_err(|source| PipelineError::Start { what: "the DDL executor".to_owned(), source })
}

/// Opens every slot with its lanes and dispatcher, and lets them run.
pub(crate) async fn open_slots(
    plan: &FeedPlan,
    parts: &FeedParts,
    tasks: &mut JoinSet<()>,
) -> Result<(Vec<SlotEnd>, mpsc::UnboundedReceiver<SlotReport>), PipelineError> {
    let (reports, slot_reports) = mpsc::unbounded_channel();
    let mut ends = Vec::new();
    for slot in (0..plan.slots).map(SlotId) {
        ends.push(open_slot(slot, plan, parts, &reports, tasks).await?);
    }
    Ok((ends, slot_reports))
}

async fn open_slot(
    id: SlotId,
    plan: &FeedPlan,
    parts: &FeedParts,
    reports: &mpsc::UnboundedSender<SlotReport>,
    tasks: &mut JoinSet<()>,
) -> Result<SlotEnd, PipelineError> {
    let (lane_reports_tx, lane_reports) = mpsc::unbounded_channel();
    let mut lanes = Vec::new();
    for lane in (0..plan.lanes).map(LaneId) {
        let opened = parts.plugins.sink(id, lane, plan.lanes, plan.start).await;
        let opened =
            opened.map_err(|source| PipelineError::Start { what: format!("slot {id}, lane {lane}"), source })?;
        let (work_tx, work) = mpsc::channel(WINDOWS_MAX + 1);
        let durable = opened.durable.unwrap_or(Position::ZERO).max(plan.start);
        let stats = Arc::clone(&parts.stats);
        let reports = lane_reports_tx.clone();
        tasks.spawn(Lane { slot: id, lane, sink: opened.sink, work, reports, stats }.run());
        lanes.push(LaneEnd { work: work_tx, cursor: LaneCursor::new(durable) });
    }
    let dispatcher = parts.plugins.dispatcher(id, plan.lanes).await;
    let dispatcher =
        dispatcher.map_err(|source| PipelineError::Start { what: format!("the dispatcher of slot {id}"), source })?;
    let (commands_tx, commands) = mpsc::unbounded_channel();
    let (feed_tx, feed) = tg_upstream::feed_channel(plan.feed_buffer_bytes);
    let slot = Slot {
        id,
        feed,
        commands,
        lane_reports,
        reports: reports.clone(),
        sorter: parts.sorters.sorter(),
        tables: Tables::new(id, plan.mount.clone(), Arc::clone(&plan.filter)),
        dispatcher,
        lanes,
        replay_until: plan.replay_until,
        stats: Arc::clone(&parts.stats),
        progress: Progress::new(plan.slots, plan.lanes, plan.start),
    };
    tasks.spawn(slot.run());
    Ok(SlotEnd { commands: commands_tx, feed: feed_tx })
}
