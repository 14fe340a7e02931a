//! Bringing up the parts of a run.

use crate::away::{AwaySlot, SlotAsk, attend};
use crate::error::PipelineError;
use crate::feed::{FeedParts, FeedPlan};
use crate::open_slot::open_slot;
use crate::resume::{Counted, Resume};
use crate::slot::SlotReport;
use crate::slot_end::SlotEnd;
use futures::future::try_join_all;
use std::sync::Arc;
use tg_cluster::Controller;
use tg_model::{Position, SlotId, Ts};
use tg_schema::SchemaStore;
use tg_upstream::Upstream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

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

/// What decides how far each slot goes.
pub(crate) fn controller(plan: &FeedPlan) -> Controller {
    Controller::new(plan.slots, plan.start, plan.target)
        .with_own_gates(plan.own_gates)
        .with_syncpoints(plan.syncpoint_ms)
}

/// All slots of a run.
pub(crate) struct OpenSlots {
    pub(crate) ends: Vec<SlotEnd>,
    pub(crate) reports: mpsc::UnboundedReceiver<SlotReport>,
    /// What the positions of lanes mean, now that all are known.
    pub(crate) counted: Counted,
    /// Where the farthest lane of those in this process stands.
    pub(crate) behind: Position,
}

/// Opens every slot with its lanes and dispatcher, here or on another node, and lets them run. Whoever wrote a lane before writes no
/// more when this returns, where the downstream fences.
pub(crate) async fn open_slots(
    plan: &FeedPlan,
    parts: &FeedParts,
    tasks: &mut JoinSet<()>,
) -> Result<OpenSlots, PipelineError> {
    let (reports_tx, reports) = mpsc::unbounded_channel();
    let mut ends = Vec::new();
    let (mut upto, mut behind) = (Position::ZERO, Position::ZERO);
    // Other nodes begin at the same time.
    let asked = (0..plan.slots).map(SlotId).map(|slot| async move {
        match &parts.places {
            Some(places) => places.open(SlotAsk::new(slot, plan, &parts.plugins.label())).await,
            None => Ok(None),
        }
    });
    let asked = try_join_all(asked).await?;
    for (slot, away) in (0..plan.slots).map(SlotId).zip(asked) {
        let (end, counted, farthest) = match away {
            Some(AwaySlot { commands, reports, counted }) => {
                tasks.spawn(attend(slot, reports, reports_tx.clone(), Arc::clone(&parts.stats)));
                (SlotEnd::Away(commands), counted, Position::ZERO)
            }
            None => open_slot(slot, plan, parts, &reports_tx, tasks).await?,
        };
        ends.push(end);
        behind = behind.max(farthest);
        upto = upto.max(counted.repeats_until());
    }
    let counted = match plan.resume.counted {
        Counted::Same => Counted::Same,
        Counted::Otherwise | Counted::Upto(_) => Counted::Upto(upto),
    };
    Ok(OpenSlots { ends, reports, counted, behind })
}
