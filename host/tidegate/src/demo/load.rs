//! What happens upstream: workloads side by side, one large transaction, and faults.

use super::error::DemoError;
use super::text::grouped;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tg_playground::workload::{Bank, DdlStorm, Sysbench, Wide, Workload, huge_txn};
use tg_playground::{Chaos, Cluster, Playground, PlaygroundError, TableSpec};
use tokio::sync::{RwLock, RwLockWriteGuard};
use tokio::task::JoinSet;

/// Rows that are there before the changefeed begins.
const LOAD_ROWS: u64 = 30_000;
/// Accounts of the bank.
const ACCOUNTS: i64 = 1_000;
/// Rows of one transaction of the largest workload.
const ROWS_PER_TXN: u32 = 10;
/// Tables of the DDL storm.
const STORM_TABLES: u32 = 3;
/// Rows per second of the DDL storm at most: one in twenty is a DDL.
const STORM_RATE_MAX: u64 = 40;
/// Rows per second of a smaller workload when nothing limits the largest.
const SMALL_RATE: u64 = 500;
/// Rows of the large transaction.
const HUGE_ROWS: i64 = 20_000;
/// Bytes of one of its values.
const HUGE_ROW_BYTES: usize = 100;
/// Workloads wait while this much is unread by the changefeed.
const BACKLOG_MAX_BYTES: usize = 32 << 20;
/// A workload that was held up does not make up for more than this.
const BEHIND_MAX: Duration = Duration::from_millis(200);
/// Time between two faults.
const FAULT_EVERY: Duration = Duration::from_millis(2_500);
/// Rows of a table above which it is truncated when the demo goes on for ever.
const TABLE_ROWS_MAX: u64 = 200_000;

/// Schemas that the demo makes.
pub(super) const SCHEMAS: [&str; 5] = ["bank", "big", "sbtest", "storm", "wide"];

/// The last thing that happened to the upstream, and when.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Option<(Instant, String)>>>);

impl Notes {
    fn set(&self, what: String) {
        *self.0.lock() = Some((Instant::now(), what));
    }

    /// The last one and its age.
    pub(super) fn last(&self) -> Option<(String, Duration)> {
        self.0.lock().as_ref().map(|(at, what)| (what.clone(), at.elapsed()))
    }
}

/// What is written.
pub(super) struct Plan {
    /// Tables of the largest workload.
    pub(super) tables: u16,
    /// Rows per second of all workloads; 0: no limit.
    pub(super) rows_per_sec: u64,
    /// Seed of everything.
    pub(super) seed: u64,
    /// How long after the start the large transaction comes.
    pub(super) huge_after: Duration,
    /// How long after one large transaction the next comes; `None`: never.
    pub(super) huge_every: Option<Duration>,
    /// Whether there are faults.
    pub(super) faults: bool,
}

/// Workloads that were prepared and do not run yet.
pub(super) struct Prepared {
    plan: Plan,
    workloads: Vec<(Box<dyn Workload>, u64)>,
    bank_total: i64,
    /// Rows written so far.
    pub(super) rows: u64,
}

impl Prepared {
    /// Makes the tables and their first rows.
    pub(super) fn make(cluster: &Arc<Cluster>, plan: Plan) -> Result<Self, PlaygroundError> {
        let bank = Bank::new(ACCOUNTS, plan.seed);
        let bank_total = bank.expected_total();
        let mut sysbench: Box<dyn Workload> = Box::new(Sysbench::new(plan.tables.into(), ROWS_PER_TXN, plan.seed));
        let mut others: Vec<Box<dyn Workload>> =
            vec![Box::new(bank), Box::new(Wide::new(plan.seed)), Box::new(DdlStorm::new(STORM_TABLES, plan.seed))];
        for workload in others.iter_mut().chain([&mut sysbench]) {
            workload.prepare(cluster)?;
        }
        cluster.create_schema("big")?;
        cluster.create_table(
            &TableSpec::new("big", "txn").column("id", "bigint").column("v", "varchar(200)").primary_key(&["id"]),
        )?;
        let mut rows = ACCOUNTS.unsigned_abs();
        while rows < LOAD_ROWS {
            rows += sysbench.step(cluster)?;
        }
        let rates = rates(plan.rows_per_sec);
        let workloads = [sysbench].into_iter().chain(others).zip(rates).collect();
        Ok(Self { plan, workloads, bank_total, rows })
    }

    /// Tables that rows go to.
    pub(super) fn tables(&self) -> u64 {
        u64::from(self.plan.tables) + u64::from(STORM_TABLES) + 3
    }
}

/// How the rate is shared: the largest workload, the bank, wide rows, the storm. 0: no limit.
fn rates(total: u64) -> [u64; 4] {
    let small = if total == 0 { SMALL_RATE } else { (total / 20).max(1) };
    let storm = small.min(STORM_RATE_MAX);
    let rest = if total == 0 { 0 } else { total.saturating_sub(3 * small + storm).max(1) };
    [rest, 2 * small, small, storm]
}

/// Workloads that run. They end when this is dropped.
pub(super) struct Load {
    cluster: Arc<Cluster>,
    gate: Arc<RwLock<()>>,
    rows: Arc<AtomicU64>,
    notes: Notes,
    bank_total: i64,
    tasks: JoinSet<Result<(), PlaygroundError>>,
}

