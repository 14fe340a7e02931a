//! What a process says: requests, reports, messages.

use super::{MetaId, Node, Output};
use crate::id::{Mono, Peer};
use crate::message::{Body, Header, Message, PROTO, Report};
use crate::meta::MetaRequest;
use crate::owner::{Out, Source};
use crate::timing::RELAY_AFTER;

/// A report goes through a peer as well when so many before it were not acknowledged.
const UNACKED_MAX: u64 = 4;

impl Node {
    pub(super) fn ask(&mut self, now: Mono, request: MetaRequest, out: &mut Vec<Output>) {
        self.requests += 1;
        let id = MetaId(self.requests);
        self.asked.insert(id, (request.clone(), now));
        out.push(Output::Meta(id, request));
    }

    pub(super) fn report(&mut self, now: Mono, out: &mut Vec<Output>) {
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
            away: self.absences.all(now),
        };
        let cut = now.since(self.heard_directly) > RELAY_AFTER || self.reports > self.report_seen + UNACKED_MAX;
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

    pub(super) fn flush(&mut self, now: Mono, owned: Out, out: &mut Vec<Output>) {
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

    pub(super) fn send(&self, to: Peer, body: Body, out: &mut Vec<Output>) {
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
