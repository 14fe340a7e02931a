//! Bringing up the parts of a run.

use crate::aside::Aside;
use crate::budget::Budget;
use crate::error::PipelineError;
use crate::feed::{FeedParts, FeedPlan};
use crate::held::Held;
use crate::known::Known;
use crate::lane::{Lane, LaneReport};
use crate::lane_cursor::LaneCursor;
use crate::ports::SinkStart;
use crate::resume::Resume;
use crate::slot::{LaneEnd, Progress, Slot, SlotCommand, SlotReport};
use crate::slot_swap::Mode;
use crate::stages::{StageSet, Stages};
use crate::tables::Tables;
use crate::windows::{IN_FLIGHT_MAX_BYTES, WINDOWS_MAX};
use std::sync::Arc;
use tg_model::{LaneId, Position, SlotId, Ts};
use tg_schema::SchemaStore;
use tg_upstream::{FeedSender, Upstream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What may wait for a lane: every window that may be in flight, and a few changes of plugins.
const LANE_ITEMS_MAX: usize = WINDOWS_MAX + 8;

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

/// What a run goes on from besides its checkpoint.
pub(crate) fn resume(plan: &FeedPlan, label: String) -> Resume {
    let mut resume = Resume { label, ..plan.resume.clone() };
    resume.forget_below(plan.start);
    resume
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
        lanes.push(open_lane(id, lane, plan, parts, lane_reports_tx.clone(), tasks).await?);
    }
    let stages = StageSet::open(&parts.plugins, id, plan.lanes).await?;
    let aside = aside(id, None, parts);
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
        stages: Stages::new(id, plan.lanes, stages, aside.clone()),
        lanes,
        replay_until: plan.replay_until,
        raw_aside: plan.raw_aside,
        aside,
        stats: Arc::clone(&parts.stats),
        progress: Progress::new(plan.slots, plan.lanes, plan.start),
        mode: Mode::Open,
        probation: false,
        parked: None,
        shadow: None,
        taps: parts.control.taps(),
    };
    tasks.spawn(slot.run());
    Ok(SlotEnd { commands: commands_tx, feed: feed_tx })
}

async fn open_lane(
    slot: SlotId,
    lane: LaneId,
    plan: &FeedPlan,
    parts: &FeedParts,
    reports: mpsc::UnboundedSender<LaneReport>,
    tasks: &mut JoinSet<()>,
) -> Result<LaneEnd, PipelineError> {
    let kept = plan.resume.lane(slot, lane);
    let known = kept.map_or(Position::ZERO, |k| k.at).max(plan.resume.floor(slot)).max(plan.start);
    let state = kept.map(|k| Arc::clone(&k.state));
    let start = SinkStart { slot, lane, lanes: plan.lanes, start: known, state: state.as_deref().map(<[u8]>::to_vec) };
    let opened = parts.plugins.sink(start).await;
    let what = format!("slot {slot}, lane {lane}");
    let opened = opened.map_err(|source| PipelineError::Start { what, source })?;
    let durable = opened.durable.unwrap_or(Position::ZERO).max(known);
    let (items_tx, items) = mpsc::channel(LANE_ITEMS_MAX);
    let lane = Lane {
        slot,
        lane,
        lanes: plan.lanes,
        sink: opened.sink,
        plugins: (0, Arc::clone(&parts.plugins)),
        fallback: None,
        known: Known::default(),
        items,
        next: None,
        reports,
        held: Held::lingering(plan.linger, lingering_bytes(plan)),
        at: durable,
        state,
        barrier_id: 0,
        unsure: false,
        giving: None,
        shadow: None,
        budget: Budget::default(),
        aside: aside(slot, Some(lane), parts),
        stats: Arc::clone(&parts.stats),
    };
    tasks.spawn(lane.run());
    Ok(LaneEnd { items: items_tx, cursor: LaneCursor::new(durable) })
}

/// Bytes that a lane may let wait for more: half of its part of what may be in flight.
fn lingering_bytes(plan: &FeedPlan) -> usize {
    IN_FLIGHT_MAX_BYTES / usize::from(plan.slots.max(1)) / usize::from(plan.lanes.max(1)) / 2
}

fn aside(slot: SlotId, lane: Option<LaneId>, parts: &FeedParts) -> Aside {
    Aside { store: parts.quarantine.clone(), stats: Arc::clone(&parts.stats), slot, lane }
}
