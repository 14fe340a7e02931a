//! One process of the cluster.

mod absences;
mod election;
mod io;
mod registration;
mod talk;

use crate::agent::{Agent, Orders};
use crate::id::{Mono, OwnerRev, Peer, SlotKey};
use crate::message::{Body, Header, Load, Message, PROTO, Phase, Publish};
use crate::meta::{MetaReply, MetaRequest, Snapshot};
use crate::owner::{FeedView, Out, Owner, Pace};
use crate::rules::Rule;
use crate::timing::{META_TIMEOUT, REPORT_EVERY};
use absences::Absences;
use election::Election;
use registration::Registration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tg_balance::{Decision, Limits};

pub use io::{Input, MetaId, NodeConfig, Output};

/// A process.
#[derive(Debug)]
pub struct Node {
    config: NodeConfig,
    registration: Registration,
    election: Election,
    agent: Agent,
    owner: Option<Owner>,
    /// Newest state of the metadata.
    meta: Option<Arc<Snapshot>>,
    asked: BTreeMap<MetaId, (MetaRequest, Mono)>,
    requests: u64,
    /// Highest publish applied, of the owner followed.
    acked: u64,
    reports: u64,
    reported_at: Mono,
    /// The owner has said that it got this report.
    report_seen: u64,
    heard_directly: Mono,
    absences: Absences,
    load: Load,
    pace: Pace,
    authority: Mono,
    orders: Orders,
    /// The ownership ended in this step: what it wanted is void.
    deposed: bool,
    /// Registered processes that are known to be gone, for the owner that this may become.
    refused: BTreeSet<Peer>,
}

impl Node {
    /// A process that starts now.
    #[must_use]
    pub fn new(config: NodeConfig, now: Mono) -> Self {
        Self {
            config,
            registration: Registration::new(),
            election: Election::new(config.owner_rev_seen, now),
            agent: Agent::new(config.rules),
            owner: None,
            meta: None,
            asked: BTreeMap::new(),
            requests: 0,
            acked: 0,
            reports: 0,
            reported_at: now,
            report_seen: 0,
            heard_directly: now,
            absences: Absences::default(),
            load: Load::default(),
            pace: Pace::default(),
            authority: Mono(0),
            orders: Vec::new(),
            deposed: false,
            refused: BTreeSet::new(),
        }
    }

    /// Itself, once it is registered.
    #[must_use]
    pub fn me(&self) -> Option<Peer> {
        self.registration.inc().map(|inc| Peer { capture: self.config.capture, inc })
    }

    /// Whether it is owner as far as it knows, and under which revision.
    #[must_use]
    pub fn owner_rev(&self) -> Option<OwnerRev> {
        self.owner.as_ref().map(Owner::rev)
    }

    /// Highest owner revision seen.
    #[must_use]
    pub const fn highest_owner_rev(&self) -> OwnerRev {
        self.election.highest()
    }

    /// As owner: the changefeeds. Empty otherwise.
    #[must_use]
    pub fn feeds(&self) -> Vec<FeedView> {
        self.owner.as_ref().map(Owner::views).unwrap_or_default()
    }

    /// As owner: what was decided lately about slots, when (in milliseconds of its clock), and why. Empty otherwise.
    #[must_use]
    pub fn decisions(&self) -> Vec<(u64, Decision)> {
        self.owner.as_ref().map(Owner::decisions).unwrap_or_default()
    }

