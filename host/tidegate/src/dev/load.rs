//! What happens upstream: a little of everything.

use super::DevError;
use std::sync::Arc;
use std::time::Duration;
use tg_playground::workload::{Bank, DdlStorm, Wide, Workload};
use tg_playground::{Cluster, Playground};

/// Accounts of the bank.
const ACCOUNTS: i64 = 20;
/// Tables whose schema changes.
const STORM_TABLES: u32 = 1;
/// Every how manyth step changes a schema, or a row of such a table.
const STORM_EVERY: u64 = 20;
/// Workloads wait while this much is unread by the changefeed.
const BACKLOG_MAX_BYTES: usize = 8 << 20;

/// Prepared workloads.
pub(super) struct Load {
    cluster: Arc<Cluster>,
    bank: Bank,
    wide: Wide,
    storm: DdlStorm,
}

impl Load {
    /// Makes the tables and their first rows.
    pub(super) fn prepare(playground: &Playground, seed: u64) -> Result<Self, DevError> {
        let cluster = Arc::clone(playground.cluster());
        let (mut bank, mut wide) = (Bank::new(ACCOUNTS, seed), Wide::new(seed));
        let mut storm = DdlStorm::new(STORM_TABLES, seed);
        for workload in [&mut bank as &mut dyn Workload, &mut wide, &mut storm] {
            workload.prepare(&cluster)?;
        }
        Ok(Self { cluster, bank, wide, storm })
    }

    /// Writes about so many rows a second, until it is dropped.
    pub(super) async fn run(&mut self, rows_per_sec: u32) -> Result<(), DevError> {
        for step in 1_u64.. {
            self.cluster.backlog_below(BACKLOG_MAX_BYTES).await;
            let rows = match step {
                n if n % STORM_EVERY == 0 => self.storm.step(&self.cluster)?,
                n if n % 2 == 0 => self.wide.step(&self.cluster)?,
                _ => self.bank.step(&self.cluster)?,
            };
            let pause_us = rows.max(1) * 1_000_000 / u64::from(rows_per_sec.max(1));
            tokio::time::sleep(Duration::from_micros(pause_us)).await;
        }
        Ok(())
    }
}
