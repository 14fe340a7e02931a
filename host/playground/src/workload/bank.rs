//! The bank: transfers between accounts whose sum never changes.

use super::{Workload, settled};
use crate::encode::Value;
use crate::store::Cluster;
use crate::{PlaygroundError, TableSpec};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::sync::Arc;

/// What every account begins with.
const START_BALANCE: i64 = 1000;
/// Largest transfer.
const TRANSFER_MAX: i64 = 50;
/// Schema and table.
const SCHEMA: &str = "bank";
const TABLE: &str = "accounts";

/// Transfers between `accounts` accounts in `bank.accounts`.
#[derive(Debug)]
pub struct Bank {
    accounts: i64,
    rng: StdRng,
}

impl Bank {
    /// At least two accounts.
    #[must_use]
    pub fn new(accounts: i64, seed: u64) -> Self {
        Self { accounts: accounts.max(2), rng: StdRng::seed_from_u64(seed) }
    }

    /// What [`Self::total_at`] gives at any timestamp after the preparation.
    #[must_use]
    pub const fn expected_total(&self) -> i64 {
        self.accounts * START_BALANCE
    }

    /// The sum of all balances at a timestamp; `None` when a row cannot be read.
    #[must_use]
    pub fn total_at(cluster: &Cluster, ts: u64) -> Option<i64> {
        cluster.rows_at(SCHEMA, TABLE, ts).iter().map(|row| balance(row.get(1)?.as_ref()?)).sum()
    }
}

fn balance(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

impl Workload for Bank {
    fn prepare(&mut self, cluster: &Arc<Cluster>) -> Result<(), PlaygroundError> {
        cluster.create_schema(SCHEMA)?;
        let spec =
            TableSpec::new(SCHEMA, TABLE).column("id", "bigint").column("balance", "bigint").primary_key(&["id"]);
        cluster.create_table(&spec)?;
        let table = cluster.table(SCHEMA, TABLE)?;
        let mut txn = cluster.begin();
        for id in 0..self.accounts {
            txn.put_row(&table, &[Value::Int(id), Value::Int(START_BALANCE)])?;
        }
        txn.commit().map(drop)
    }

    fn step(&mut self, cluster: &Arc<Cluster>) -> Result<u64, PlaygroundError> {
        let table = cluster.table(SCHEMA, TABLE)?;
        let from = self.rng.random_range(0..self.accounts);
        let to = (from + self.rng.random_range(1..self.accounts)) % self.accounts;
        let amount = self.rng.random_range(1..=TRANSFER_MAX);
        let mut txn = cluster.begin();
        for (id, change) in [(from, -amount), (to, amount)] {
            let row = match txn.get_row(&table, &[Value::Int(id)]) {
                Err(PlaygroundError::Locked { .. }) => return Ok(0),
                row => row?,
            };
            let before = row.and_then(|r| balance(r.get(1)?.as_ref()?)).unwrap_or_default();
            txn.put_row(&table, &[Value::Int(id), Value::Int(before + change)])?;
        }
        settled(txn.commit(), 2)
    }
}
