//! The metadata store: one linearizable place, revisions, leases of keys.

use crate::scenario::SEC;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_cluster::{
    CaptureId, CaptureRecord, DdlRecord, FeedId, FeedRecord, Incarnation, MetaReply, MetaRequest, NodeId, NodeState,
    OwnerRev, Peer, Rule, Rules, SYNCPOINT_SEQ, Snapshot,
};
use tg_model::{Position, Stage};

/// A key whose process is not heard for this long goes.
const LEASE: u64 = 10 * SEC;

pub(crate) struct Metadata {
    pub(crate) state: Snapshot,
    /// When the process behind a key was last heard.
    alive: BTreeMap<CaptureId, u64>,
    rules: Rules,
    pub(crate) violation: Option<String>,
    shared: Option<Arc<Snapshot>>,
}

impl Metadata {
    pub(crate) fn new(feeds: BTreeMap<FeedId, Arc<FeedRecord>>, rules: Rules) -> Self {
        let state = Snapshot { rev: 10, feeds, ..Snapshot::default() };
        Self { state, alive: BTreeMap::new(), rules, violation: None, shared: None }
    }

    /// The whole state, as a watch hands it in.
    pub(crate) fn snapshot(&mut self) -> Arc<Snapshot> {
        let state = &self.state;
        Arc::clone(self.shared.get_or_insert_with(|| Arc::new(state.clone())))
    }

    fn changed(&mut self) -> u64 {
        self.state.rev += 1;
        self.shared = None;
        self.state.rev
    }

    /// The lease of a process is renewed.
    pub(crate) fn keep_alive(&mut self, now: u64, capture: CaptureId) {
        self.alive.insert(capture, now);
    }

    /// Keys of processes that were not heard go. True: there were some.
    pub(crate) fn expire(&mut self, now: u64) -> bool {
        let alive = &self.alive;
        let dead = |c: &CaptureId| alive.get(c).is_none_or(|at| now.saturating_sub(*at) > LEASE);
        let gone: Vec<Peer> = self.state.captures.keys().filter(|p| dead(&p.capture)).copied().collect();
        let owner = self.state.owner.is_some_and(|(p, _)| dead(&p.capture));
        for peer in &gone {
            self.state.captures.remove(peer);
        }
        if owner {
            self.state.owner = None;
        }
        let any = owner || !gone.is_empty();
        if any {
            self.changed();
        }
        any
    }

    fn own(&self, owner: OwnerRev) -> bool {
        self.state.owner.is_some_and(|(_, rev)| rev == owner)
    }

    /// Runs a transaction. The flag: something changed that a watch shows.
    pub(crate) fn run(
        &mut self,
        now: u64,
        from: CaptureId,
        record: &Arc<CaptureRecord>,
        request: &MetaRequest,
    ) -> (MetaReply, bool) {
        match request {
            MetaRequest::Register => {
                let known = self.state.captures.keys().find(|p| p.capture == from).map(|p| p.inc);
                if let Some(inc) = known {
                    return (MetaReply::Registered(inc), false);
                }
                let inc = Incarnation(self.changed());
                let mut record = Arc::clone(record);
                if self.state.maintenance.contains_key(&record.node) {
                    Arc::make_mut(&mut record).state = NodeState::Maintenance;
                }
                self.state.captures.insert(Peer { capture: from, inc }, record);
                self.alive.insert(from, now);
                (MetaReply::Registered(inc), true)
            }
            MetaRequest::ConfirmCapture(peer) => (MetaReply::Confirmed(self.state.captures.contains_key(peer)), false),
            MetaRequest::ConfirmOwner(rev) => (MetaReply::Confirmed(self.own(*rev)), false),
            MetaRequest::TakeOwner { expect, me } => {
                let current = self.state.owner.map_or(OwnerRev(0), |(_, rev)| rev);
                if current != *expect || !self.state.captures.contains_key(me) {
                    return (MetaReply::Owner(None), false);
                }
                let rev = OwnerRev(self.changed());
                self.state.owner = Some((*me, rev));
                (MetaReply::Owner(Some(rev)), true)
            }
            MetaRequest::Revoke { owner, peer } => {
                self.guarded(*owner, None, |m| m.state.captures.remove(peer).map(|_| m.changed()).is_some())
            }
            MetaRequest::PutStatus { owner, feed, run, checkpoint } => {
                self.guarded(*owner, Some((*feed, run.0)), |m| m.put_status(*feed, *checkpoint))
            }
            MetaRequest::PutDdl { owner, feed, run, record } => {
                self.guarded(*owner, Some((*feed, run.0)), |m| m.put_ddl(*feed, record))
            }
            MetaRequest::PutState { owner, feed, run, state, checkpoint } => {
                self.guarded(*owner, Some((*feed, run.0)), |m| {
                    m.put_status(*feed, *checkpoint);
                    m.feed(*feed, |f| f.state = *state);
                    m.changed();
                    true
                })
            }
        }
    }

