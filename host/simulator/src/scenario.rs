//! What a seed stands for: the size of the world, the sinks, the network, the faults.

use crate::rng::Rng;
use tg_cluster::Fence;

pub(crate) const MS: u64 = 1_000;
pub(crate) const SEC: u64 = 1_000 * MS;

/// Kinds of faults.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FaultKind {
    /// A process dies and comes back with its data directory.
    Crash,
    /// A process stands still, the clock does not.
    Freeze,
    /// Two processes do not hear each other.
    CutPair,
    /// One does not hear the other.
    CutOneWay,
    /// A process is cut off from everybody, and from the metadata.
    Isolate,
    /// The owner and one capture hear each other and nobody else.
    IsolateOwnerWithOne,
    /// A process does not reach the metadata.
    MetaCut,
    /// The metadata answers nobody: no leader.
    MetaDown,
    /// The metadata answers late.
    MetaSlow,
    /// The owner's process dies.
    CrashOwner,
    /// The owner stands still.
    FreezeOwner,
    /// A node is drained for a while.
    Drain,
    /// A node is in maintenance for a while, and its process dies meanwhile.
    Maintenance,
    /// A changefeed is paused and resumed.
    Pause,
    /// A region does not resolve.
    StuckTable,
    /// The sink answers late, or its answers get lost.
    SlowSink,
}

const KINDS: [FaultKind; 15] = [
    FaultKind::Crash,
    FaultKind::Freeze,
    FaultKind::CutPair,
    FaultKind::CutOneWay,
    FaultKind::Isolate,
    FaultKind::IsolateOwnerWithOne,
    FaultKind::MetaCut,
    FaultKind::MetaDown,
    FaultKind::MetaSlow,
    FaultKind::CrashOwner,
    FaultKind::FreezeOwner,
    FaultKind::Drain,
    FaultKind::Pause,
    FaultKind::StuckTable,
    FaultKind::SlowSink,
];

/// A fault to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// When, in microseconds.
    pub at: u64,
    /// For how long.
    pub lasts: u64,
    /// What.
    pub kind: FaultKind,
}

/// What sinks of a changefeed can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SinkKind {
    /// How writers are fenced.
    pub fence: Fence,
    /// It keeps the position with the rows.
    pub keeps_position: bool,
}

/// The knobs of one run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where all randomness comes from.
    pub seed: u64,
    /// Processes.
    pub nodes: u64,
    /// One changefeed for each.
    pub sinks: Vec<SinkKind>,
    /// Writer slots of each changefeed.
    pub slots: u16,
    /// Tables at the start.
    pub tables: u64,
    /// Mean time between two rows of a table.
    pub row_every: u64,
    /// Mean time between two DDLs; zero: none.
    pub ddl_every: u64,
    /// Milliseconds between syncpoints; zero: none.
    pub syncpoint_ms: u64,
    /// Messages lost, of a thousand.
    pub loss: u64,
    /// Messages that come twice, of a thousand.
    pub duplicates: u64,
    /// Messages that come up to 1.5 s late, of a thousand.
    pub late: u64,
    /// Usual longest time of a message on its way.
    pub latency: u64,
    /// Longest time until a write takes effect.
    pub sink_latency: u64,
    /// Longest time until an owner that knows the tables hears of DDLs: nearly none where the schema is kept warm.
    pub ddl_lag: u64,
    /// Clocks run wrong by up to this many parts in ten thousand.
    pub drift: u64,
    /// Faults, by time.
    pub faults: Vec<Fault>,
    /// Faults have ended by then.
    pub heal: u64,
    /// The run ends then.
    pub end: u64,
}

/// What a seed is about: some trouble needs company to show itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Theme {
    /// A bit of everything.
    Any,
    /// Leases: captures that are cut off with late writes under way.
    Leases,
    /// Moves: drains, pauses and resumes, slow sinks.
    Moves,
    /// DDLs all the time, and owners that die.
    Ddls,
}

impl Theme {
    fn kinds(self, rng: &mut Rng) -> Vec<FaultKind> {
        use FaultKind::*;
        match self {
            Self::Any => KINDS.into_iter().filter(|_| rng.permille(350)).collect(),
            Self::Leases => vec![CutPair, Isolate, IsolateOwnerWithOne, IsolateOwnerWithOne, MetaCut, Crash, CutOneWay],
            Self::Moves => vec![Drain, Drain, Drain, Pause, Pause, CrashOwner, StuckTable],
            Self::Ddls => vec![CrashOwner, Crash, IsolateOwnerWithOne, MetaCut, StuckTable, FreezeOwner],
        }
    }
}

