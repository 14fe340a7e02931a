//! Tables like sysbench's: inserts, updates and deletes of rows of about 200 bytes.

use super::{Workload, settled};
use crate::encode::Value;
use crate::store::Cluster;
use crate::{PlaygroundError, TableSpec};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::sync::Arc;

/// Length of column `c`.
const C_LEN: usize = 120;
/// Length of column `pad`.
const PAD_LEN: usize = 60;
const SCHEMA: &str = "sbtest";

/// `sbtest.sbtest1`, `sbtest2`, ...: of ten rows changed, four are inserted, five updated, one deleted.
#[derive(Debug)]
pub struct Sysbench {
    tables: u32,
    rows_per_txn: u32,
    next_id: i64,
    rng: StdRng,
}

impl Sysbench {
    /// That many tables and rows per transaction, each at least one.
    #[must_use]
    pub fn new(tables: u32, rows_per_txn: u32, seed: u64) -> Self {
        let rng = StdRng::seed_from_u64(seed);
        Self { tables: tables.max(1), rows_per_txn: rows_per_txn.max(1), next_id: 1, rng }
    }

    fn digits(&mut self, len: usize) -> Value {
        let mut text = Vec::with_capacity(len);
        while text.len() < len {
            let word = self.rng.random::<u64>().to_le_bytes();
            text.extend(word.iter().map(|b| b'0' + b % 10));
        }
        text.truncate(len);
        Value::Bytes(text.into())
    }

    fn row(&mut self, id: i64) -> [Value; 4] {
        let k = self.rng.random_range(0..i64::from(i32::MAX));
        [Value::Int(id), Value::Int(k), self.digits(C_LEN), self.digits(PAD_LEN)]
    }
}

impl Workload for Sysbench {
    fn prepare(&mut self, cluster: &Arc<Cluster>) -> Result<(), PlaygroundError> {
        cluster.create_schema(SCHEMA)?;
        for i in 1..=self.tables {
            let spec = TableSpec::new(SCHEMA, &format!("sbtest{i}"))
                .column("id", "bigint")
                .column("k", "int")
                .column("c", "char(120)")
                .column("pad", "char(60)")
                .primary_key(&["id"])
                .index("k_1", &["k"], false);
            cluster.create_table(&spec)?;
        }
        Ok(())
    }

    fn step(&mut self, cluster: &Arc<Cluster>) -> Result<u64, PlaygroundError> {
        let table = cluster.table(SCHEMA, &format!("sbtest{}", self.rng.random_range(1..=self.tables)))?;
        let mut txn = cluster.blind();
        for _ in 0..self.rows_per_txn {
            let old = self.rng.random_range(0..self.next_id);
            match self.rng.random_range(0..10) {
                0..4 => {
                    let row = self.row(self.next_id);
                    self.next_id += 1;
                    txn.put_row(&table, &row)?;
                }
                4..9 => {
                    let row = self.row(old);
                    txn.put_row(&table, &row)?;
                }
                _ => txn.delete_row(&table, &[Value::Int(old)])?,
            }
        }
        settled(txn.commit(), u64::from(self.rows_per_txn))
    }
}
