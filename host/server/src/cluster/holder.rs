//! Slots of whole changefeeds: each is a run, begun and ended as the owner orders.

use super::driver::Told;
use crate::node::Node;
use crate::progress::now_ms;
use serde_json::Map;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tg_cluster::{Digest, Epoch, HolderEvent, Peer, SlotKey, SlotOrder, Tenure};
use tg_metastore::{RunRecord, RunRevision};
use tg_model::{ChangefeedId, Coded, Position, Ts};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Orders that wait for one slot; an owner gives a handful in its life.
const ORDERS_MAX: usize = 32;
/// How often a run is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Pause after the metadata did not answer, and how often it is asked.
const PAUSE: Duration = Duration::from_millis(200);
const TRIES: usize = 25;
/// Looks at a run that has ended until it is given back.
const ENDED_LOOKS_MAX: u32 = 25;

/// All slots of this node.
pub(super) struct Holder {
    node: Weak<Node>,
    slots: BTreeMap<(SlotKey, Tenure), Slot>,
}

struct Slot {
    orders: mpsc::Sender<SlotOrder>,
    task: JoinHandle<()>,
}

impl Holder {
    pub(super) const fn new(node: Weak<Node>) -> Self {
        Self { node, slots: BTreeMap::new() }
    }

    /// Passes an order on to its slot.
    pub(super) fn order(&mut self, key: SlotKey, tenure: Tenure, order: SlotOrder) {
        self.slots.retain(|_, slot| !slot.task.is_finished());
        let Some(slot) = self.slots.get(&(key, tenure)) else {
            if matches!(order, SlotOrder::Prepare { .. })
                && let Some(node) = self.node.upgrade()
            {
                let before: Vec<_> = self.slots.keys().filter(|(k, _)| *k == key).copied().collect();
                let before = before.iter().filter_map(|k| self.slots.remove(k)).collect();
                self.slots.insert((key, tenure), begin(&node, key, tenure, (order, before)));
            }
            return;
        };
        if slot.orders.try_send(order).is_err() {
            tracing::error!(slot = %key, "a slot does not take its orders");
        }
    }

    /// Ends every run and waits for it.
    pub(super) async fn stop_all(&mut self) {
        let slots = std::mem::take(&mut self.slots);
        for slot in slots.values() {
            let _ = slot.orders.try_send(SlotOrder::Drop);
        }
        for slot in slots.into_values() {
            let _ = slot.task.await;
        }
    }
}

/// `before`: earlier lives of the slot, which end first.
fn begin(node: &Arc<Node>, key: SlotKey, tenure: Tenure, (first, before): (SlotOrder, Vec<Slot>)) -> Slot {
    let (orders, inbox) = mpsc::channel(ORDERS_MAX);
    let _ = orders.try_send(first);
    let run = Run {
        node: Arc::clone(node),
        key,
        tenure,
        id: None,
        start: Position::ZERO,
        members: Digest::default(),
        capped: false,
        has: None,
        ended_looks: 0,
        reported: Position::ZERO,
    };
    let task = async move {
        for slot in before {
            drop(slot.orders);
            let _ = slot.task.await;
        }
        run.live(inbox).await;
    };
    Slot { orders, task: tokio::spawn(task) }
}

/// One slot.
struct Run {
    node: Arc<Node>,
    key: SlotKey,
    tenure: Tenure,
    id: Option<ChangefeedId>,
    start: Position,
    members: Digest,
    /// The owner has said that it may write.
    capped: bool,
    /// The run, while this node has it.
    has: Option<RunRevision>,
    /// How often it was seen to have ended although it should run.
    ended_looks: u32,
    reported: Position,
}