impl Load {
    /// Starts what was prepared.
    pub(super) fn start(playground: &Arc<Playground>, prepared: Prepared) -> Self {
        let Prepared { plan, workloads, bank_total, rows } = prepared;
        let mut load = Self {
            cluster: Arc::clone(playground.cluster()),
            gate: Arc::default(),
            rows: Arc::new(AtomicU64::new(rows)),
            notes: Notes::default(),
            bank_total,
            tasks: JoinSet::new(),
        };
        for (workload, rate) in workloads {
            load.tasks.spawn(drive(
                Arc::clone(&load.cluster),
                workload,
                rate,
                Arc::clone(&load.gate),
                Arc::clone(&load.rows),
            ));
        }
        load.tasks.spawn(large(Arc::clone(&load.cluster), (plan.huge_after, plan.huge_every), load.shared()));
        if plan.faults {
            load.tasks.spawn(faults(Arc::clone(playground), plan.seed, load.shared()));
        }
        load
    }

    fn shared(&self) -> Shared {
        Shared { gate: Arc::clone(&self.gate), rows: Arc::clone(&self.rows), notes: self.notes.clone() }
    }

    /// Rows written since the beginning.
    pub(super) fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// What happened last.
    pub(super) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// What the accounts of the bank add up to, at any time.
    pub(super) const fn bank_total(&self) -> i64 {
        self.bank_total
    }

    /// Fails with the error of a workload that ended.
    pub(super) fn check(&mut self) -> Result<(), DemoError> {
        match self.tasks.try_join_next() {
            Some(Ok(Err(error))) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Holds all workloads between two transactions until the guard is dropped.
    pub(super) fn hold(&self) -> impl Future<Output = RwLockWriteGuard<'_, ()>> {
        self.gate.write()
    }

    /// Truncates tables that have become long, so that a demo without end stays within its memory.
    pub(super) fn trim(&self, sizes: impl Iterator<Item = (String, u64)>) -> Result<(), DemoError> {
        for (name, rows) in sizes.filter(|(_, rows)| *rows > TABLE_ROWS_MAX) {
            if let Some((schema, table)) = name.split_once('.') {
                self.cluster.truncate_table(schema, table)?;
                self.notes.set(format!("{name} truncated at {} rows", grouped(rows)));
            }
        }
        Ok(())
    }
}

struct Shared {
    gate: Arc<RwLock<()>>,
    rows: Arc<AtomicU64>,
    notes: Notes,
}

async fn drive(
    cluster: Arc<Cluster>,
    mut workload: Box<dyn Workload>,
    rate: u64,
    gate: Arc<RwLock<()>>,
    total: Arc<AtomicU64>,
) -> Result<(), PlaygroundError> {
    let mut due = Instant::now();
    loop {
        cluster.backlog_below(BACKLOG_MAX_BYTES).await;
        let go = gate.read().await;
        let rows = workload.step(&cluster)?;
        drop(go);
        total.fetch_add(rows, Ordering::Relaxed);
        let Some(pause_us) = (rows.max(1) * 1_000_000).checked_div(rate) else {
            tokio::task::yield_now().await;
            continue;
        };
        due += Duration::from_micros(pause_us);
        let now = Instant::now();
        due = due.max(now.checked_sub(BEHIND_MAX).unwrap_or(now));
        tokio::time::sleep_until(due.into()).await;
    }
}

async fn large(
    cluster: Arc<Cluster>,
    (after, every): (Duration, Option<Duration>),
    shared: Shared,
) -> Result<(), PlaygroundError> {
    tokio::time::sleep(after).await;
    loop {
        let go = shared.gate.read().await;
        let table = cluster.table("big", "txn")?;
        huge_txn(&cluster, &table, HUGE_ROWS, HUGE_ROW_BYTES).await?;
        drop(go);
        shared.rows.fetch_add(HUGE_ROWS.unsigned_abs(), Ordering::Relaxed);
        shared.notes.set(format!("one transaction of {} rows", grouped(HUGE_ROWS.unsigned_abs())));
        match every {
            Some(every) => tokio::time::sleep(every).await,
            None => return Ok(()),
        }
    }
}

async fn faults(playground: Arc<Playground>, seed: u64, shared: Shared) -> Result<(), PlaygroundError> {
    let mut chaos = Chaos::new(seed);
    loop {
        tokio::time::sleep(FAULT_EVERY).await;
        let go = shared.gate.read().await;
        let done = chaos.step(&playground)?;
        drop(go);
        if let Some(what) = fault_text(done) {
            shared.notes.set(what.to_owned());
        }
    }
}

/// A fault in words; `None` for nothing.
fn fault_text(done: &'static str) -> Option<&'static str> {
    Some(match done {
        "nothing" => return None,
        "split" => "a region split",
        "merge" => "two regions merged",
        "move leader" => "a region's leader moved",
        "cut streams" => "connections to a store cut",
        "refuse" => "a registration refused",
        "change peers" => "a region's peers changed",
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::rates;

    #[test]
    fn shares_add_up_to_the_rate() {
        for total in [100, 1_000, 10_000, 250_000] {
            assert_eq!(rates(total).iter().sum::<u64>(), total);
        }
        assert_eq!(rates(0), [0, 1_000, 500, 40]);
        assert!(rates(1).iter().all(|r| *r > 0), "0 would mean no limit");
    }
}
