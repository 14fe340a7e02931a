//! The captures as the owner sees them: who lives, who is being fenced, what is to be said to whom.

use super::kept::Kept;
use super::silence::Silences;
use crate::id::{Incarnation, Mono, NodeId, OwnerRev, Peer};
use crate::message::{Load, Report, SlotCommand};
use crate::meta::{CaptureRecord, Fence, MetaRequest, NodeState, Snapshot};
use crate::rules::{Rule, Rules};
use crate::timing::{CAPTURE_DOWN, FENCE_WAIT, META_TIMEOUT, RELAY_MAX};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Captures that left are remembered this long, far beyond any fence.
const FORGET: u64 = 600_000_000;

/// A registered capture.
#[derive(Debug)]
pub(crate) struct PeerView {
    pub(crate) record: Arc<CaptureRecord>,
    /// It has reported to this owner.
    pub(crate) synced: bool,
    /// Last heard, in whatever way.
    pub(crate) heard: Mono,
    /// How long it may be silent.
    patience: u64,
    /// Last heard without help of others.
    pub(crate) heard_directly: Mono,
    pub(crate) load: Load,
    /// Its last report.
    pub(crate) report: u64,
    /// When it sent that, on its own clock.
    pub(crate) echo: Mono,
    pub(crate) acked: u64,
    /// Last publish to it.
    pub(crate) seq: u64,
    pub(crate) published: Option<Mono>,
    pub(crate) outbox: Vec<SlotCommand>,
    /// Another incarnation of its node has registered: its process is gone.
    pub(crate) replaced: bool,
    revoking: Option<Mono>,
    revoke_asked: bool,
}

impl PeerView {
    /// Not heard for too long, or known to be gone.
    pub(crate) fn is_down(&self, now: Mono) -> bool {
        let relayed = now.since(self.heard_directly) <= RELAY_MAX;
        self.replaced || self.revoke_asked || now.since(self.heard) > self.patience || !relayed
    }

    /// Whether it may be given the right to write: not once its registration is to go.
    pub(crate) const fn may_be_granted(&self) -> bool {
        !self.revoke_asked
    }

    /// Whether it can take slots.
    pub(crate) fn takes_slots(&self, now: Mono) -> bool {
        self.synced && !self.is_down(now) && self.record.state == NodeState::Up && !self.load.full
    }

    /// Whether it can go on with what its node had.
    pub(crate) fn goes_on(&self, now: Mono) -> bool {
        self.synced && !self.is_down(now) && self.record.state != NodeState::Draining && !self.load.full
    }

    /// Puts a command into the next publish and says its number.
    pub(crate) fn tell(&mut self, command: SlotCommand) -> u64 {
        self.outbox.push(command);
        self.seq + 1
    }
}

/// All captures.
#[derive(Debug)]
pub(crate) struct Peers {
    rules: Rules,
    born: Mono,
    live: BTreeMap<Peer, PeerView>,
    silences: Silences,
    /// Registration gone; since when it is known, and whether its process is known to be gone.
    leaving: BTreeMap<Peer, (Mono, bool)>,
    rev: u64,
}

impl Peers {
    pub(crate) const fn new(rules: Rules, born: Mono) -> Self {
        Self { rules, born, live: BTreeMap::new(), silences: Silences::new(), leaving: BTreeMap::new(), rev: 0 }
    }

    pub(crate) fn get(&self, peer: Peer) -> Option<&PeerView> {
        self.live.get(&peer)
    }

    /// The newer process on the node of one that was replaced.
    pub(crate) fn successor(&self, peer: Peer) -> Option<Peer> {
        let old = self.live.get(&peer).filter(|v| v.replaced)?;
        let newer = self.live.iter().filter(|(p, v)| v.record.node == old.record.node && p.inc > peer.inc);
        newer.map(|(p, _)| *p).max_by_key(|p| p.inc)
    }

    /// The newest process of a node, if it can go on with what the node had.
    pub(crate) fn of_node(&self, now: Mono, node: NodeId) -> Option<Peer> {
        let there = self.live.iter().filter(|(_, v)| v.record.node == node && v.goes_on(now));
        there.map(|(p, _)| *p).max_by_key(|p| p.inc)
    }

    /// Whether a process of the node is heard.
    pub(crate) fn is_here(&self, now: Mono, node: NodeId) -> bool {
        self.live.values().any(|v| v.record.node == node && v.synced && !v.is_down(now))
    }

