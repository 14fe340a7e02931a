//! Faults as they happen, and their end.

use crate::rng::Rng;
use crate::scenario::{Fault, FaultKind, MS};
use crate::world::{Happening, World};
use tg_cluster::{FeedId, FeedState, Input, NodeState, RunId};
use tg_model::TableId;

/// What ends a fault.
pub(crate) enum Undo {
    Restart(usize, u64),
    Mend(Vec<(usize, usize)>, Vec<usize>),
    MetaUp,
    MetaFast,
    Undrain(usize),
    EndMaintenance(usize),
    Resume(FeedId),
    Unstick(TableId),
    SinkFast(FeedId),
}

impl World {
    pub(crate) fn fault(&mut self, fault: Fault) {
        let count = self.processes.len();
        let any = self.rng.below(count as u64) as usize;
        let owner = self.owner_place().unwrap_or(any);
        let other = (any + 1 + self.rng.below(count as u64 - 1) as usize) % count;
        let lasts = fault.lasts;
        let at = if matches!(fault.kind, FaultKind::CrashOwner | FaultKind::FreezeOwner) { owner } else { any };
        self.trace.line(self.now, at, || format!("FAULT {:?} for {} ms", fault.kind, lasts / MS));
        let undo = match fault.kind {
            FaultKind::Crash | FaultKind::CrashOwner => self.crash(at),
            FaultKind::Freeze | FaultKind::FreezeOwner => {
                let p = &mut self.processes[at];
                p.frozen_until = p.frozen_until.max(self.now + lasts);
                None
            }
            FaultKind::CutPair => Some(self.sever(vec![(any, other), (other, any)], Vec::new())),
            FaultKind::CutOneWay => Some(self.sever(vec![(any, other)], Vec::new())),
            FaultKind::Isolate => Some(self.island(&[any])),
            FaultKind::IsolateOwnerWithOne => {
                let with = if any == owner { other } else { any };
                Some(self.island(&[owner, with]))
            }
            FaultKind::MetaCut => Some(self.sever(Vec::new(), vec![any])),
            FaultKind::MetaDown => {
                self.net.meta_down += 1;
                Some(Undo::MetaUp)
            }
            FaultKind::MetaSlow => {
                self.net.meta_slow += 1;
                Some(Undo::MetaFast)
            }
            FaultKind::Drain => self.drain(any),
            FaultKind::Maintenance => {
                let away_max = self.rng.between(300 * MS, 4_000 * MS);
                self.maintain(any, Some(away_max));
                if let Some(back) = self.crash(any) {
                    let away = self.rng.below(lasts);
                    self.after(away, Happening::Ends(back));
                }
                Some(Undo::EndMaintenance(any))
            }
            FaultKind::Pause => self.pause(),
            FaultKind::StuckTable => {
                let ids: Vec<_> = self.up.tables.keys().copied().collect();
                ids.get(self.rng.below(ids.len() as u64) as usize).map(|id| {
                    self.up.stuck.entry(*id).or_insert(self.now);
                    Undo::Unstick(*id)
                })
            }
            FaultKind::SlowSink => {
                let n = self.rng.below(self.sinks.len() as u64) as usize;
                self.sinks.iter_mut().nth(n).map(|(id, sink)| {
                    sink.slow += 1;
                    Undo::SinkFast(*id)
                })
            }
        };
        if let Some(undo) = undo {
            self.after(lasts, Happening::Ends(undo));
        }
    }

    /// Where the newest owner is.
    pub(crate) fn owner_place(&self) -> Option<usize> {
        let owners = self.processes.iter().enumerate().filter(|(_, p)| p.alive);
        owners.filter_map(|(n, p)| p.node.owner_rev().map(|rev| (rev, n))).max().map(|(_, n)| n)
    }

    /// Ends a process. Where its machine lives on, others see their connections refused.
    pub(crate) fn crash(&mut self, n: usize) -> Option<Undo> {
        let refused = self.rng.permille(600);
        self.kill_process(n, refused)
    }

