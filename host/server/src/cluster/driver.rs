//! Gives the state machine time, messages and answers, and does what it says.

use super::Cluster;
use super::gate::Clock;
use super::holder::Holder;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tg_cluster::{
    Decision, FeedView, HolderEvent, Input, Limits, MetaId, MetaReply, Node as Machine, Output, OwnerRev, Pace, Peer,
    SlotKey, Tenure,
};
use tg_model::Coded;
use tg_peer::Arrival;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

/// How often the state machine looks at the clock.
const TICK: Duration = Duration::from_micros(tg_cluster::timing::TICK);
/// Requests to the metadata under way at once.
const REQUESTS_MAX: usize = 32;
/// Answers and events that wait for the state machine.
const TOLD_MAX: usize = 1_024;
/// How often a metadata that went back is complained about.
const COMPLAIN_EVERY: Duration = Duration::from_secs(10);

/// What the driver is told by other parts of the node.
pub(super) enum Told {
    /// By the metadata.
    Reply(MetaId, MetaReply),
    /// By a run.
    Holder(SlotKey, Tenure, HolderEvent),
    /// Somebody wants to see what the owner sees.
    Look(oneshot::Sender<Seen>),
    /// All runs are to end, and then it.
    Leave(oneshot::Sender<Option<Peer>>),
}

/// What the owner sees, and why it did what it did.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) owner_rev: Option<OwnerRev>,
    pub(super) feeds: Vec<FeedView>,
    /// Milliseconds ago, and what.
    pub(super) decisions: Vec<(u64, Decision)>,
    /// What it keeps to.
    pub(super) limits: Limits,
}

pub(super) fn channel() -> (mpsc::Sender<Told>, mpsc::Receiver<Told>) {
    mpsc::channel(TOLD_MAX)
}

/// The task around one state machine.
pub(super) struct Driver {
    pub(super) cluster: Arc<Cluster>,
    pub(super) machine: Machine,
    pub(super) clock: Clock,
    pub(super) holder: Holder,
    pub(super) requests: Arc<Semaphore>,
    pub(super) complained: Option<Instant>,
}

impl Driver {
    pub(super) fn requests() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(REQUESTS_MAX))
    }

    pub(super) async fn run(mut self, mut told: mpsc::Receiver<Told>, mut arrivals: mpsc::Receiver<Arrival>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut world = self.cluster.world.clone();
        world.mark_changed();
        loop {
            let input = tokio::select! {
                _ = ticks.tick() => Input::Tick,
                Some(arrival) = arrivals.recv() => match arrival {
                    Arrival::Message(message) => Input::Message(message),
                    Arrival::Down(peer) => Input::PeerDown(peer),
                },
                changed = world.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let now = Arc::clone(&world.borrow_and_update());
                    if now.rev == 0 {
                        // Nothing was read yet.
                        continue;
                    }
                    self.cluster.transport.route(&now.routes());
                    if now.limits != self.machine.limits() {
                        self.step(Input::Pace(Pace { limits: now.limits, ..Pace::default() }));
                    }
                    Input::Snapshot(Arc::clone(&now.snapshot))
                }
                Some(told) = told.recv() => match told {
                    Told::Reply(id, reply) => Input::Meta(id, reply),
                    Told::Holder(key, tenure, event) => Input::Holder(key, tenure, event),
                    Told::Look(to) => {
                        let _ = to.send(self.seen());
                        continue;
                    }
                    Told::Leave(to) => {
                        self.holder.stop_all().await;
                        let _ = to.send(self.machine.me());
                        return;
                    }
                },
            };
            self.step(input);
        }
    }

    /// One input with everything that it leads to within this process.
    fn step(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        let mut outputs = Vec::new();
        let before = self.machine.owner_rev();
        while let Some(input) = inputs.pop_front() {
            self.machine.step(self.clock.now(), input, &mut outputs);
            for output in outputs.drain(..) {
                // An owner is a capture too, and talks to itself as to any other.
                if let Output::Send(to, message) = &output
                    && Some(*to) == self.machine.me()
                {
                    inputs.push_back(Input::Message(message.clone()));
                    continue;
                }
                self.carry_out(output);
            }
        }
        match (before, self.machine.owner_rev()) {
            (was, Some(rev)) if was != Some(rev) => tracing::info!(revision = rev.0, "this node is the owner now"),
            (Some(rev), None) => tracing::info!(revision = rev.0, "this node is the owner no more"),
            _ => {}
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Send(to, message) => self.cluster.transport.send(to, message),
            Output::Meta(id, request) => {
                // Without a free place it stays unanswered, and is asked again.
                let Ok(place) = Arc::clone(&self.requests).try_acquire_owned() else { return };
                let cluster = Arc::clone(&self.cluster);
                tokio::spawn(async move {
                    let reply = cluster.request(&request).await;
                    drop(place);
                    if let Some(reply) = reply {
                        let _ = cluster.tell.send(Told::Reply(id, reply)).await;
                    }
                });
            }
            Output::Slot(key, tenure, order) => self.holder.order(key, tenure, order),
            Output::Authority(until) => self.cluster.gate.set(until),
            Output::KeepOwnerRev(rev) => {
                if let Err(e) = self.cluster.me.keep_owner_rev(rev) {
                    tracing::error!(code = %e.code(), error = %e, "the owner's revision could not be kept");
                }
            }
            Output::MetaWentBack { seen, found } => {
                if self.complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
                    self.complained = Some(Instant::now());
                    let error = super::ClusterError::WentBack { seen: seen.0, found: found.0 };
                    tracing::error!(code = %error.code(), error = %error, "nothing is taken over and nothing scheduled");
                }
            }
            // Whole changefeeds read their schema themselves.
            Output::StartSource(..) | Output::StopSource(..) => {}
        }
    }

    fn seen(&self) -> Seen {
        let now = self.clock.now().0 / 1_000;
        let decisions = self.machine.decisions();
        Seen {
            owner_rev: self.machine.owner_rev(),
            feeds: self.machine.feeds(),
            limits: self.machine.limits(),
            decisions: decisions.into_iter().map(|(at, d)| (now.saturating_sub(at), d)).collect(),
        }
    }
}
