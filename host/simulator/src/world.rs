//! The world of one run: time, processes, what is between them, and what happens next.

use crate::downstream::Downstream;
use crate::holder::{Act, Request};
use crate::metadata::Metadata;
use crate::meter::Meter;
use crate::network::Network;
use crate::process::Process;
use crate::rng::Rng;
use crate::scenario::{MS, SEC, Scenario, SinkKind};
use crate::source::Source;
use crate::trace::Trace;
use crate::upstream::Upstream;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::Instant;
use tg_cluster::timing::TICK;
use tg_cluster::{
    CaptureId, CaptureRecord, FeedId, FeedRecord, FeedState, Input, MetaId, MetaReply, MetaRequest, NodeId, NodeState,
    Output, Rules, RunId, SlotKey, SlotOrder, Snapshot, Tenure,
};
use tg_model::{Position, Ts};

/// What happens at a time.
pub(crate) enum Happening {
    Tick(usize, u64),
    Input(usize, u64, Input),
    MetaArrives(usize, u64, MetaId, MetaRequest),
    Lands(usize, u64, SlotKey, Tenure, u64, Request),
    Answers(usize, u64, SlotKey, Tenure, u64, Option<Option<Position>>),
    Fault(usize),
    Ends(crate::fault::Undo),
    Housekeeping,
}

/// A scheduled happening; of those at one time, the first that was scheduled comes first.
struct Entry(u64, u64, Happening);

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

/// A sink with its way there.
pub(crate) struct Sink {
    pub(crate) kind: SinkKind,
    pub(crate) downstream: Downstream,
    pub(crate) slow: u32,
    /// With a token, a slot's requests take effect one after another: the row lock of its position.
    pub(crate) busy: BTreeMap<SlotKey, u64>,
    /// Last landing of a write, per slot.
    pub(crate) wrote_at: BTreeMap<SlotKey, u64>,
}

/// Counts of what happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Happenings.
    pub events: u64,
    /// Takeovers.
    pub takeovers: u64,
    /// Slots activated.
    pub activations: u64,
    /// DDLs and syncpoints run.
    pub statements: u64,
}

pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) scenario: Scenario,
    pub(crate) rng: Rng,
    pub(crate) rules: Rules,
    pub(crate) net: Network,
    pub(crate) meta: Metadata,
    pub(crate) up: Upstream,
    pub(crate) sinks: BTreeMap<FeedId, Sink>,
    pub(crate) processes: Vec<Process>,
    pub(crate) trace: Trace,
    pub(crate) counts: Counts,
    pub(crate) violation: Option<String>,
    /// What processes cost, while somebody wants to know.
    pub(crate) meter: Option<Meter>,
    heap: BinaryHeap<Reverse<Entry>>,
    scheduled: u64,
    outputs: Vec<Output>,
    pub(crate) acts: Vec<Act>,
}

impl World {
    pub(crate) fn new(scenario: &Scenario, rules: Rules, trace: Trace) -> Self {
        let mut rng = Rng::new(scenario.seed);
        let (mut feeds, mut sinks) = (BTreeMap::new(), BTreeMap::new());
        for (n, kind) in scenario.sinks.iter().enumerate() {
            let id = FeedId(n as u128 + 1);
            feeds.insert(id, Arc::new(feed_record(scenario, *kind)));
            let downstream = Downstream::new(kind.keeps_position);
            sinks.insert(
                id,
                Sink { kind: *kind, downstream, slow: 0, busy: BTreeMap::new(), wrote_at: BTreeMap::new() },
            );
        }
        let processes = (0..scenario.nodes as usize).map(|n| {
            let zone = format!("z{}", n % 3);
            let record = CaptureRecord { node: NodeId(n as u128 + 1), state: NodeState::Up, zone };
            let drift = rng.below(2 * scenario.drift + 1).cast_signed() - scenario.drift.cast_signed();
            Process::new(0, n, record, rng.below(1_000 * SEC), drift, rules)
        });
        let processes = processes.collect::<Vec<_>>();
        let mut world = Self {
            now: 0,
            rules,
            net: Network::default(),
            meta: Metadata::new(feeds, rules),
            up: Upstream::of(scenario),
            sinks,
            processes,
            trace,
            counts: Counts::default(),
            violation: None,
            meter: None,
            heap: BinaryHeap::new(),
            scheduled: 0,
            outputs: Vec::new(),
            acts: Vec::new(),
            scenario: scenario.clone(),
            rng,
        };
        for n in 0..world.processes.len() {
            let at = world.rng.below(TICK);
            world.after(at, Happening::Tick(n, 1));
        }
        for (n, fault) in scenario.faults.iter().enumerate() {
            world.at(fault.at, Happening::Fault(n));
        }
        world.after(SEC, Happening::Housekeeping);
        world
    }

