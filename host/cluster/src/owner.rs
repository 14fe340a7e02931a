//! The owner: captures, changefeeds, what to say to whom. Lives as long as one ownership.

mod claim;
mod ddl;
mod feed;
mod kept;
mod peers;
mod place;
mod silence;
mod view;

use crate::id::{FeedId, Mono, OwnerRev, Peer, RunId};
use crate::message::{Body, CommandKind, Grant, Publish, Report, SlotCommand};
use crate::meta::{FeedState, MetaReply, MetaRequest, Snapshot};
use crate::rules::{Rule, Rules};
use crate::timing::{CONFIRM_EVERY, LEASE, PUBLISH_EVERY, RELAY_AFTER};
use claim::Epochs;
use feed::Feed;
use kept::Kept;
use peers::Peers;
use std::collections::BTreeMap;
use tg_balance::{Balancer, Decision, Limits};
use tg_model::Ts;

pub use feed::FeedInput;
pub use view::{FeedView, SlotView};

/// Standbys that are named to captures: they run first when the owner is gone.
const STANDBYS: usize = 2;

/// How slots are moved about: adjustable while the cluster runs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pace {
    /// How many at once, and when it is worth it.
    pub limits: Limits,
    /// Slots go to captures of this zone, others being equal; empty: none is preferred.
    pub prefer_zone: String,
}

/// What an owner wants done.
#[derive(Debug, Default)]
pub(crate) struct Out {
    /// Receiver, through whom, what.
    pub(crate) bodies: Vec<(Peer, Option<Peer>, Body)>,
    pub(crate) meta: Vec<MetaRequest>,
    pub(crate) sources: Vec<Source>,
}

/// A schema source to start or stop.
#[derive(Debug)]
pub(crate) enum Source {
    Start(FeedId, RunId, tg_model::Position),
    Stop(FeedId, RunId),
}

/// An ownership.
#[derive(Debug)]
pub(crate) struct Owner {
    me: Peer,
    rev: OwnerRev,
    rules: Rules,
    peers: Peers,
    kept: Kept,
    feeds: BTreeMap<FeedId, Feed>,
    epochs: Epochs,
    /// Until when it is known to be the owner.
    valid_until: Mono,
    /// When it last asked whether it still is.
    asked_at: Mono,
    balancer: Balancer,
    balanced_at: Mono,
    /// Slots go to captures of this zone, others being equal; empty: none is preferred.
    prefer_zone: String,
    snapshot_rev: u64,
}

impl Owner {
    /// Took over with a request sent at `asked`; when that is not known, it has to confirm itself before it commands.
    pub(crate) fn new(me: Peer, rev: OwnerRev, asked: Option<Mono>, now: Mono, rules: Rules) -> Self {
        Self {
            me,
            rev,
            rules,
            peers: Peers::new(rules, now),
            kept: Kept::new(rules),
            feeds: BTreeMap::new(),
            epochs: Epochs::new(rev),
            valid_until: asked.map_or(Mono(0), |at| at.after(LEASE)),
            asked_at: asked.unwrap_or_default(),
            balancer: Balancer::default(),
            balanced_at: now,
            prefer_zone: String::new(),
            snapshot_rev: 0,
        }
    }

    pub(crate) const fn rev(&self) -> OwnerRev {
        self.rev
    }

