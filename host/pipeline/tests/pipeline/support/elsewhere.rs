//! Slots that run as if they were on another node: with parts of their own, behind a wire that breaks.

use futures::FutureExt;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tg_model::TableVersion;
use tg_pipeline::{
    AwayCommand, AwayReport, AwaySlot, FeedControl, FeedParts, FeedPlan, HostedSlot, PipelineError, Resume, SlotAsk,
    SlotPlaces, Stats,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Messages under way.
const WIRE_MAX: usize = 16;
/// The far end of a broken wire notices so late.
const ZOMBIE: Duration = Duration::from_millis(150);

/// How long a wire holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wire {
    Holds,
    /// From when a slot was opened.
    BreaksAfter(Duration),
}

pub(crate) struct Elsewhere {
    pub(crate) plan: FeedPlan,
    pub(crate) parts: FeedParts,
    pub(crate) wire: Wire,
}

impl SlotPlaces for Elsewhere {
    fn open(&self, ask: SlotAsk) -> BoxFuture<'_, Result<Option<AwaySlot>, PipelineError>> {
        async move {
            if ask.slot.0.is_multiple_of(2) {
                return Ok(None);
            }
            assert_eq!((ask.slots, ask.lanes), (self.plan.slots, self.plan.lanes));
            let plan = FeedPlan {
                start: ask.start,
                resume: Resume::from_json(&ask.resume.to_json()).unwrap(),
                replay_until: ask.replay_until,
                ..self.plan.clone()
            };
            let parts =
                FeedParts { control: FeedControl::new(), stats: Arc::new(Stats::default()), ..self.parts.clone() };
            let hosted = HostedSlot::open(ask.slot, &plan, parts).await?;
            let counted = hosted.counted();
            let (commands, from_run) = mpsc::unbounded_channel();
            let (to_slot, slot_commands) = mpsc::channel(WIRE_MAX);
            let (slot_reports, from_slot) = mpsc::channel(WIRE_MAX);
            let (to_run, reports) = mpsc::channel(WIRE_MAX);
            tokio::spawn(hosted.serve(slot_commands, slot_reports));
            tokio::spawn(carry(self.wire, (from_run, to_slot), (from_slot, to_run)));
            Ok(Some(AwaySlot { commands, reports, counted }))
        }
        .boxed()
    }
}

/// On the way nothing is the same object any more.
fn travelled(command: AwayCommand) -> AwayCommand {
    let fresh = |version: &Arc<TableVersion>| Arc::new(TableVersion::clone(version));
    match command {
        AwayCommand::AddSpan { span, table, version, start } => {
            AwayCommand::AddSpan { span, table, version: fresh(&version), start }
        }
        AwayCommand::SetVersion { span, version } => AwayCommand::SetVersion { span, version: fresh(&version) },
        other => other,
    }
}

async fn carry(
    wire: Wire,
    (mut from_run, to_slot): (mpsc::UnboundedReceiver<AwayCommand>, mpsc::Sender<AwayCommand>),
    (mut from_slot, to_run): (mpsc::Receiver<AwayReport>, mpsc::Sender<AwayReport>),
) {
    let breaks = match wire {
        Wire::Holds => Instant::now() + Duration::from_secs(86_400),
        Wire::BreaksAfter(time) => Instant::now() + time,
    };
    loop {
        tokio::select! {
            command = from_run.recv() => match command {
                Some(command) => {
                    let command = travelled(command);
                    if to_slot.send(command).await.is_err() {
                        return;
                    }
                }
                None => return,
            },
            report = from_slot.recv() => match report {
                Some(report) => {
                    if to_run.send(report).await.is_err() {
                        return;
                    }
                }
                None => return,
            },
            () = tokio::time::sleep_until(breaks) => break,
        }
    }
    // The run hears at once, and another begins. The slot goes on for a while, and its reports go nowhere.
    drop((from_run, to_run));
    let unheard = async { while from_slot.recv().await.is_some() {} };
    let _ = tokio::time::timeout(ZOMBIE, unheard).await;
}