    pub(crate) fn kill_process(&mut self, n: usize, refused: bool) -> Option<Undo> {
        if !self.processes[n].alive {
            return None;
        }
        let me = self.processes[n].node.me();
        let life = self.processes[n].life;
        self.processes[n].alive = false;
        for m in 0..self.processes.len() {
            if let Some(peer) = me.filter(|_| refused && m != n && self.net.hears(n, m)) {
                let way = self.rng.between(MS, 30 * MS);
                let life = self.processes[m].life;
                self.after(way, Happening::Input(m, life, Input::PeerDown(peer)));
            }
        }
        Some(Undo::Restart(n, life))
    }

    fn sever(&mut self, links: Vec<(usize, usize)>, meta: Vec<usize>) -> Undo {
        links.iter().for_each(|(a, b)| self.net.cut(*a, *b, true));
        meta.iter().for_each(|n| self.net.cut_meta(*n, true));
        Undo::Mend(links, meta)
    }

    /// These hear each other and nobody else, and do not reach the metadata.
    pub(crate) fn island(&mut self, inside: &[usize]) -> Undo {
        let outside: Vec<_> = (0..self.processes.len()).filter(|n| !inside.contains(n)).collect();
        let links = inside.iter().flat_map(|a| outside.iter().flat_map(move |b| [(*a, *b), (*b, *a)]));
        let links = links.collect();
        self.sever(links, inside.to_vec())
    }

    pub(crate) fn drain(&mut self, n: usize) -> Option<Undo> {
        let peer = self.processes[n].node.me()?;
        self.meta.edit_node(peer, |r| r.state = NodeState::Draining);
        self.show_all();
        Some(Undo::Undrain(n))
    }

    /// Puts a node into maintenance, or (`None`) takes it out.
    pub(crate) fn maintain(&mut self, n: usize, away_max: Option<u64>) {
        let node = self.processes[n].record.node;
        self.meta.maintain(node, away_max);
        self.show_all();
    }

    fn pause(&mut self) -> Option<Undo> {
        let n = self.rng.below(self.sinks.len() as u64) as usize;
        let id = self.sinks.keys().nth(n).copied()?;
        self.meta.edit_feed(id, |f, _| f.wanted = false);
        self.show_all();
        Some(Undo::Resume(id))
    }

    pub(crate) fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Restart(n, life) => {
                let rules = self.rules;
                let now = self.now;
                let p = &mut self.processes[n];
                if p.alive || p.life != life {
                    return;
                }
                p.start(now, n, rules);
                let life = p.life;
                self.trace.line(now, n, || "starts again".to_owned());
                self.after(Rng::new(now).below(20 * MS), Happening::Tick(n, life));
            }
            Undo::Mend(links, meta) => {
                links.iter().for_each(|(a, b)| self.net.cut(*a, *b, false));
                meta.iter().for_each(|n| self.net.cut_meta(*n, false));
            }
            Undo::MetaUp => self.net.meta_down -= 1,
            Undo::MetaFast => self.net.meta_slow -= 1,
            Undo::Undrain(n) => {
                if let Some(peer) = self.processes[n].node.me() {
                    self.meta.edit_node(peer, |r| r.state = NodeState::Up);
                    self.show_all();
                }
            }
            Undo::EndMaintenance(n) => self.maintain(n, None),
            Undo::Resume(id) => {
                self.meta.edit_feed(id, |f, rev| {
                    if !f.wanted {
                        (f.wanted, f.run, f.state) = (true, RunId(rev), FeedState::Normal);
                    }
                });
                self.show_all();
            }
            Undo::Unstick(table) => {
                self.up.stuck.remove(&table);
            }
            Undo::SinkFast(id) => {
                if let Some(sink) = self.sinks.get_mut(&id) {
                    sink.slow -= 1;
                }
            }
        }
    }
}
