//! The side of the run: asks other nodes to run its slots.

use super::carry::{hear, say};
use super::wire::{Asked, Begun, read_report, write_command};
use crate::cluster::Cluster;
use crate::cluster::world::World;
use futures::future::BoxFuture;
use futures::{FutureExt, stream};
use std::sync::Arc;
use std::time::Duration;
use tg_cluster::Peer;
use tg_model::ChangefeedId;
use tg_peer::Pipe;
use tg_pipeline::{AwaySlot, PipelineError, SlotAsk, SlotPlaces};
use tokio::sync::{mpsc, watch};

/// Longest wait until a slot has begun: its plugins may have to be fetched and compiled.
const BEGIN_MAX: Duration = Duration::from_secs(60);
/// Reports that have come and wait for the run.
const REPORTS_MAX: usize = 64;

/// Where the slots of one run are.
pub(crate) struct Spread {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) id: ChangefeedId,
    pub(crate) run: u64,
    pub(crate) epoch: (u64, u64),
    /// By slot.
    pub(crate) at: Vec<Peer>,
}

impl SlotPlaces for Spread {
    fn open(&self, ask: SlotAsk) -> BoxFuture<'_, Result<Option<AwaySlot>, PipelineError>> {
        async move {
            let Some(peer) = self.at.get(usize::from(ask.slot.0)).copied() else { return Ok(None) };
            if peer.capture == self.cluster.me.capture {
                return Ok(None);
            }
            let slot = ask.slot;
            let opened = tokio::select! {
                opened = self.open_at(peer, ask) => opened,
                // One that stands still while it begins does not say that it will not.
                () = is_gone(self.cluster.world.clone(), peer) => Err("it is registered no more".to_owned()),
            };
            opened.map(Some).map_err(|reason| {
                tracing::warn!(changefeed = %self.id, slot = slot.0, node = %peer, reason, "a node does not take a slot");
                PipelineError::SlotLost { slot, reason }
            })
        }
        .boxed()
    }
}

impl Spread {
    /// After any failure the run is over: the slot may have begun there, under this run's epoch, and nobody heard of it.
    async fn open_at(&self, peer: Peer, ask: SlotAsk) -> Result<AwaySlot, String> {
        let slot = ask.slot;
        let mut pipe = self.cluster.transport.pipe(peer).await.map_err(|e| e.to_string())?;
        let asked = Asked { id: self.id.clone(), run: self.run, epoch: self.epoch, slot: ask };
        let asked = asked.write().map_err(|e| e.to_string())?;
        pipe.out.send(asked.into()).await.map_err(|e| e.to_string())?;
        let begun = tokio::time::timeout(BEGIN_MAX, pipe.into.next()).await;
        let begun = begun.map_err(|_| "it did not begin in time".to_owned())?.map_err(|e| e.to_string())?;
        match Begun::read(&begun).map_err(|e| e.to_string())? {
            Begun::Refused { code, message } => Err(format!("{code}: {message}")),
            Begun::Opened(counted) => {
                let Pipe { out, into, .. } = pipe;
                let (commands, mut from_run) = mpsc::unbounded_channel();
                let (to_run, reports) = mpsc::channel(REPORTS_MAX);
                tokio::spawn(say(slot, stream::poll_fn(move |cx| from_run.poll_recv(cx)), out, write_command));
                let gone = is_gone(self.cluster.world.clone(), peer);
                tokio::spawn(async move {
                    tokio::select! {
                        () = hear(slot, into, to_run, read_report) => {}
                        // One that stands still breaks no connection.
                        () = gone => tracing::warn!(slot = slot.0, node = %peer, "a node that runs a slot is registered no more"),
                    }
                });
                Ok(AwaySlot { commands, reports, counted })
            }
        }
    }
}

/// Ends when the node is registered no more: the others have given it up.
async fn is_gone(mut world: watch::Receiver<Arc<World>>, peer: Peer) {
    if world.wait_for(|world| !world.members.contains_key(&peer)).await.is_err() {
        std::future::pending().await
    }
}