    fn guarded(
        &mut self,
        owner: OwnerRev,
        feed: Option<(FeedId, u64)>,
        then: impl FnOnce(&mut Self) -> bool,
    ) -> (MetaReply, bool) {
        let held = self.own(owner);
        let run = feed.is_none_or(|(id, run)| self.state.feeds.get(&id).is_some_and(|f| f.run.0 == run));
        if !held && !self.rules.keep(Rule::OwnerCompared) {
            self.violation.get_or_insert(format!("owner {owner} wrote although it was replaced"));
        }
        if !(held && run) {
            return (MetaReply::Done(false), false);
        }
        let shown = then(self);
        (MetaReply::Done(true), shown)
    }

    fn feed(&mut self, feed: FeedId, change: impl FnOnce(&mut FeedRecord)) {
        if let Some(record) = self.state.feeds.get_mut(&feed) {
            change(Arc::make_mut(record));
        }
        self.shared = None;
    }

    fn put_status(&mut self, feed: FeedId, checkpoint: Position) -> bool {
        self.state.rev += 1;
        self.feed(feed, |f| {
            f.checkpoint = f.checkpoint.max(checkpoint);
            let at = f.checkpoint;
            f.ddls.retain(|d| {
                let stage = if d.seq == SYNCPOINT_SEQ { Stage::Syncpoint } else { Stage::Ddl };
                Position { ts: d.ts, stage, seq: 0 } > at
            });
        });
        false
    }

    fn put_ddl(&mut self, feed: FeedId, record: &DdlRecord) -> bool {
        self.state.rev += 1;
        self.feed(feed, |f| {
            let known = f.ddls.iter().find(|d| (d.ts, d.seq) == (record.ts, record.seq));
            if known.is_none_or(|d| !d.done) {
                f.ddls.retain(|d| (d.ts, d.seq) != (record.ts, record.seq));
                f.ddls.push(record.clone());
            }
        });
        false
    }

    /// A person changes a changefeed or a node.
    pub(crate) fn edit_feed(&mut self, feed: FeedId, change: impl FnOnce(&mut FeedRecord, u64)) {
        let rev = self.changed();
        self.feed(feed, |f| change(f, rev));
    }

    /// A person changes what is wanted of a node.
    pub(crate) fn edit_node(&mut self, peer: Peer, change: impl FnOnce(&mut CaptureRecord)) {
        if let Some(record) = self.state.captures.get_mut(&peer) {
            change(Arc::make_mut(record));
        }
        self.changed();
    }

    /// A person puts a node into maintenance, in which it may be away for so long, or (`None`) takes it out.
    pub(crate) fn maintain(&mut self, node: NodeId, away_max: Option<u64>) {
        let state = if away_max.is_some() { NodeState::Maintenance } else { NodeState::Up };
        for record in self.state.captures.values_mut().filter(|r| r.node == node) {
            Arc::make_mut(record).state = state;
        }
        match away_max {
            Some(micros) => _ = self.state.maintenance.insert(node, micros),
            None => _ = self.state.maintenance.remove(&node),
        }
        self.changed();
    }

    /// A changefeed waits for a node in maintenance.
    pub(crate) fn at_home(&mut self, feed: FeedId, node: NodeId) {
        self.state.homes.insert(feed, node);
        self.changed();
    }
}