impl Scenario {
    /// The scenario of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x5ce7_a210);
        let theme = [Theme::Any, Theme::Leases, Theme::Moves, Theme::Ddls][rng.below(4) as usize];
        let sinks = match theme {
            Theme::Leases => vec![lease(&mut rng)],
            _ => (0..rng.between(1, 2)).map(|_| sink(&mut rng)).collect(),
        };
        let heal = 14 * SEC;
        let chosen = theme.kinds(&mut rng);
        let count = if chosen.is_empty() { 0 } else { rng.between(2, 14) };
        let mut faults: Vec<_> = (0..count).map(|_| fault(&mut rng, &chosen, heal)).collect();
        faults.extend(maintenance(seed, heal));
        faults.sort_by_key(|f| f.at);
        let dense = theme == Theme::Ddls;
        Self {
            seed,
            nodes: if theme == Theme::Leases { rng.between(2, 3) } else { rng.between(2, 5) },
            sinks,
            slots: if theme == Theme::Leases { rng.between(1, 2) } else { rng.between(1, 4) } as u16,
            tables: rng.between(2, 8),
            row_every: rng.between(20, 200) * MS,
            ddl_every: if dense { rng.between(250, 600) * MS } else { rng.below(2) * rng.between(300, 3_000) * MS },
            syncpoint_ms: if rng.permille(250) { rng.between(500, 3_000) } else { 0 },
            loss: if rng.permille(500) { rng.between(1, 100) } else { 0 },
            duplicates: if rng.permille(500) { rng.between(1, 200) } else { 0 },
            late: if rng.permille(500) { rng.between(1, 50) } else { 0 },
            latency: rng.between(1, 20) * MS,
            sink_latency: if dense || rng.permille(500) { 8 * MS } else { rng.between(20, 450) * MS },
            ddl_lag: 300 * MS,
            drift: rng.below(81),
            faults,
            heal,
            end: heal + 16 * SEC,
        }
    }

    /// Nothing goes wrong, and everything is as fast as in one data centre.
    #[must_use]
    pub fn calm(seed: u64, nodes: u64, sinks: Vec<SinkKind>) -> Self {
        Self {
            nodes,
            sinks,
            slots: 8,
            tables: 16,
            row_every: 100 * MS,
            ddl_every: 0,
            syncpoint_ms: 0,
            loss: 0,
            duplicates: 0,
            late: 0,
            latency: 2 * MS,
            sink_latency: 4 * MS,
            ddl_lag: 10 * MS,
            drift: 1,
            faults: Vec::new(),
            ..Self::of(seed)
        }
    }
}

fn sink(rng: &mut Rng) -> SinkKind {
    match rng.below(3) {
        0 => SinkKind { fence: Fence::Token, keeps_position: true },
        1 => SinkKind { fence: Fence::Token, keeps_position: false },
        _ => lease(rng),
    }
}

fn lease(rng: &mut Rng) -> SinkKind {
    let inflight = if rng.permille(500) { 500 * MS } else { 2 * SEC };
    SinkKind { fence: Fence::Lease { inflight }, keeps_position: false }
}

/// Drawn apart, so that nothing else of a seed depends on it.
fn maintenance(seed: u64, heal: u64) -> Vec<Fault> {
    let mut rng = Rng::new(seed ^ 0x6b65_6570);
    let count = if rng.permille(120) { rng.between(1, 3) } else { 0 };
    (0..count).map(|_| fault(&mut rng, &[FaultKind::Maintenance], heal)).collect()
}

fn fault(rng: &mut Rng, kinds: &[FaultKind], heal: u64) -> Fault {
    let at = rng.between(2 * SEC, heal - SEC);
    let longest = [200 * MS, SEC, 4 * SEC, 8 * SEC][rng.below(4) as usize];
    let lasts = rng.between(20 * MS, longest).min(heal - at);
    Fault { at, lasts, kind: kinds[rng.below(kinds.len() as u64) as usize] }
}
