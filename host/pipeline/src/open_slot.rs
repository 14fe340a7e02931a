//! Bringing up a slot with its lanes.

use crate::aside::Aside;
use crate::budget::Budget;
use crate::error::PipelineError;
use crate::feed::{FeedParts, FeedPlan};
use crate::held::Held;
use crate::known::Known;
use crate::lane::{Lane, LaneReport};
use crate::lane_cursor::LaneCursor;
use crate::lane_write::Doing;
use crate::ports::SinkStart;
use crate::resume::{Counted, LaneState};
use crate::slot::{LaneEnd, Progress, Slot, SlotReport};
use crate::slot_end::SlotEnd;
use crate::slot_swap::Mode;
use crate::stages::{StageSet, Stages};
use crate::tables::Tables;
use crate::windows::{IN_FLIGHT_MAX_BYTES, WINDOWS_MAX};
use std::sync::Arc;
use tg_model::{LaneId, Position, SlotId};
use tg_plugin::SinkPort;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What may wait for a lane: every window that may be in flight, and a few changes of plugins.
const LANE_ITEMS_MAX: usize = WINDOWS_MAX + 8;

/// Lets a slot run; answers what its lanes' positions turned out to mean, and the farthest of them.
pub(crate) async fn open_slot(
    id: SlotId,
    plan: &FeedPlan,
    parts: &FeedParts,
    reports: &mpsc::UnboundedSender<SlotReport>,
    tasks: &mut JoinSet<()>,
) -> Result<(SlotEnd, Counted, Position), PipelineError> {
    let (lane_reports_tx, lane_reports) = mpsc::unbounded_channel();
    let mut found = Vec::new();
    for lane in (0..plan.lanes).map(LaneId) {
        found.push(find_lane(id, lane, plan, parts).await?);
    }
    // Only all lanes together tell up to where rows may have been written.
    let counted = plan.resume.counted.found(found.iter().map(|f| f.at));
    let begin = |found| begin_lane(id, found, counted, plan, parts, lane_reports_tx.clone(), tasks);
    let lanes: Vec<LaneEnd> = found.into_iter().map(begin).collect();
    let behind = lanes.iter().map(|l| l.cursor.durable()).max().unwrap_or(Position::ZERO);
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
        replay_until: plan.replay_until.max(counted.repeats_until().ts),
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
    Ok((SlotEnd::Here { commands: commands_tx, feed: feed_tx }, counted, behind))
}

/// A lane whose sink is started.
struct Found {
    lane: LaneId,
    sink: Box<dyn SinkPort>,
    /// How far it is, as it or its store says.
    at: Position,
    kept: Option<LaneState>,
}

/// Every row of the slot up to here is durable.
fn floor(slot: SlotId, plan: &FeedPlan) -> Position {
    plan.resume.floor(slot).max(plan.start)
}

async fn find_lane(slot: SlotId, lane: LaneId, plan: &FeedPlan, parts: &FeedParts) -> Result<Found, PipelineError> {
    let kept = plan.resume.lane(slot, lane).cloned();
    let said = kept.as_ref().map_or(Position::ZERO, |k| k.at);
    let start = plan.resume.counted.trust(said).unwrap_or(Position::ZERO).max(floor(slot, plan));
    let state = kept.as_ref().map(|k| k.state.to_vec());
    let opened = parts.plugins.sink(SinkStart { slot, lane, lanes: plan.lanes, start, state }).await;
    let what = format!("slot {slot}, lane {lane}");
    let opened = opened.map_err(|source| PipelineError::Start { what, source })?;
    let at = opened.durable.unwrap_or(Position::ZERO).max(said).max(floor(slot, plan));
    Ok(Found { lane, sink: opened.sink, at, kept })
}

fn begin_lane(
    slot: SlotId,
    found: Found,
    counted: Counted,
    plan: &FeedPlan,
    parts: &FeedParts,
    reports: mpsc::UnboundedSender<LaneReport>,
    tasks: &mut JoinSet<()>,
) -> LaneEnd {
    let Found { lane, sink, at, kept } = found;
    let durable = counted.trust(at).unwrap_or_else(|| floor(slot, plan));
    let (items_tx, items) = mpsc::channel(LANE_ITEMS_MAX);
    let lane = Lane {
        slot,
        lane,
        lanes: plan.lanes,
        sink,
        plugins: (0, Arc::clone(&parts.plugins)),
        fallback: None,
        known: Known::default(),
        items,
        next: None,
        reports,
        held: Held::lingering(plan.linger, lingering_bytes(plan)),
        at: durable,
        counted,
        state: kept.map(|k| k.state),
        barrier_id: 0,
        unsure: false,
        doing: Doing::Other,
        shadow: None,
        budget: Budget::default(),
        aside: aside(slot, Some(lane), parts),
        stats: Arc::clone(&parts.stats),
    };
    tasks.spawn(lane.run());
    LaneEnd { items: items_tx, cursor: LaneCursor::new(durable) }
}

/// Bytes that a lane may let wait for more: half of its part of what may be in flight.
fn lingering_bytes(plan: &FeedPlan) -> usize {
    IN_FLIGHT_MAX_BYTES / usize::from(plan.slots.max(1)) / usize::from(plan.lanes.max(1)) / 2
}

fn aside(slot: SlotId, lane: Option<LaneId>, parts: &FeedParts) -> Aside {
    Aside { store: parts.quarantine.clone(), stats: Arc::clone(&parts.stats), slot, lane }
}
