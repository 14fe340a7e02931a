//! A process that is led by hand.

use std::sync::Arc;
use tg_cluster::*;
use tg_model::{Position, Ts};

pub(crate) const ME: Peer = Peer { capture: CaptureId(1), inc: Incarnation(21) };
pub(crate) const A: Peer = Peer { capture: CaptureId(2), inc: Incarnation(22) };
pub(crate) const B: Peer = Peer { capture: CaptureId(3), inc: Incarnation(23) };
pub(crate) const FEED: FeedId = FeedId(1);
pub(crate) const RUN: RunId = RunId(5);
pub(crate) const SLOT: SlotKey = slot_key(FEED, 0);

pub(crate) struct Hand {
    pub(crate) node: Node,
    pub(crate) now: u64,
    pub(crate) reports: u64,
}

pub(crate) fn rules(without: Option<Rule>) -> Rules {
    without.map_or_else(Rules::default, Rules::without)
}

/// A registered process.
pub(crate) fn registered(rules: Rules) -> Hand {
    let config = NodeConfig { cluster: ClusterId(7), capture: ME.capture, owner_rev_seen: OwnerRev(0), rules };
    let mut hand = Hand { node: Node::new(config, Mono(1_000_000)), now: 1_000_000, reports: 0 };
    let out = hand.step(Input::Tick);
    hand.answer(&out, |r| matches!(r, MetaRequest::Register).then_some(MetaReply::Registered(ME.inc)));
    assert_eq!(hand.node.me(), Some(ME));
    hand
}

impl Hand {
    pub(crate) fn step(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.node.step(Mono(self.now), input, &mut out);
        out
    }

    /// Answers requests to the metadata; the rest is put through.
    pub(crate) fn answer(&mut self, out: &[Output], reply: impl Fn(&MetaRequest) -> Option<MetaReply>) -> Vec<Output> {
        let mut more = Vec::new();
        for o in out {
            if let Output::Meta(id, request) = o
                && let Some(reply) = reply(request)
            {
                more.extend(self.step(Input::Meta(*id, reply)));
            }
        }
        more
    }

    /// Time passes, in milliseconds; the metadata confirms whatever it is asked.
    pub(crate) fn pass(&mut self, ms: u64) -> Vec<Output> {
        let mut all = Vec::new();
        for _ in 0..ms / 10 {
            self.now += 10_000;
            let out = self.step(Input::Tick);
            all.extend(self.answer(&out, |r| match r {
                MetaRequest::ConfirmCapture(_) | MetaRequest::ConfirmOwner(_) => Some(MetaReply::Confirmed(true)),
                MetaRequest::PutStatus { .. } | MetaRequest::PutDdl { .. } | MetaRequest::Revoke { .. } => {
                    Some(MetaReply::Done(true))
                }
                _ => None,
            }));
            all.extend(out);
            self.hear_itself(&mut all);
        }
        all
    }

    /// What it sends to itself arrives.
    fn hear_itself(&mut self, all: &mut Vec<Output>) {
        let mut at = 0;
        while let Some(o) = all.get(at) {
            at += 1;
            if let Output::Send(ME, message) = o {
                let message = message.clone();
                let more = self.step(Input::Message(message));
                let own = |o: &Output| !matches!(o, Output::Send(ME, _));
                let mine: Vec<_> = more.iter().filter(|o| !own(o)).cloned().collect();
                all.extend(more.into_iter().filter(own));
                for o in mine {
                    if let Output::Send(_, m) = o {
                        all.extend(self.step(Input::Message(m)));
                    }
                }
            }
        }
        all.retain(|o| !matches!(o, Output::Send(ME, _)));
    }

    pub(crate) fn hear(&mut self, from: Peer, to: Peer, owner_rev: u64, body: Body) -> Vec<Output> {
        let head = Header { cluster: ClusterId(7), from, to, owner_rev: OwnerRev(owner_rev), proto: PROTO };
        self.step(Input::Message(Message { head, body }))
    }

    /// As capture: a publish with one command about the slot.
    pub(crate) fn told(&mut self, rev: u64, seq: u64, n: u64, kind: CommandKind) -> Vec<Output> {
        let epoch = Epoch::new(OwnerRev(rev), n);
        let commands = vec![SlotCommand { key: SLOT, run: RUN, epoch, kind }];
        self.hear(A, ME, rev, Body::Publish(Publish { seq, valid: true, commands, ..Publish::default() }))
    }

    /// As owner: a report of a capture.
    pub(crate) fn report(&mut self, from: Peer, acked: u64, slots: Vec<SlotStatus>) -> Vec<Output> {
        self.reported(from, Report { acked, slots, ..Report::default() })
    }

    /// As owner: the next report of a capture.
    pub(crate) fn reported(&mut self, from: Peer, report: Report) -> Vec<Output> {
        self.reports += 1;
        let report = Report { seq: self.reports, ..report };
        self.hear(from, ME, self.node.highest_owner_rev().0, Body::Report(report))
    }
}

pub(crate) fn orders(out: &[Output]) -> Vec<&SlotOrder> {
    out.iter().filter_map(|o| if let Output::Slot(_, _, order) = o { Some(order) } else { None }).collect()
}

/// What is published to a peer: number and commands about the slot.
pub(crate) fn commands(out: &[Output], to: Peer, key: SlotKey) -> Vec<(u64, SlotCommand)> {
    let mut found = Vec::new();
    for o in out {
        if let Output::Send(peer, Message { body: Body::Publish(p), .. }) = o
            && *peer == to
        {
            found.extend(p.commands.iter().filter(|c| c.key == key).map(|c| (p.seq, c.clone())));
        }
    }
    found
}

pub(crate) fn start() -> Position {
    Position::rows(Ts::compose(1_000, 0))
}

pub(crate) fn prepare() -> CommandKind {
    CommandKind::Prepare { start: start(), members: Arc::default() }
}

pub(crate) fn activate() -> CommandKind {
    CommandKind::Activate { start: start(), members: Arc::default() }
}
