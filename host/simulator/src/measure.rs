//! How long things take, in virtual time; and what an owner costs, in real time.

use crate::rng::Rng;
use crate::scenario::{MS, SEC, Scenario, SinkKind};
use crate::trace::Trace;
use crate::world::World;
use tg_cluster::{Fence, Input, Limits, Pace, Phase, Rules, SlotKey};

/// Percentiles over many runs, in milliseconds of virtual time.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// The middle.
    pub p50: f64,
    /// Ninety-nine of a hundred are below.
    pub p99: f64,
    /// The worst.
    pub max: f64,
    /// How many runs.
    pub runs: usize,
}

fn times(mut all: Vec<u64>) -> Times {
    all.sort_unstable();
    let at = |permille: usize| {
        let place = (all.len().saturating_sub(1) * permille).div_ceil(1_000);
        all.get(place).map_or(f64::NAN, |us| *us as f64 / MS as f64)
    };
    Times { p50: at(500), p99: at(990), max: at(1_000), runs: all.len() }
}

/// A sink that fences by token and keeps positions.
#[must_use]
pub const fn token() -> SinkKind {
    SinkKind { fence: Fence::Token, keeps_position: true }
}

/// A sink that cannot fence; requests land within half a second.
#[must_use]
pub const fn lease() -> SinkKind {
    SinkKind { fence: Fence::Lease { inflight: 500 * MS }, keeps_position: false }
}

fn settled_world(scenario: &Scenario, rules: Rules) -> World {
    let mut world = World::new(scenario, rules, Trace::Off);
    world.run_until(6 * SEC);
    world
}

/// From the death of the owner until a new one has published to everybody; `refused`: connections to it are refused at once.
#[must_use]
pub fn owner_crash(seeds: u64, refused: bool) -> Times {
    let one = |seed| {
        let mut world = settled_world(&Scenario::calm(seed, 5, vec![token()]), Rules::default());
        let owner = world.owner_place()?;
        let before = world.processes[owner].node.owner_rev();
        let emit = |w: &World, n: usize| w.processes[n].node.feeds().first().map(|f| f.emit_ts);
        let reached = emit(&world, owner)?;
        let begun = world.now;
        let _ = world.kill_process(owner, refused);
        while world.now < begun + 10 * SEC {
            world.run_until(world.now + MS);
            let place = world.owner_place().filter(|n| world.processes[*n].node.owner_rev() > before);
            // Acting: rows may go further than they could before.
            if place.is_some_and(|n| emit(&world, n) > Some(reached)) {
                return Some(world.now - begun);
            }
        }
        None
    };
    times((0..seeds).filter_map(one).collect())
}

/// From the death of a capture that is not owner until all its slots have written again.
#[must_use]
pub fn capture_crash(seeds: u64, sink: SinkKind, refused: bool, rules: Rules) -> Times {
    let one = |seed| {
        let mut world = settled_world(&Scenario::calm(seed, 4, vec![sink]), rules);
        let owner = world.owner_place()?;
        let victim = (0..4).find(|n| *n != owner && world.held(*n).len() > 1)?;
        let lost = world.held(victim);
        let begun = world.now;
        let _ = world.kill_process(victim, refused);
        while world.now < begun + 20 * SEC {
            world.run_until(world.now + MS);
            if lost.iter().all(|k| world.holders(*k).iter().any(|n| *n != victim)) && world.all_wrote(&lost, begun) {
                return Some(world.now - begun);
            }
        }
        None
    };
    times((0..seeds).filter_map(one).collect())
}

