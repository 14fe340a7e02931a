//! The way from a process's slots to the sinks and back.

use crate::downstream::{Landed, Statement, Write};
use crate::holder::{Act, Request};
use crate::scenario::MS;
use crate::world::{Happening, World};
use tg_cluster::{Fence, Input, SlotKey, Tenure};

impl World {
    pub(crate) fn pump(&mut self, n: usize) {
        let mut acts = std::mem::take(&mut self.acts);
        let (now, p) = (self.now, &mut self.processes[n]);
        let admitted = p.clock(now) < p.authority;
        let sinks = &self.sinks;
        let fence = |key: SlotKey| sinks.get(&key.feed).map_or(Fence::Token, |s| s.kind.fence);
        p.holder.pump(now, &self.up, fence, admitted, &mut acts);
        let taken = std::mem::take(&mut acts);
        self.acts = acts;
        self.act(n, taken);
    }

    pub(crate) fn act(&mut self, n: usize, acts: Vec<Act>) {
        let life = self.processes[n].life;
        for act in acts {
            match act {
                Act::Tell(key, tenure, event) => {
                    self.after(0, Happening::Input(n, life, Input::Holder(key, tenure, event)))
                }
                Act::Ask(key, tenure, id, request) => {
                    let at = self.landing(key, &request);
                    self.at(at, Happening::Lands(n, life, key, tenure, id, request));
                }
            }
        }
    }

    /// When a request takes effect in the sink.
    fn landing(&mut self, key: SlotKey, request: &Request) -> u64 {
        let Some(sink) = self.sinks.get_mut(&key.feed) else { return self.now };
        let longest = match (sink.slow > 0, sink.kind.fence) {
            (true, Fence::Lease { inflight }) => inflight - MS,
            (true, Fence::Token) => 1_500 * MS,
            (false, _) => self.scenario.sink_latency,
        };
        let statement = matches!(request, Request::Statement(_));
        let usual = self.rng.between(MS, if statement { longest.max(60 * MS) } else { longest });
        let at = self.now + usual;
        if sink.kind.fence == Fence::Token && !matches!(request, Request::Open { .. }) {
            let busy = sink.busy.entry(key).or_insert(0);
            *busy = at.max(*busy);
            return *busy;
        }
        at
    }

    pub(crate) fn lands(&mut self, n: usize, life: u64, key: SlotKey, tenure: Tenure, id: u64, request: &Request) {
        let Some(sink) = self.sinks.get_mut(&key.feed) else { return };
        let answer = match request {
            Request::Open { epoch, after, raise } => {
                let raise = *raise && sink.kind.fence == Fence::Token;
                sink.downstream.open(key.slot, *epoch, *after, raise)
            }
            Request::Write(w) => {
                let w: &Write = w;
                self.trace.line(self.now, n, || format!("slot {key} wrote up to {} as {}", w.to, w.epoch));
                sink.wrote_at.insert(key, self.now);
                (sink.downstream.write(&self.up, w) == Landed::Done).then_some(None)
            }
            Request::Statement(s) => {
                let s: &Statement = s;
                self.counts.statements += 1;
                (sink.downstream.statement(&self.up, s) == Landed::Done).then_some(None)
            }
        };
        if answer.is_none() {
            self.trace.line(self.now, n, || format!("slot {key} is fenced off"));
        }
        let lost = sink.slow > 0 && self.rng.permille(300);
        let way = self.rng.between(MS / 5, 2 * MS);
        if !lost {
            self.after(way, Happening::Answers(n, life, key, tenure, id, answer));
        }
    }
}