    pub(crate) fn at(&mut self, at: u64, what: Happening) {
        self.scheduled += 1;
        self.heap.push(Reverse(Entry(at, self.scheduled, what)));
    }

    pub(crate) fn after(&mut self, wait: u64, what: Happening) {
        self.at(self.now + wait, what);
    }

    pub(crate) fn healed(&self) -> bool {
        self.now >= self.scenario.heal
    }

    /// Runs until the time, or until something is wrong.
    pub(crate) fn run_until(&mut self, end: u64) {
        while self.violation.is_none() {
            match self.heap.peek() {
                Some(Reverse(next)) if next.0 <= end => {}
                _ => break,
            }
            let Some(Reverse(Entry(at, _, what))) = self.heap.pop() else { break };
            self.now = at;
            self.counts.events += 1;
            self.happen(what);
            self.look();
        }
        if self.violation.is_none() {
            self.now = self.now.max(end);
        }
    }

    /// Puts off what a process that stands still cannot do now.
    fn awake(&mut self, n: usize, life: u64, what: Happening) -> Option<Happening> {
        let p = self.processes.get(n).filter(|p| p.alive && p.life == life)?;
        if p.frozen_until > self.now {
            let until = p.frozen_until;
            self.at(until, what);
            return None;
        }
        Some(what)
    }

    fn happen(&mut self, what: Happening) {
        let what = match &what {
            Happening::Tick(n, life) | Happening::Input(n, life, _) | Happening::Answers(n, life, ..) => {
                let (n, life) = (*n, *life);
                match self.awake(n, life, what) {
                    Some(what) => what,
                    None => return,
                }
            }
            _ => what,
        };
        match what {
            Happening::Tick(n, life) => {
                self.after(TICK, Happening::Tick(n, life));
                self.poll_sources(n);
                self.step(n, Input::Tick);
            }
            Happening::Input(n, _, input) => self.step(n, input),
            Happening::MetaArrives(n, life, id, request) => self.meta_arrives(n, life, id, &request),
            Happening::Lands(n, life, key, tenure, id, request) => self.lands(n, life, key, tenure, id, &request),
            Happening::Answers(n, _, key, tenure, id, answer) => {
                let acts = self.processes[n].holder.answer(key, tenure, id, answer);
                self.act(n, acts);
            }
            Happening::Fault(n) => self.fault(self.scenario.faults[n]),
            Happening::Ends(undo) => self.undo(undo),
            Happening::Housekeeping => self.housekeeping(),
        }
    }

    fn poll_sources(&mut self, n: usize) {
        let now = self.now;
        let p = &mut self.processes[n];
        let news: Vec<_> = p.sources.iter_mut().map(|(k, s)| (*k, s.poll(now, &self.up))).collect();
        for ((feed, run), inputs) in news.into_iter().filter(|(_, i)| !i.is_empty()) {
            self.step(n, Input::Feed(feed, run, inputs));
        }
    }

    /// One step of a process, and everything that follows from it within the process.
    pub(crate) fn step(&mut self, n: usize, input: Input) {
        let mut outputs = std::mem::take(&mut self.outputs);
        let p = &mut self.processes[n];
        let was_owner = p.node.owner_rev();
        let clock = p.clock(self.now);
        let begun = self.meter.is_some().then(Instant::now);
        p.node.step(clock, input, &mut outputs);
        if let (Some(meter), Some(begun)) = (&mut self.meter, begun) {
            meter.spent[n] += begun.elapsed();
        }
        let owner = p.node.owner_rev();
        if owner.is_some() && owner != was_owner {
            self.counts.takeovers += 1;
            self.trace.line(self.now, n, || format!("is owner {}", owner.unwrap_or_default()));
        } else if owner.is_none() && was_owner.is_some() {
            self.trace.line(self.now, n, || "is owner no more".to_owned());
        }
        for output in outputs.drain(..) {
            self.output(n, output);
        }
        self.outputs = outputs;
        self.pump(n);
    }