/// From the death of a node in maintenance, which may be away for `away_max` microseconds, until other nodes write all that it
/// wrote. Meanwhile so many owners die one after the other.
#[must_use]
pub fn absence(seeds: u64, away_max: u64, owners: u64, rules: Rules) -> Times {
    let one = |seed| {
        // Most of those that are registered have to live on, or nobody becomes owner.
        let nodes = 3 + 2 * owners;
        let mut world = settled_world(&Scenario::calm(seed, nodes, vec![token()]), rules);
        let owner = world.owner_place()?;
        let away = (0..nodes as usize).find(|n| *n != owner && !world.held(*n).is_empty())?;
        let lost = world.held(away);
        world.maintain(away, Some(away_max));
        let node = world.processes[away].record.node;
        lost.iter().for_each(|key| world.meta.at_home(key.feed, node));
        world.show_all();
        world.run_until(world.now + 100 * MS);
        let begun = world.now;
        let _ = world.kill_process(away, false);
        for n in 1..=owners {
            world.run_until(begun + away_max * n / (owners + 1));
            let owner = world.owner_place()?;
            let _ = world.kill_process(owner, true);
        }
        while world.now < begun + 20 * SEC {
            world.run_until(world.now + MS);
            if lost.iter().all(|k| world.holders(*k).iter().any(|n| *n != away)) && world.all_wrote(&lost, begun) {
                return Some(world.now - begun);
            }
        }
        None
    };
    times((0..seeds).filter_map(one).collect())
}

/// How often a capture's messages are held back, and for how long.
const SPELLS: u64 = 20;
const SPELL: (u64, u64) = (550 * MS, 1_200 * MS);

/// Slots that are given to others, or back, although nobody is gone: what one capture says comes late again and again. Of all seeds.
/// What was moved for balance rests for a second only, so that nothing but suspicion decides how much is moved.
#[must_use]
pub fn needless_moves(seeds: u64, sink: SinkKind, rules: Rules) -> u64 {
    let one = |seed| {
        let mut world = settled_world(&Scenario::calm(seed, 4, vec![sink]), rules);
        let owner = world.owner_place()?;
        let late = (0..4).find(|n| *n != owner && world.held(*n).len() > 1)?;
        let limits = Limits { rest_ms: 1_000, ..Limits::default() };
        (0..4).for_each(|n| world.step(n, Input::Pace(Pace { limits, ..Pace::default() })));
        let (mut rng, before) = (Rng::new(seed), world.counts.activations);
        for _ in 0..SPELLS {
            let until = world.now + rng.between(SPELL.0, SPELL.1);
            world.net.hold(late, until);
            world.run_until(until + rng.between(5 * SEC, 15 * SEC));
        }
        Some(world.counts.activations - before)
    };
    (0..seeds).filter_map(one).sum()
}

/// The longest time that nothing of a slot was written while it moved, because its capture is drained.
#[must_use]
pub fn move_gap(seeds: u64) -> Times {
    let mut gaps = Vec::new();
    for seed in 0..seeds {
        let mut scenario = Scenario::calm(seed, 4, vec![token()]);
        scenario.row_every = 5 * MS;
        let mut world = settled_world(&scenario, Rules::default());
        let Some(owner) = world.owner_place() else { continue };
        let Some(n) = (0..4).find(|n| *n != owner && world.held(*n).len() > 1) else { continue };
        let moved = world.held(n);
        let mut last: Vec<_> = moved.iter().map(|k| world.wrote(*k)).collect();
        let mut gap = vec![0; moved.len()];
        let _ = world.drain(n);
        for _ in 0..3_000 {
            world.run_until(world.now + MS);
            for (i, key) in moved.iter().enumerate() {
                let at = world.wrote(*key);
                gap[i] = gap[i].max(at.saturating_sub(last[i]));
                last[i] = at;
            }
        }
        gaps.extend(gap.into_iter().filter(|g| *g > 0));
    }
    times(gaps)
}

/// Draining a node of a cluster with many tables: until it holds nothing.
#[must_use]
pub fn drain(tables: u64, slots: u16) -> Option<(usize, f64)> {
    let mut scenario = Scenario::calm(1, 3, vec![token()]);
    (scenario.tables, scenario.slots, scenario.row_every) = (tables, slots, 20 * SEC);
    let mut world = settled_world(&scenario, Rules::default());
    let owner = world.owner_place()?;
    let n = (0..3).find(|n| *n != owner)?;
    let spans = world.spans(n);
    let begun = world.now;
    let _ = world.drain(n);
    while world.now < begun + 60 * SEC {
        world.run_until(world.now + MS);
        if world.held(n).is_empty() {
            return Some((spans, (world.now - begun) as f64 / MS as f64));
        }
    }
    None
}

