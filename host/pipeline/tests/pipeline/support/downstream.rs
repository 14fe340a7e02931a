//! The recording downstream: what became durable in it, in order.

use super::dispatcher::Poison;
use super::faults::Faults;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tg_model::{Position, TableId, Ts};
use tg_upstream::Upstream;
use tgr1::Op;
use tokio::sync::{Notify, watch};

/// A row as both sides name it: logical table, key, commit-ts, what happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Change {
    pub(crate) ts: Ts,
    pub(crate) table: TableId,
    pub(crate) id: i64,
    pub(crate) op: u8,
}

/// One durable event.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    Row {
        run: u64,
        lane: (u16, u16),
        change: Change,
        repeated: bool,
    },
    Ddl {
        ts: Ts,
        #[expect(dead_code, reason = "seen in failure messages")]
        seq: u32,
        tables: Vec<TableId>,
        query: String,
    },
    Syncpoint(Ts),
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) log: Vec<Seen>,
    /// Latest image of every key as text.
    pub(crate) rows: HashMap<(TableId, i64), Vec<Option<Vec<u8>>>>,
    pub(crate) durable: HashMap<(u16, u16), Position>,
    pub(crate) ddls: HashSet<(Ts, u32)>,
    pub(crate) faults: Faults,
    /// Greatest position that was ever durable inside a transaction.
    pub(crate) inside: u64,
    pub(crate) schemas: u64,
    pub(crate) dropped_schemas: u64,
    pub(crate) ticks: u64,
    /// When batches became durable, in Unix milliseconds, with their newest commit-ts.
    pub(crate) arrivals: Vec<(u64, Ts)>,
    pub(crate) keep_arrivals: bool,
    pub(crate) keep_rows: bool,
    pub(crate) rows_durable: u64,
    /// Every checkpoint that the sink was told of.
    pub(crate) checkpoints: Vec<Position>,
    /// (target, partition) of every row, while they are kept.
    pub(crate) routes: HashSet<(u16, u32)>,
    /// Names that targets were given.
    pub(crate) targets: HashSet<Vec<String>>,
    /// Dispatchers were swapped: keys may have changed their lanes.
    pub(crate) lanes_move: bool,
    /// Columns of the newest batch of each table.
    pub(crate) columns: HashMap<TableId, usize>,
    pub(crate) swap_barriers: u64,
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Downstream {
    pub(crate) state: Arc<Mutex<State>>,
    /// Writers of older runs are fenced off.
    pub(crate) epoch: Arc<std::sync::atomic::AtomicU64>,
    /// Keeps the lanes' positions.
    pub(crate) keeps: bool,
    /// A DDL waits here while the gate is closed.
    pub(crate) ddl_gate: Arc<watch::Sender<bool>>,
    /// A DDL that has run waits here with its answer while the gate is closed.
    pub(crate) answer_gate: Arc<watch::Sender<bool>>,
    /// Told when a DDL has begun to wait or ran.
    pub(crate) ddl_seen: Arc<Notify>,
    /// What nobody takes.
    pub(crate) poison: Arc<Mutex<Poison>>,
    /// Whether flushes wait.
    pub(crate) flush_gate: Arc<watch::Sender<bool>>,
    /// The lane whose flushes wait.
    pub(crate) stuck: Arc<watch::Sender<Option<(u16, u16)>>>,
}

impl Downstream {
    pub(crate) fn new(keeps: bool, faults: Faults) -> Self {
        let state = State { faults, keep_rows: true, ..State::default() };
        Self {
            state: Arc::new(Mutex::new(state)),
            epoch: Arc::default(),
            keeps,
            ddl_gate: Arc::new(watch::Sender::new(true)),
            answer_gate: Arc::new(watch::Sender::new(true)),
            ddl_seen: Arc::default(),
            poison: Arc::default(),
            flush_gate: Arc::new(watch::Sender::new(true)),
            stuck: Arc::new(watch::Sender::new(None)),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.state.lock().log.len()
    }

    pub(crate) fn rows_of(&self, table: TableId) -> Vec<Change> {
        let state = self.state.lock();
        let rows = state.log.iter().filter_map(|s| match s {
            Seen::Row { change, .. } if change.table == table => Some(*change),
            _ => None,
        });
        rows.collect()
    }
}

pub(crate) const fn op_number(op: Op) -> u8 {
    match op {
        Op::Delete => 0,
        Op::Update => 1,
        Op::Insert => 2,
    }
}

/// A timestamp of now.
pub(crate) async fn now(upstream: &Upstream) -> Ts {
    upstream.tso().await.unwrap()
}