impl Run {
    async fn live(mut self, mut orders: mpsc::Receiver<SlotOrder>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            let order = tokio::select! {
                order = orders.recv() => order,
                _ = looks.tick() => {
                    self.look().await;
                    continue;
                }
            };
            match order {
                Some(SlotOrder::Prepare { start, members }) => {
                    (self.start, self.members) = (start, members.digest());
                    self.tell(self.progress(start)).await;
                }
                Some(SlotOrder::Open { epoch, after: None, .. }) => self.open(epoch).await,
                Some(SlotOrder::Open { epoch, after: Some(_), .. }) => self.go_on(epoch).await,
                Some(SlotOrder::Cap(_)) => self.capped = true,
                Some(SlotOrder::Drain) => {
                    self.end().await;
                    self.tell(HolderEvent::Drained(self.start.max(self.reported))).await;
                }
                Some(SlotOrder::Drop) | None => return self.end().await,
                // A whole changefeed knows its tables, and runs its DDLs, itself.
                Some(SlotOrder::SetMembers(_) | SlotOrder::Execute { .. }) => {}
            }
        }
    }

    /// It is always near enough: whoever takes over begins at what is stored.
    const fn progress(&self, checkpoint: Position) -> HolderEvent {
        HolderEvent::Progress { resolved: Ts::MAX, checkpoint, members: self.members }
    }

    async fn tell(&self, event: HolderEvent) {
        if let Some(cluster) = &self.node.cluster {
            let _ = cluster.tell.send(Told::Holder(self.key, self.tenure, event)).await;
        }
    }

    fn epoch(epoch: Epoch) -> (u64, u64) {
        (epoch.owner_rev().0, epoch.n())
    }

    /// Takes the run and begins.
    async fn open(&mut self, epoch: Epoch) {
        let Some(cluster) = self.node.cluster.clone() else { return };
        let world = cluster.world();
        let id = world.feeds.get(&self.key.feed).map(|(id, _)| id.clone());
        let me = world.members.keys().find(|p| p.capture == cluster.me.capture).copied();
        let taken = match (&id, me) {
            (Some(id), Some(me)) => self.take(id, me, epoch).await,
            _ => None,
        };
        let (Some(id), Some(run)) = (id, taken) else {
            tracing::warn!(slot = %self.key, %epoch, "a changefeed was given to this node, and cannot be taken");
            return self.tell(HolderEvent::Lost).await;
        };
        tracing::info!(changefeed = %id, %epoch, "this node runs the changefeed now");
        cluster.runs.lock().insert(id.clone(), run);
        self.node.launch(&id);
        (self.id, self.has) = (Some(id), Some(run));
        self.tell(HolderEvent::Opened(None)).await;
    }

    async fn take(&self, id: &ChangefeedId, me: Peer, epoch: Epoch) -> Option<RunRevision> {
        let cluster = self.node.cluster.as_ref()?;
        let record = RunRecord {
            capture: cluster.me.capture_text(),
            inc: me.inc.0,
            address: cluster.me.address.clone(),
            node: cluster.me.node.clone(),
            since_ms: now_ms(),
            other: Map::new(),
        };
        for _ in 0..TRIES {
            match cluster.store.take_run(id, me.capture.0, Self::epoch(epoch), &record).await {
                Ok(taken) => return taken,
                Err(e) if e.is_retryable() => tokio::time::sleep(PAUSE).await,
                Err(e) => {
                    tracing::error!(changefeed = %id, code = %e.code(), error = %e, "the changefeed cannot be taken");
                    return None;
                }
            }
        }
        None
    }

    /// Goes on under another owner's assignment.
    async fn go_on(&mut self, epoch: Epoch) {
        let Some(cluster) = self.node.cluster.clone() else { return };
        let mut held = false;
        if let (Some(id), Some(run)) = (&self.id, self.has) {
            for _ in 0..TRIES {
                match cluster.store.raise_run(id, run, Self::epoch(epoch)).await {
                    Ok(yes) => held = yes,
                    Err(e) if e.is_retryable() => {
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    Err(e) => tracing::error!(changefeed = %id, error = %e, "the changefeed cannot be kept"),
                }
                break;
            }
        }
        if held {
            self.tell(HolderEvent::Opened(None)).await;
        } else {
            self.lose().await;
        }
    }

    /// Whether it goes well.
    async fn look(&mut self) {
        let (Some(id), Some(run)) = (self.id.clone(), self.has) else { return };
        let Some(cluster) = self.node.cluster.clone() else { return };
        let seen = {
            let feeds = self.node.feeds.lock();
            feeds.get(&id).map(|h| (h.task.is_finished(), h.view.progress().0, h.view.rates().1))
        };
        if let Some((_, checkpoint, bytes_per_s)) = seen {
            self.tell(HolderEvent::Load(bytes_per_s as u64)).await;
            let at = Position::rows(checkpoint);
            if self.capped && at > self.reported.max(self.start) {
                self.reported = at;
                self.tell(self.progress(at)).await;
            }
        }
        let rests = cluster.world().feeds.get(&self.key.feed).is_none_or(|(_, record)| !record.wanted);
        if rests && seen.is_none_or(|(finished, ..)| finished) {
            return self.end().await;
        }
        // Its supervisor has ended by itself: another node has the run, or why it ended is not stored yet.
        if !seen.is_some_and(|(finished, ..)| finished) {
            self.ended_looks = 0;
            return;
        }
        match cluster.store.holds_run(&id, run).await {
            Ok(true) => {
                self.ended_looks += 1;
                if self.ended_looks > ENDED_LOOKS_MAX {
                    // Why it has ended could not be stored: another try, wherever.
                    self.end().await;
                    self.tell(HolderEvent::Lost).await;
                }
            }
            Ok(false) => self.lose().await,
            Err(e) => tracing::debug!(changefeed = %id, error = %e, "who has the run is not known"),
        }
    }

    async fn lose(&mut self) {
        if let Some(id) = &self.id {
            tracing::warn!(changefeed = %id, "another node runs the changefeed now");
        }
        self.stop().await;
        self.has = None;
        self.tell(HolderEvent::Lost).await;
    }

    async fn stop(&self) {
        let Some(id) = &self.id else { return };
        let mine = self.node.cluster.as_ref().is_some_and(|c| c.runs.lock().get(id).copied() == self.has);
        // A later life of the slot may have taken the run already.
        if self.has.is_some() && mine {
            self.node.halt(id).await;
            if let Some(cluster) = &self.node.cluster {
                let mut runs = cluster.runs.lock();
                if runs.get(id).copied() == self.has {
                    runs.remove(id);
                }
            }
        }
    }

    /// Ends the run, so that others see that it has ended.
    async fn end(&mut self) {
        self.stop().await;
        let (Some(id), Some(run), Some(cluster)) = (&self.id, self.has.take(), &self.node.cluster) else { return };
        tracing::info!(changefeed = %id, "this node runs the changefeed no more");
        if cluster.keeps_runs.load(Relaxed) {
            // Who had it is how the owner knows for whom it waits. The process is registered no more in a moment, and holds nothing.
            return;
        }
        if let Err(e) = cluster.store.end_run(id, run).await {
            tracing::warn!(changefeed = %id, error = %e, "the end of the run could not be stored");
        }
    }
}
