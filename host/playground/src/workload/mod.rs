//! Workloads: generators of transactions, deterministic by seed, driven step by step or as a task.

mod bank;
mod ddl_storm;
mod sysbench;
mod wide;

pub use bank::Bank;
pub use ddl_storm::DdlStorm;
pub use sysbench::Sysbench;
pub use wide::Wide;

use crate::encode::Value;
use crate::store::{Cluster, Mutation};
use crate::{PlaygroundError, TableDef};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A running workload waits while this much is unread by feeds.
const BACKLOG_MAX_BYTES: usize = 32 << 20;
/// Rows that a large transaction locks at once.
const HUGE_PART_ROWS: i64 = 1000;
/// Steps between two looks at other tasks.
const STEPS_PER_YIELD: u32 = 64;

/// A generator of transactions.
pub trait Workload: Send {
    /// Makes the tables and first rows.
    ///
    /// # Errors
    /// The tables cannot be made.
    fn prepare(&mut self, cluster: &Arc<Cluster>) -> Result<(), PlaygroundError>;

    /// Does one transaction and gives the number of rows it changed. Conflicts count as zero rows.
    ///
    /// # Errors
    /// Something that repeating does not cure.
    fn step(&mut self, cluster: &Arc<Cluster>) -> Result<u64, PlaygroundError>;
}

/// A conflict with others is no failure of a workload: it goes on with the next transaction.
pub(crate) fn settled(done: Result<u64, PlaygroundError>, rows: u64) -> Result<u64, PlaygroundError> {
    use tg_model::Coded as _;
    match done {
        Ok(_) => Ok(rows),
        Err(e) if e.is_retryable() => Ok(0),
        Err(e) => Err(e),
    }
}

/// Runs a prepared workload until it fails, or has changed `rows_max` rows (zero: no limit).
/// `rows_per_s` zero: as fast as feeds read.
///
/// # Errors
/// As [`Workload::step`].
pub async fn run(
    cluster: Arc<Cluster>,
    mut workload: impl Workload,
    rows_per_s: u64,
    rows_max: u64,
) -> Result<u64, PlaygroundError> {
    let begin = Instant::now();
    let (mut rows, mut steps) = (0, 0u32);
    while rows_max == 0 || rows < rows_max {
        cluster.backlog_below(BACKLOG_MAX_BYTES).await;
        rows += workload.step(&cluster)?;
        steps = steps.wrapping_add(1);
        if let Some(due_ms) = (rows * 1000).checked_div(rows_per_s) {
            let ahead = Duration::from_millis(due_ms).saturating_sub(begin.elapsed());
            tokio::time::sleep(ahead).await;
        } else if steps.is_multiple_of(STEPS_PER_YIELD) {
            tokio::task::yield_now().await;
        }
    }
    Ok(rows)
}

/// One transaction of `rows` rows with values of `row_bytes` bytes into a table of an integer key and a
/// text column (see [`Wide`] for one that is made), locked part by part and committed part by part.
/// Gives the commit timestamp.
///
/// # Errors
/// A conflict, or the table has other columns.
pub async fn huge_txn(
    cluster: &Arc<Cluster>,
    table: &Arc<TableDef>,
    rows: i64,
    row_bytes: usize,
) -> Result<u64, PlaygroundError> {
    let mut writer = crate::encode::row::RowWriter::default();
    let text = Value::from("x".repeat(row_bytes));
    let mut mutation = |id: i64| {
        let values = [Value::Int(id), text.clone()];
        let value = Some(table.row_of(&values, &mut writer)?);
        Ok::<_, PlaygroundError>(Mutation { key: table.key_of(&values)?, value })
    };
    let mut first = cluster.begin();
    first.lock_ttl_ms(u64::from(u32::MAX));
    first.put_row(table, &[Value::Int(0), text.clone()])?;
    let mut txn = first.prewrite()?;
    let mut next = 1;
    while next < rows {
        let end = rows.min(next + HUGE_PART_ROWS);
        let part = (next..end).map(&mut mutation).collect::<Result<Vec<_>, _>>()?;
        cluster.backlog_below(BACKLOG_MAX_BYTES).await;
        txn.prewrite_more(part)?;
        next = end;
    }
    let commit_ts = txn.commit_ts();
    for part in txn.keys().chunks(HUGE_PART_ROWS as usize) {
        cluster.backlog_below(BACKLOG_MAX_BYTES).await;
        txn.commit_part(commit_ts, part)?;
    }
    Ok(commit_ts)
}