    /// How fast slots may be moved, should it be owner.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.pace.limits
    }

    /// As owner: whether somebody could take the slots of this capture. A drain that leaves nobody is to be refused.
    #[must_use]
    pub fn can_drain(&self, now: Mono, peer: Peer) -> bool {
        self.owner.as_ref().is_some_and(|o| o.can_drain(now, peer))
    }

    /// In which phase it has a slot.
    #[must_use]
    pub fn holds(&self, key: SlotKey) -> Option<Phase> {
        self.agent.holds(key)
    }

    /// Takes one event and appends what is to be done, in order.
    pub fn step(&mut self, now: Mono, input: Input, out: &mut Vec<Output>) {
        let mut owned = Out::default();
        self.deposed = false;
        match input {
            Input::Tick => self.tick(now, &mut owned, out),
            Input::Message(message) => self.message(now, message, true, &mut owned, out),
            Input::PeerDown(peer) => {
                self.election.refused(peer);
                if self.meta.as_ref().is_some_and(|m| m.captures.contains_key(&peer)) {
                    self.refused.insert(peer);
                }
                if let Some(owner) = &mut self.owner {
                    owner.refused(now, peer, &mut owned);
                }
            }
            Input::Meta(id, reply) => self.reply(now, id, &reply, &mut owned, out),
            Input::Snapshot(snapshot) => self.snapshot(now, snapshot, &mut owned, out),
            Input::Holder(key, tenure, event) => self.agent.event(key, tenure, &event),
            Input::Feed(feed, run, inputs) => {
                if let Some(owner) = &mut self.owner {
                    owner.feed(now, feed, run, inputs, &mut owned);
                }
            }
            Input::Load(load) => self.load = load,
            Input::Pace(pace) => {
                self.owner.iter_mut().for_each(|o| o.set_pace(&pace));
                self.pace = pace;
            }
        }
        self.flush(now, owned, out);
        if self.agent.news {
            self.report(now, out);
        }
    }

    fn tick(&mut self, now: Mono, owned: &mut Out, out: &mut Vec<Output>) {
        self.asked.retain(|_, (_, at)| now.since(*at) <= META_TIMEOUT);
        let silent = self.election.silent(now) && self.owner.is_none();
        if let Some(request) = self.registration.tick(now, self.config.capture, silent) {
            self.ask(now, request, out);
        }
        if let Some(owner) = &mut self.owner {
            owner.tick(now, owned);
        } else if let (Some(me), Some(meta)) = (self.me(), self.meta.clone()) {
            self.campaign(now, me, &meta, out);
        }
        if now.since(self.reported_at) >= REPORT_EVERY {
            self.report(now, out);
        }
    }

    fn message(&mut self, now: Mono, message: Message, directly: bool, owned: &mut Out, out: &mut Vec<Output>) {
        let Message { head, body } = message;
        let Some(me) = self.me() else { return };
        if head.cluster != self.config.cluster || head.proto != PROTO {
            return;
        }
        let same_process = head.to.capture == me.capture;
        if !same_process || head.to != me && self.config.rules.keep(Rule::IncarnationChecked) {
            return;
        }
        if directly {
            self.refused.remove(&head.from);
        }
        match body {
            Body::Relay(inner) if inner.head.to == me => self.message(now, *inner, false, owned, out),
            Body::Relay(inner) => {
                let to = inner.head.to;
                if to.capture != me.capture {
                    out.push(Output::Send(
                        to,
                        Message { head: Header { to, from: me, ..head }, body: Body::Relay(inner) },
                    ));
                }
            }
            Body::PreVote => {
                if self.owner.is_none() && self.election.grants(now, head.owner_rev) {
                    self.send(head.from, Body::PreVoteGranted, out);
                } else if head.owner_rev < self.election.highest() {
                    self.send(head.from, Body::Stale, out);
                }
            }
            Body::PreVoteGranted => self.election.granted(head.from, head.owner_rev),
            Body::Stale => self.saw(now, head.owner_rev, out),
            Body::Announce | Body::Publish(_) => {
                let newest_only = self.config.rules.keep(Rule::NewestOwnerOnly);
                if head.owner_rev < self.election.highest() && newest_only {
                    self.send(head.from, Body::Stale, out);
                    return;
                }
                if self.election.follow(now, head.from, head.owner_rev) {
                    self.saw(now, head.owner_rev, out);
                    self.acked = 0;
                    self.report_seen = 0;
                    self.agent.news = true;
                }
                if let Body::Publish(publish) = body {
                    self.publish(now, directly, &publish, out);
                }
            }
            Body::Report(report) => {
                let any = !self.config.rules.keep(Rule::ReportsOfThisTenure);
                match &mut self.owner {
                    Some(owner) if any || head.owner_rev == owner.rev() => {
                        owner.report(now, head.from, directly, &report, owned);
                    }
                    _ if head.owner_rev < self.election.highest() => self.send(head.from, Body::Stale, out),
                    _ => {}
                }
            }
        }
    }

    /// What the owner publishes: commands once and in order, then caps, then the right to write.
    fn publish(&mut self, now: Mono, directly: bool, publish: &Publish, out: &mut Vec<Output>) {
        if directly {
            self.heard_directly = now;
        }
        if publish.valid {
            self.election.heard(now, &publish.standbys, self.me());
        }
        if let Some(grant) = publish.grant {
            self.authority = self.authority.max(grant.echo.after(grant.ttl));
            out.push(Output::Authority(self.authority));
        }
        self.report_seen = self.report_seen.max(publish.ack_report);
        let fresh = publish.seq > self.acked;
        if !fresh && self.config.rules.keep(Rule::CommandHighWater) {
            return;
        }
        self.acked = self.acked.max(publish.seq);
        publish.away.iter().for_each(|away| self.absences.told(now, away));
        for command in &publish.commands {
            self.agent.command(command, &mut self.orders);
        }
        for cap in &publish.caps {
            self.agent.cap(cap, &mut self.orders);
        }
        self.agent.emits(&publish.emits);
    }

    fn reply(&mut self, now: Mono, id: MetaId, reply: &MetaReply, owned: &mut Out, out: &mut Vec<Output>) {
        let Some((request, asked)) = self.asked.remove(&id) else { return };
        match &request {
            MetaRequest::Register => {
                if let MetaReply::Registered(inc) = reply
                    && self.registration.registered(*inc)
                {
                    self.election.heard(now, &[], None);
                }
            }
            MetaRequest::ConfirmCapture(peer) if self.me() == Some(*peer) => match reply {
                MetaReply::Confirmed(true) => {
                    self.registration.confirmed(asked);
                    self.authority = self.authority.max(asked.after(crate::timing::LEASE));
                    out.push(Output::Authority(self.authority));
                }
                _ => self.unregistered(out),
            },
            MetaRequest::TakeOwner { me, .. } => {
                self.election.answered();
                if let MetaReply::Owner(Some(rev)) = reply
                    && self.me() == Some(*me)
                {
                    self.own(now, *me, *rev, Some(asked), owned, out);
                }
            }
            request => {
                if let Some(owner) = &mut self.owner
                    && !owner.meta(now, request, reply, asked, owned)
                {
                    self.depose(out);
                }
            }
        }
    }

    fn snapshot(&mut self, now: Mono, snapshot: Arc<Snapshot>, owned: &mut Out, out: &mut Vec<Output>) {
        let newest = self.meta.as_ref().is_none_or(|m| snapshot.rev >= m.rev);
        if !newest && self.config.rules.keep(Rule::SnapshotsInOrder) {
            return;
        }
        let found = snapshot.owner.map_or(OwnerRev(0), |(_, rev)| rev);
        if OwnerRev(snapshot.rev) < self.election.highest() {
            out.push(Output::MetaWentBack { seen: self.election.highest(), found });
            return;
        }
        if let Some(owner) = &mut self.owner {
            owner.snapshot(now, &snapshot, owned);
        }
        if let Some(me) = self.me() {
            let known = self.registration.known_at(snapshot.rev);
            if known && !snapshot.captures.contains_key(&me) {
                self.unregistered(out);
            } else if let Some((_, rev)) = snapshot.owner.filter(|(p, r)| *p == me && *r > self.election.highest()) {
                // The answer to the takeover was lost, its effect was not. When it was sent is not known any more.
                self.meta = Some(Arc::clone(&snapshot));
                self.own(now, me, rev, None, owned, out);
            }
        }
        if let Some((_, rev)) = snapshot.owner {
            self.saw(now, rev, out);
        }
        self.refused.retain(|p| snapshot.captures.contains_key(p));
        self.meta = Some(snapshot);
    }

    /// Becomes the owner.
    fn own(&mut self, now: Mono, me: Peer, rev: OwnerRev, asked: Option<Mono>, owned: &mut Out, out: &mut Vec<Output>) {
        if rev <= self.owner_rev().unwrap_or_default() || rev < self.election.highest() {
            return;
        }
        self.depose(out);
        self.deposed = false;
        *owned = Out::default();
        let mut owner = Owner::new(me, rev, asked, now, self.config.rules);
        owner.set_pace(&self.pace);
        if let Some(meta) = &self.meta {
            owner.snapshot(now, meta, owned);
            // Whoever is known to be gone is not waited for.
            self.refused.iter().for_each(|p| owner.refused(now, *p, owned));
            owned.bodies.extend(meta.captures.keys().map(|p| (*p, None, Body::Announce)));
        }
        self.owner = Some(owner);
        self.saw(now, rev, out);
        self.election.follow(now, me, rev);
        self.acked = 0;
        self.agent.news = true;
    }

    /// A higher owner revision ends an own lower one.
    fn saw(&mut self, now: Mono, rev: OwnerRev, out: &mut Vec<Output>) {
        if self.election.saw(now, rev) {
            out.push(Output::KeepOwnerRev(rev));
        }
        if self.owner_rev().is_some_and(|mine| mine < rev) {
            self.depose(out);
        }
    }

    fn depose(&mut self, out: &mut Vec<Output>) {
        if let Some(owner) = self.owner.take() {
            self.deposed = true;
            out.extend(owner.sources().map(|(feed, run)| Output::StopSource(feed, run)));
        }
    }

    /// The registration is gone: what is held may be given to others already.
    fn unregistered(&mut self, out: &mut Vec<Output>) {
        self.registration.lost();
        self.depose(out);
        if self.config.rules.keep(Rule::DropWhenUnregistered) {
            self.authority = Mono(0);
            out.push(Output::Authority(self.authority));
            self.agent.drop_all(&mut self.orders);
        }
    }

    fn campaign(&mut self, now: Mono, me: Peer, meta: &Snapshot, out: &mut Vec<Output>) {
        let voters: Vec<Peer> = meta.captures.keys().filter(|p| **p != me).copied().collect();
        let pre_vote = self.config.rules.keep(Rule::PreVote);
        match self.election.campaign(now, &voters, pre_vote) {
            election::Move::Wait => {}
            election::Move::AskVotes => voters.iter().for_each(|p| self.send(*p, Body::PreVote, out)),
            election::Move::Take => {
                let expect = meta.owner.map_or(OwnerRev(0), |(_, rev)| rev);
                self.ask(now, MetaRequest::TakeOwner { expect, me }, out);
            }
        }
    }
}