    pub(crate) fn get_mut(&mut self, peer: Peer) -> Option<&mut PeerView> {
        self.live.get_mut(&peer)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Peer, &PeerView)> {
        self.live.iter().map(|(p, v)| (*p, v))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (Peer, &mut PeerView)> {
        self.live.iter_mut().map(|(p, v)| (*p, v))
    }

    /// Takes a state of the metadata, unless it is older than the last.
    pub(crate) fn snapshot(&mut self, now: Mono, snapshot: &Snapshot) {
        if self.rules.keep(Rule::SnapshotsInOrder) && snapshot.rev < self.rev {
            return;
        }
        self.rev = snapshot.rev;
        self.leaving.retain(|_, (since, _)| now.since(*since) < FORGET);
        self.silences.forget(now, FORGET);
        let gone: Vec<_> = self.live.keys().filter(|p| !snapshot.captures.contains_key(p)).copied().collect();
        gone.into_iter().for_each(|p| self.left(now, p));
        for (peer, record) in &snapshot.captures {
            if self.leaving.contains_key(peer) && self.rules.keep(Rule::SnapshotsInOrder) {
                continue;
            }
            let heard = if self.rules.keep(Rule::FreshSuspicion) { now } else { self.born };
            let patience = self.patience(now, record.node);
            let view = self.live.entry(*peer).or_insert_with(|| new_view(record, heard, patience));
            view.record = Arc::clone(record);
        }
        let newest: BTreeMap<_, Incarnation> =
            self.live.iter().map(|(p, v)| (v.record.node, p.inc)).fold(BTreeMap::new(), |mut newest, (node, inc)| {
                let known = newest.entry(node).or_insert(inc);
                *known = (*known).max(inc);
                newest
            });
        for (peer, view) in &mut self.live {
            view.replaced |= newest.get(&view.record.node).is_some_and(|inc| *inc > peer.inc);
        }
    }

    /// Its registration is gone: no lease that it has outlives the wait from now on.
    pub(crate) fn left(&mut self, now: Mono, peer: Peer) {
        if let Some(view) = self.live.remove(&peer) {
            self.leaving.insert(peer, (now, view.replaced));
        }
    }

    /// Whether the report is the newest of a capture that counts.
    pub(crate) fn report(&mut self, now: Mono, from: Peer, directly: bool, report: &Report) -> bool {
        let Some(node) = self.live.get(&from).filter(|v| report.seq > v.report).map(|v| v.record.node) else {
            return false;
        };
        self.silences.heard(now, node, from.capture);
        let patience = self.patience(now, node);
        let Some(view) = self.live.get_mut(&from) else { return false };
        view.patience = patience;
        view.report = report.seq;
        view.heard = now;
        if directly {
            view.heard_directly = now;
        }
        view.echo = report.sent_at;
        view.acked = report.acked;
        view.load = report.load;
        view.synced = true;
        true
    }

    fn patience(&self, now: Mono, node: NodeId) -> u64 {
        if self.rules.keep(Rule::SuspicionAdapts) { self.silences.patience(now, node) } else { CAPTURE_DOWN }
    }

    /// A connection to it broke and cannot be made again.
    pub(crate) fn refused(&mut self, peer: Peer) {
        if let Some(view) = self.live.get_mut(&peer) {
            view.heard = Mono(0);
        }
    }

    /// Whether a peer can write no more to a changefeed fenced like this. `None`: it is no peer that was ever seen.
    pub(crate) fn is_fenced(&self, now: Mono, peer: Peer, fence: Fence) -> bool {
        match (fence, self.live.get(&peer), self.leaving.get(&peer)) {
            (Fence::Token, Some(view), _) => view.is_down(now),
            (Fence::Token, None, _) => true,
            (Fence::Lease { .. }, Some(_), _) => false,
            (Fence::Lease { inflight }, None, Some((since, dead))) => {
                let grace = if self.rules.keep(Rule::InFlightGrace) { inflight } else { 0 };
                let wait = if *dead || !self.rules.keep(Rule::WaitAfterRevoke) { 0 } else { FENCE_WAIT };
                now.since(*since) > wait + grace
            }
            // Left before this owner came: nothing of it is known to be over until the longest wait is.
            (Fence::Lease { inflight }, None, None) => now.since(self.born) > FENCE_WAIT + inflight,
        }
    }

    /// Whether every capture that could hold a slot nobody claims has reported or is fenced.
    pub(crate) fn accounted(&self, now: Mono, fence: Fence) -> bool {
        if !self.rules.keep(Rule::SilentHoldersGate) {
            return true;
        }
        let live = self.live.iter().all(|(p, v)| v.synced || self.is_fenced(now, *p, fence));
        let left = self.leaving.keys().all(|p| self.is_fenced(now, *p, fence));
        let before = match fence {
            Fence::Token => true,
            Fence::Lease { inflight } => now.since(self.born) > FENCE_WAIT + inflight,
        };
        live && left && before
    }

    /// Asks to take the registration of captures that are down and not waited for, so that lease-fenced slots of theirs become free.
    pub(crate) fn revoke_silent(
        &mut self,
        now: Mono,
        owner: OwnerRev,
        (leases, kept): (bool, &Kept),
        out: &mut Vec<MetaRequest>,
    ) {
        for (peer, view) in &mut self.live {
            let again = view.revoking.is_none_or(|at| now.since(at) > META_TIMEOUT);
            let down = view.is_down(now) && !kept.awaits(now, view.record.node);
            if leases && (down || view.replaced || view.revoke_asked) && again {
                view.revoking = Some(now);
                view.revoke_asked = true;
                out.push(MetaRequest::Revoke { owner, peer: *peer });
            }
        }
    }
}

fn new_view(record: &Arc<CaptureRecord>, heard: Mono, patience: u64) -> PeerView {
    PeerView {
        record: Arc::clone(record),
        synced: false,
        heard,
        patience,
        heard_directly: heard,
        load: Load::default(),
        report: 0,
        echo: Mono(0),
        acked: 0,
        seq: 0,
        published: None,
        outbox: Vec::new(),
        replaced: false,
        revoking: None,
        revoke_asked: false,
    }
}