/// From an empty cluster until every slot, with all its tables, is written.
#[must_use]
pub fn schedule(tables: u64, slots: u16, nodes: u64) -> Option<f64> {
    let mut scenario = Scenario::calm(1, nodes, vec![token()]);
    (scenario.tables, scenario.slots, scenario.row_every) = (tables, slots, 30 * SEC);
    let mut world = World::new(&scenario, Rules::default(), Trace::Off);
    let mut owned = None;
    while world.now < 60 * SEC {
        world.run_until(world.now + MS);
        let place = world.owner_place();
        owned = owned.or_else(|| place.map(|_| world.now));
        let views = place.map(|n| world.processes[n].node.feeds()).unwrap_or_default();
        let active = views.iter().flat_map(|v| &v.slots).filter(|s| s.writer.is_some()).count();
        if active == usize::from(slots) + 1 {
            return owned.map(|at| (world.now - at) as f64 / MS as f64);
        }
    }
    None
}

/// A cluster at rest.
#[derive(Clone, Copy, Debug)]
pub struct Steady {
    /// Part of one core that the owner's steps took, of the virtual time.
    pub owner_cpu: f64,
    /// Part of one core that a capture's steps took.
    pub capture_cpu: f64,
    /// Messages per second, of all processes.
    pub messages: f64,
    /// Statuses and caps carried per second: what grows with what is held.
    pub entries: f64,
}

/// A cluster at rest, with that many tables.
#[must_use]
pub fn steady(tables: u64, slots: u16, nodes: u64) -> Steady {
    let mut scenario = Scenario::calm(1, nodes, vec![token()]);
    (scenario.tables, scenario.slots, scenario.row_every) = (tables, slots, 60 * SEC);
    let mut world = World::new(&scenario, Rules::default(), Trace::Off);
    world.run_until(8 * SEC);
    world.meter = Some(crate::meter::Meter::new(world.processes.len()));
    world.run_until(13 * SEC);
    let Some(meter) = world.meter.take() else {
        return Steady { owner_cpu: 0.0, capture_cpu: 0.0, messages: 0.0, entries: 0.0 };
    };
    let owner = world.owner_place().unwrap_or(0);
    let part = |n: usize| meter.spent.get(n).map_or(0.0, |d| d.as_secs_f64() / 5.0);
    let captures: f64 = (0..world.processes.len()).filter(|n| *n != owner).map(part).sum();
    Steady {
        owner_cpu: part(owner),
        capture_cpu: captures / (world.processes.len().max(2) - 1) as f64,
        messages: meter.messages as f64 / 5.0,
        entries: meter.entries as f64 / 5.0,
    }
}

impl World {
    /// Slots a process writes, by the orders it has.
    fn held(&self, n: usize) -> Vec<SlotKey> {
        let p = &self.processes[n];
        let executor = |k: &&SlotKey| k.slot.0 != self.scenario.slots;
        let writes = |k: &&SlotKey| p.node.holds(**k).is_some_and(Phase::may_write);
        p.holder.slots.keys().filter(writes).filter(executor).copied().collect()
    }

    fn spans(&self, n: usize) -> usize {
        self.processes[n].holder.slots.values().map(crate::holder::Held::tables).sum()
    }

    fn holders(&self, key: SlotKey) -> Vec<usize> {
        let active = |n: &usize| self.processes[*n].alive && self.processes[*n].node.holds(key) == Some(Phase::Active);
        (0..self.processes.len()).filter(active).collect()
    }

    fn wrote(&self, key: SlotKey) -> u64 {
        self.sinks.get(&key.feed).and_then(|s| s.wrote_at.get(&key)).copied().unwrap_or(0)
    }

    fn all_wrote(&self, keys: &[SlotKey], since: u64) -> bool {
        keys.iter().all(|k| self.wrote(*k) > since + 20 * MS)
    }
}