    /// Schema sources that run for it.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (FeedId, RunId)> + '_ {
        self.feeds.iter().filter(|(_, f)| !f.record.whole).map(|(id, f)| (*id, f.run()))
    }

    /// How fast slots may move, and which zone is preferred.
    pub(crate) fn set_pace(&mut self, pace: &Pace) {
        self.balancer.limits = pace.limits;
        self.prefer_zone.clone_from(&pace.prefer_zone);
    }

    /// What was decided lately, and why.
    pub(crate) fn decisions(&self) -> Vec<(u64, Decision)> {
        self.balancer.history().iter().copied().collect()
    }

    /// Whether somebody could take the slots of this capture.
    pub(crate) fn can_drain(&self, now: Mono, peer: Peer) -> bool {
        self.peers.iter().any(|(p, v)| p != peer && v.takes_slots(now))
    }

    fn valid(&self, now: Mono) -> bool {
        now < self.valid_until
    }

    /// Takes a state of the metadata. Only one from after the takeover says where changefeeds stand: older owners could still
    /// write before.
    pub(crate) fn snapshot(&mut self, now: Mono, snapshot: &Snapshot, out: &mut Out) {
        self.peers.snapshot(now, snapshot);
        if snapshot.rev < self.rev.0.max(self.snapshot_rev) {
            return;
        }
        self.snapshot_rev = snapshot.rev;
        self.kept.snapshot(snapshot);
        let gone: Vec<_> = self.feeds.keys().filter(|f| !snapshot.feeds.contains_key(f)).copied().collect();
        for id in gone {
            if let Some(feed) = self.feeds.remove(&id).filter(|f| !f.record.whole) {
                out.sources.push(Source::Stop(id, feed.run()));
            }
        }
        for (id, record) in &snapshot.feeds {
            let rests = matches!(record.state, FeedState::Failed | FeedState::Stopped | FeedState::Finished);
            match self.feeds.get_mut(id) {
                Some(feed) if feed.run() == record.run => feed.record = std::sync::Arc::clone(record),
                _ if rests => {}
                known => {
                    let mut feed = Feed::new(*id, self.rev, record, now, self.rules);
                    if let Some(old) = known {
                        if !old.record.whole {
                            out.sources.push(Source::Stop(*id, old.run()));
                        }
                        feed.inherit(std::mem::take(&mut old.slots));
                    }
                    self.feeds.insert(*id, feed);
                    if !record.whole {
                        out.sources.push(Source::Start(*id, record.run, record.checkpoint));
                    }
                }
            }
        }
        self.drive(now, out);
    }

    pub(crate) fn report(&mut self, now: Mono, from: Peer, directly: bool, report: &Report, out: &mut Out) {
        let mut news = self.peers.get(from).is_some_and(|p| !p.synced || p.is_down(now));
        if !self.peers.report(now, from, directly, report) {
            return;
        }
        self.kept.told(now, &report.away);
        for feed in self.feeds.values_mut() {
            news |= feed.report(from, report);
        }
        self.stop_strangers(from, report);
        if news {
            // A writer that begins needs its cap at once.
            self.peers.get_mut(from).into_iter().for_each(|v| v.published = None);
            self.drive(now, out);
        }
    }

    /// Slots of changefeeds that are gone, or have come to rest, are ended wherever they are.
    fn stop_strangers(&mut self, from: Peer, report: &Report) {
        let Some(view) = self.peers.get_mut(from).filter(|_| self.snapshot_rev > 0) else { return };
        for s in report.slots.iter().filter(|s| !self.feeds.contains_key(&s.key.feed)) {
            let kind = if s.phase.may_write() { CommandKind::Stop } else { CommandKind::Drop };
            view.tell(SlotCommand { key: s.key, run: s.run, epoch: s.epoch, kind });
        }
    }

    pub(crate) fn refused(&mut self, now: Mono, peer: Peer, out: &mut Out) {
        self.peers.refused(peer);
        self.drive(now, out);
    }

    pub(crate) fn feed(&mut self, now: Mono, feed: FeedId, run: RunId, inputs: Vec<FeedInput>, out: &mut Out) {
        if let Some(feed) = self.feeds.get_mut(&feed).filter(|f| f.run() == run) {
            inputs.into_iter().for_each(|i| feed.input(i));
            self.drive(now, out);
        }
    }

    /// An answer to what was asked at `asked`. False: the ownership is over.
    pub(crate) fn meta(
        &mut self,
        now: Mono,
        request: &MetaRequest,
        reply: &MetaReply,
        asked: Mono,
        out: &mut Out,
    ) -> bool {
        match (request, reply) {
            (MetaRequest::ConfirmOwner(rev), MetaReply::Confirmed(held)) if *rev == self.rev => {
                if !held {
                    return false;
                }
                self.valid_until = self.valid_until.max(asked.after(LEASE));
            }
            (MetaRequest::Revoke { owner, .. } | MetaRequest::PutStatus { owner, .. }, _) if *owner != self.rev => {}
            (MetaRequest::PutDdl { owner, .. } | MetaRequest::PutState { owner, .. }, _) if *owner != self.rev => {}
            (_, MetaReply::Done(false)) => return false,
            (MetaRequest::Revoke { peer, .. }, _) => self.peers.left(now, *peer),
            (MetaRequest::PutStatus { feed, checkpoint, run, .. }, _) => {
                if let Some(f) = self.feeds.get_mut(feed).filter(|f| f.run() == *run) {
                    f.stored(now, *checkpoint);
                }
            }
            (MetaRequest::PutState { feed, checkpoint, run, .. }, _) => {
                if let Some(f) = self.feeds.get_mut(feed).filter(|f| f.run() == *run) {
                    f.stored(now, *checkpoint);
                }
            }
            (MetaRequest::PutDdl { feed, record, run, .. }, _) => {
                if let Some(f) = self.feeds.get_mut(feed).filter(|f| f.run() == *run) {
                    f.recorded(record);
                    // A barrier that falls is not to wait for the next regular publish.
                    self.peers.iter_mut().for_each(|(_, v)| v.published = None);
                }
            }
            _ => {}
        }
        self.drive(now, out);
        true
    }

    pub(crate) fn tick(&mut self, now: Mono, out: &mut Out) {
        if now.since(self.asked_at) >= CONFIRM_EVERY {
            self.asked_at = now;
            out.meta.push(MetaRequest::ConfirmOwner(self.rev));
        }
        self.drive(now, out);
    }

    /// Takes everything a step further, and says what is to be said.
    fn drive(&mut self, now: Mono, out: &mut Out) {
        if self.valid(now) || !self.rules.keep(Rule::GrantsBounded) {
            let leases = self.feeds.values().any(Feed::leases);
            self.kept.look(now, &self.peers);
            self.peers.revoke_silent(now, self.rev, (leases, &self.kept), &mut out.meta);
            self.place(now);
            for feed in self.feeds.values_mut() {
                let accounted = self.peers.accounted(now, feed.record.fence);
                feed.drive(now, &mut self.peers, &mut self.epochs, accounted);
                feed.store(now, &mut out.meta);
            }
        }
        self.publish(now, out);
    }

    fn publish(&mut self, now: Mono, out: &mut Out) {
        let valid = self.valid(now);
        let standbys: Vec<_> = self.standbys(now);
        let emits: Vec<(FeedId, Ts)> = self.feeds.iter().map(|(id, f)| (*id, f.controller().emit_ts())).collect();
        let heard = self.peers.iter().filter(|(p, v)| *p != self.me && now.since(v.heard_directly) < RELAY_AFTER);
        let relays: Vec<_> = heard.map(|(p, _)| p).collect();
        let away = (valid && self.snapshot_rev > 0).then(|| self.kept.away(now));
        for (peer, view) in self.peers.iter_mut() {
            let due = view.published.is_none_or(|at| now.since(at) >= PUBLISH_EVERY);
            if !due && view.outbox.is_empty() {
                continue;
            }
            let mut caps = Vec::new();
            self.feeds.values().for_each(|f| f.caps(peer, &mut caps));
            let ttl = if self.rules.keep(Rule::GrantsBounded) { self.valid_until.since(now).min(LEASE) } else { LEASE };
            let granted = view.synced && view.may_be_granted() && ttl > 0;
            view.seq += 1;
            view.published = Some(now);
            let publish = Publish {
                seq: view.seq,
                valid,
                standbys: standbys.clone(),
                commands: std::mem::take(&mut view.outbox),
                caps,
                emits: emits.clone(),
                grant: granted.then_some(Grant { echo: view.echo, ttl }),
                ack_report: view.report,
                away: away.clone(),
            };
            let relay = now.since(view.heard_directly) > RELAY_AFTER;
            let via = if relay { relays.iter().find(|p| **p != peer) } else { None };
            if via.is_some() {
                out.bodies.push((peer, via.copied(), Body::Publish(publish.clone())));
            }
            out.bodies.push((peer, None, Body::Publish(publish)));
        }
    }

    fn standbys(&self, now: Mono) -> Vec<Peer> {
        let fit = self.peers.iter().filter(|(p, v)| *p != self.me && v.synced && !v.is_down(now));
        fit.take(STANDBYS).map(|(p, _)| p).collect()
    }
}