    fn output(&mut self, n: usize, output: Output) {
        let life = self.processes[n].life;
        match output {
            Output::Send(to, message) => {
                self.meter.iter_mut().for_each(|m| m.sent(&message));
                let Some(m) = self.processes.iter().position(|p| p.capture == to.capture && p.alive) else { return };
                if !self.net.hears(n, m) {
                    return;
                }
                let healed = self.healed();
                let ways = if n == m { vec![50] } else { self.net.ways(&self.scenario, healed, &mut self.rng) };
                let life = self.processes[m].life;
                let held = if n == m { 0 } else { self.net.held(self.now, n) };
                for way in ways {
                    self.after(held + way, Happening::Input(m, life, Input::Message(message.clone())));
                }
            }
            Output::Meta(id, request) => {
                if self.net.reaches_meta(n) {
                    let way = self.net.meta_way(&mut self.rng);
                    self.after(way, Happening::MetaArrives(n, life, id, request));
                }
            }
            Output::Slot(key, tenure, order) => {
                self.trace_order(n, key, &order);
                self.processes[n].holder.order(self.now, key, tenure, order, &mut self.rng);
            }
            Output::Authority(until) => self.processes[n].authority = until,
            Output::StartSource(feed, run, from) => {
                let tables = self.now + self.rng.between(5 * MS, 60 * MS);
                let ddls = tables + self.rng.between(0, self.scenario.ddl_lag);
                self.processes[n].sources.insert((feed, run), Source::new(from, tables, ddls));
            }
            Output::StopSource(feed, run) => {
                self.processes[n].sources.remove(&(feed, run));
            }
            Output::KeepOwnerRev(rev) => {
                let p = &mut self.processes[n];
                if rev < p.owner_rev {
                    self.violation.get_or_insert(format!("process {n} follows owner {rev} after {}", p.owner_rev));
                }
                p.owner_rev = rev;
            }
            Output::MetaWentBack { seen, found } => {
                self.trace.line(self.now, n, || format!("metadata went back from {seen} to {found}"));
            }
        }
    }

    fn trace_order(&mut self, n: usize, key: SlotKey, order: &SlotOrder) {
        let text = match order {
            SlotOrder::Prepare { start, .. } => format!("prepare slot {key} from {start}"),
            SlotOrder::Open { epoch, start, after, .. } => {
                self.counts.activations += 1;
                let after = after.map(|a| format!(" after {a}")).unwrap_or_default();
                format!("open slot {key} as {epoch}{after} from {start}")
            }
            SlotOrder::Drain => format!("drain slot {key}"),
            SlotOrder::Drop => format!("drop slot {key}"),
            SlotOrder::Execute { ts, maybe_done, .. } => format!("execute {ts}, maybe done: {maybe_done}"),
            SlotOrder::SetMembers(m) => format!("slot {key} has {} tables", m.digest().count),
            SlotOrder::Cap(c) => format!("cap slot {key} {c}"),
        };
        self.trace.line(self.now, n, || text);
    }

    fn meta_arrives(&mut self, n: usize, life: u64, id: MetaId, request: &MetaRequest) {
        if self.net.meta_down > 0 {
            return;
        }
        let (from, record) = self.sender(n, life);
        let before = self.meta.state.feeds.clone();
        let (reply, shown) = self.meta.run(self.now, from, &record, request);
        if let MetaRequest::PutStatus { feed, checkpoint, .. } | MetaRequest::PutState { feed, checkpoint, .. } =
            request
            && reply == MetaReply::Done(true)
        {
            self.stored(*feed, *checkpoint, before.get(feed).map(|f| f.checkpoint));
        }
        if shown {
            self.show_all();
        }
        // The answer may get lost where the question did not.
        if self.net.reaches_meta(n) {
            let way = self.net.meta_way(&mut self.rng);
            self.after(way, Happening::Input(n, life, Input::Meta(id, reply)));
        }
    }

    /// The process a request is from; it may be dead by now.
    fn sender(&self, n: usize, life: u64) -> (CaptureId, Arc<CaptureRecord>) {
        let p = &self.processes[n];
        let back = u128::from(p.life - life);
        (CaptureId(p.capture.0 - back), Arc::clone(&p.record))
    }

    /// Every process that reaches the metadata is shown its state, each after a time of its own.
    pub(crate) fn show_all(&mut self) {
        let snapshot = self.meta.snapshot();
        for n in 0..self.processes.len() {
            self.show(n, &snapshot);
        }
    }

    fn show(&mut self, n: usize, snapshot: &Arc<Snapshot>) {
        if self.net.reaches_meta(n) && self.processes[n].alive {
            let way = self.net.meta_way(&mut self.rng) + self.rng.below(10 * MS);
            let life = self.processes[n].life;
            self.after(way, Happening::Input(n, life, Input::Snapshot(Arc::clone(snapshot))));
        }
    }

    fn housekeeping(&mut self) {
        self.after(SEC, Happening::Housekeeping);
        for n in 0..self.processes.len() {
            let p = &self.processes[n];
            if p.alive && p.frozen_until <= self.now && self.net.reaches_meta(n) {
                self.meta.keep_alive(self.now, p.capture);
            }
        }
        self.meta.expire(self.now);
        self.show_all();
    }
}

fn feed_record(scenario: &Scenario, kind: SinkKind) -> FeedRecord {
    FeedRecord {
        whole: false,
        run: RunId(5),
        wanted: true,
        state: FeedState::Normal,
        slots: scenario.slots,
        fence: kind.fence,
        target: None,
        syncpoint_ms: scenario.syncpoint_ms,
        checkpoint: Position::rows(Ts::new(crate::upstream::ts_at(0).get())),
        ddls: Vec::new(),
    }
}
