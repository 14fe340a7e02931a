//! One process of the cluster.

mod election;
mod registration;

use crate::agent::{Agent, HolderEvent, Orders, SlotOrder, Tenure};
use crate::id::{CaptureId, ClusterId, FeedId, Mono, OwnerRev, Peer, RunId, SlotKey};
use crate::message::{Body, Header, Load, Message, PROTO, Publish, Report};
use crate::meta::{MetaReply, MetaRequest, Snapshot};
use crate::owner::{FeedInput, FeedView, Out, Owner, Source};
use crate::rules::{Rule, Rules};
use crate::timing::{META_TIMEOUT, RELAY_AFTER, REPORT_EVERY};
use election::Election;
use registration::Registration;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::Position;

/// Numbers a request to the metadata within a process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MetaId(pub u64);

/// What a process is.
#[derive(Clone, Copy, Debug)]
pub struct NodeConfig {
    /// Its cluster.
    pub cluster: ClusterId,
    /// Drawn at random when it starts.
    pub capture: CaptureId,
    /// The highest owner revision its data directory has kept: the store must not have fallen behind it.
    pub owner_rev_seen: OwnerRev,
    /// Which rules hold.
    pub rules: Rules,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input {
    /// Time passed.
    Tick,
    /// A message came.
    Message(Message),
    /// A connection to the peer broke and a new one is refused: its process is gone.
    PeerDown(Peer),
    /// An answer from the metadata.
    Meta(MetaId, MetaReply),
    /// A state of the metadata, from its watch.
    Snapshot(Arc<Snapshot>),
    /// The holder of slots tells.
    Holder(SlotKey, Tenure, HolderEvent),
    /// The schema source of a changefeed tells.
    Feed(FeedId, RunId, Vec<FeedInput>),
    /// What the capture carries, for the owner's decisions.
    Load(Load),
}

/// What to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Send a message to the peer.
    Send(Peer, Message),
    /// Run a transaction.
    Meta(MetaId, MetaRequest),
    /// For the holder of slots.
    Slot(SlotKey, Tenure, SlotOrder),
    /// Sinks that cannot fence may be written to until then.
    Authority(Mono),
    /// Read tables and DDLs of a changefeed from here.
    StartSource(FeedId, RunId, Position),
    /// Stop doing so.
    StopSource(FeedId, RunId),
    /// Keep this in the data directory before anything else is done: the highest owner revision seen.
    KeepOwnerRev(OwnerRev),
    /// The metadata has a lower revision than was seen before: it was restored or replaced. Nothing is taken over until
    /// an operator rebases it.
    MetaWentBack {
        /// What was seen before.
        seen: OwnerRev,
        /// What it has now.
        found: OwnerRev,
    },
}

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
    load: Load,
    authority: Mono,
    orders: Orders,
    /// The ownership ended in this step: what it wanted is void.
    deposed: bool,
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
            load: Load::default(),
            authority: Mono(0),
            orders: Vec::new(),
            deposed: false,
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

    /// In which phase it has a slot.
    #[must_use]
    pub fn holds(&self, key: SlotKey) -> Option<crate::message::Phase> {
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
                if let Some(owner) = &mut self.owner {
                    owner.report(now, head.from, directly, &report, owned);
                } else if head.owner_rev < self.election.highest() {
                    self.send(head.from, Body::Stale, out);
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
        if let Some(meta) = &self.meta {
            owner.snapshot(now, meta, owned);
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

    fn ask(&mut self, now: Mono, request: MetaRequest, out: &mut Vec<Output>) {
        self.requests += 1;
        let id = MetaId(self.requests);
        self.asked.insert(id, (request.clone(), now));
        out.push(Output::Meta(id, request));
    }

    fn report(&mut self, now: Mono, out: &mut Vec<Output>) {
        self.agent.news = false;
        self.reported_at = now;
        let Some(owner) = self.election.owner() else { return };
        self.reports += 1;
        let report = Report {
            seq: self.reports,
            acked: self.acked,
            sent_at: now,
            slots: self.agent.statuses(),
            load: self.load,
        };
        let cut = now.since(self.heard_directly) > RELAY_AFTER || self.reports > self.report_seen + 4;
        if let (true, Some(via)) = (cut, self.relay(owner)) {
            self.send_via(owner, via, Body::Report(report.clone()), out);
        }
        self.send(owner, Body::Report(report), out);
    }

    /// Another capture, a different one every time.
    fn relay(&self, owner: Peer) -> Option<Peer> {
        let me = self.me()?;
        let others: Vec<_> = self.meta.as_ref()?.captures.keys().filter(|p| **p != owner && **p != me).collect();
        let at = (self.reports as usize).checked_rem(others.len())?;
        others.get(at).map(|p| **p)
    }

    fn flush(&mut self, now: Mono, owned: Out, out: &mut Vec<Output>) {
        // Words of an owner bear its revision: after it was replaced it has none.
        let owned = if self.deposed { Out::default() } else { owned };
        for (peer, via, body) in owned.bodies {
            match via {
                Some(via) => self.send_via(peer, via, body, out),
                None => self.send(peer, body, out),
            }
        }
        for request in owned.meta {
            self.ask(now, request, out);
        }
        out.extend(owned.sources.into_iter().map(|s| match s {
            Source::Start(feed, run, from) => Output::StartSource(feed, run, from),
            Source::Stop(feed, run) => Output::StopSource(feed, run),
        }));
        out.extend(self.orders.drain(..).map(|(key, tenure, order)| Output::Slot(key, tenure, order)));
    }

    fn header(&self, to: Peer) -> Option<Header> {
        let owner_rev = self.owner_rev().unwrap_or(self.election.highest());
        Some(Header { cluster: self.config.cluster, from: self.me()?, to, owner_rev, proto: PROTO })
    }

    fn send(&self, to: Peer, body: Body, out: &mut Vec<Output>) {
        if let Some(head) = self.header(to) {
            out.push(Output::Send(to, Message { head, body }));
        }
    }

    fn send_via(&self, to: Peer, via: Peer, body: Body, out: &mut Vec<Output>) {
        if let (Some(head), Some(outer)) = (self.header(to), self.header(via)) {
            let inner = Box::new(Message { head, body });
            out.push(Output::Send(via, Message { head: outer, body: Body::Relay(inner) }));
        }
    }
}
