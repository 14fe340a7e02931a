//! The side of the slot: runs slots of changefeeds whose run another node has.

use super::carry::{hear, say};
use super::keep::{FarQuarantine, keep};
use super::wire::{Asked, Begun, Keep, read_command, write_report};
use crate::ServerError;
use crate::cluster::ClusterError;
use crate::endpoints::Endpoints;
use crate::feed::plan;
use crate::node::Node;
use crate::plugins::FeedPlugins;
use crate::progress::StoredProgress;
use crate::record::{Layout, Record};
use futures::stream;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tg_cluster::CaptureId;
use tg_metastore::{Guard, RunRevision};
use tg_model::Coded;
use tg_peer::Pipe;
use tg_pipeline::{FeedControl, FeedParts, HostedSlot, QuarantineStore, Stats};
use tokio::sync::mpsc;

/// Longest wait until somebody who has opened a pipe says what for.
const ASK_MAX: Duration = Duration::from_secs(5);
/// Longest wait until the last reports are taken.
const SAY_MAX: Duration = Duration::from_secs(5);
/// Commands that have come and wait for the slot; a run that begins sends one per table.
const COMMANDS_MAX: usize = 1_024;
/// Reports that wait to be sent.
const REPORTS_MAX: usize = 64;

/// Takes what other nodes ask for, until this one ends.
pub(in crate::cluster) async fn take_pipes(node: Weak<Node>, mut pipes: mpsc::Receiver<Pipe>) {
    while let Some(pipe) = pipes.recv().await {
        let Some(node) = node.upgrade() else { return };
        tokio::spawn(take(node, pipe));
    }
}

async fn take(node: Arc<Node>, mut pipe: Pipe) {
    let Ok(Ok(body)) = tokio::time::timeout(ASK_MAX, pipe.into.next()).await else { return };
    if let Ok(row) = Keep::read(&body) {
        return keep(&node, pipe, row).await;
    }
    let asked = match Asked::read(&body) {
        Ok(asked) => asked,
        Err(e) => {
            tracing::warn!(error = %e, "another node asks for something that is not understood");
            return;
        }
    };
    let (id, slot) = (asked.id.clone(), asked.slot.slot);
    let opened = tokio::select! {
        opened = Box::pin(open(&node, asked, pipe.with)) => opened,
        // Whoever asked waits no more: another may be asked already, and is not to be disturbed.
        _ = pipe.into.next() => return,
    };
    let (begun, hosted) = match opened {
        Ok(hosted) => (Begun::Opened(hosted.counted()), Some(hosted)),
        Err(e) => {
            tracing::warn!(changefeed = %id, slot = slot.0, code = %e.code(), error = %e, "a slot does not begin here");
            (Begun::Refused { code: e.code(), message: e.to_string() }, None)
        }
    };
    let Ok(begun) = begun.write() else { return };
    let told = pipe.out.send(begun.into()).await.is_ok();
    let Some(hosted) = hosted.filter(|_| told) else { return };
    tracing::info!(changefeed = %id, slot = slot.0, "this node runs a slot of the changefeed");
    let Pipe { out, into, .. } = pipe;
    let (to_slot, commands) = mpsc::channel(COMMANDS_MAX);
    let (reports, mut from_slot) = mpsc::channel(REPORTS_MAX);
    tokio::spawn(hear(slot, into, to_slot, read_command));
    let says = tokio::spawn(say(slot, stream::poll_fn(move |cx| from_slot.poll_recv(cx)), out, write_report));
    hosted.serve(commands, reports).await;
    // The other end hears that it is over only after it is. One that takes nothing is not waited for.
    let stop = says.abort_handle();
    if tokio::time::timeout(SAY_MAX, says).await.is_err() {
        stop.abort();
    }
    tracing::info!(changefeed = %id, slot = slot.0, "this node runs the slot no more");
}

/// What the run said is what the records say: else it is not the run any more, or another version of the changefeed.
async fn open(node: &Arc<Node>, asked: Asked, run_at: CaptureId) -> Result<HostedSlot, ServerError> {
    let Asked { id, run, epoch, slot } = asked;
    let stale = |what: &'static str| {
        ServerError::from(ClusterError::StaleSlot { changefeed: id.to_string(), slot: slot.slot, what })
    };
    if !node.store.holds_run(&id, RunRevision(run)).await? {
        return Err(stale("its run"));
    }
    let (info, _) = node.store.info(&id).await?;
    let record = Record::read(&info)?;
    let choice = record.choices.iter().find(|c| c.label == slot.resume.label).cloned();
    let choice = choice.ok_or_else(|| stale("its plugins"))?;
    if record.layout != (Layout { slots: slot.slots, lanes: slot.lanes }) {
        return Err(stale("its layout"));
    }
    let layout = (record.layout, record.incarnation.as_str());
    let endpoints = Endpoints::connect(&record.uri, &record.config, layout, &node.options.secrets_dir()).await?;
    if !endpoints.keeps_progress {
        return Err(stale("its sink, which nothing fences"));
    }
    let linger = endpoints.linger;
    let plugins = FeedPlugins::find(&node.registry, &id, epoch, choice, Arc::new(endpoints)).await?;
    let plan = plan(&record, (slot.start, slot.resume), slot.replay_until, linger)?;
    let cluster = node.cluster.clone().ok_or_else(|| stale("its cluster"))?;
    let run_at =
        cluster.world().members.keys().find(|p| p.capture == run_at).copied().ok_or_else(|| stale("its node"))?;
    let puts_aside = record.config.tidegate.quarantine.limit_per_hour > 0;
    let quarantine = puts_aside.then(|| FarQuarantine { cluster, run_at, id: id.clone() });
    let stats = Arc::new(Stats::default());
    let guard = Guard::Run(RunRevision(run));
    let store =
        StoredProgress::open(node.store.clone(), id.clone(), guard, (epoch.1, &record.incarnation), Arc::clone(&stats))
            .await?;
    let parts = FeedParts {
        upstream: node.upstream.clone(),
        sorters: Arc::clone(&node.sorters),
        plugins: Arc::new(plugins),
        store: Arc::new(store),
        quarantine: quarantine.map(|q| Arc::new(q) as Arc<dyn QuarantineStore>),
        places: None,
        control: FeedControl::new(),
        stats,
    };
    Ok(HostedSlot::open(slot.slot, &plan, parts).await?)
}
