//! A storm of schema changes with rows between them.

use super::{Workload, settled};
use crate::encode::Value;
use crate::store::Cluster;
use crate::{Alter, ColumnSpec, PlaygroundError, TableSpec};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::sync::Arc;

const SCHEMA: &str = "storm";
/// Most columns of a table.
const COLUMNS_MAX: usize = 12;

/// Tables `storm.t0`, ...: columns come and go, tables are truncated, dropped and made again.
#[derive(Debug)]
pub struct DdlStorm {
    tables: u32,
    serial: u32,
    rng: StdRng,
}

impl DdlStorm {
    /// At least one table.
    #[must_use]
    pub fn new(tables: u32, seed: u64) -> Self {
        Self { tables: tables.max(1), serial: 0, rng: StdRng::seed_from_u64(seed) }
    }

    fn change(&mut self, cluster: &Arc<Cluster>, name: &str) -> Result<(), PlaygroundError> {
        let table = cluster.table(SCHEMA, name)?;
        self.serial += 1;
        let added = table.columns.iter().rev().find(|c| c.name.starts_with('c'));
        let change = match (self.rng.random_range(0..10), added) {
            (0, _) => return cluster.truncate_table(SCHEMA, name).map(drop),
            (1, _) => {
                cluster.drop_table(SCHEMA, name)?;
                return create(cluster, name);
            }
            (2..5, Some(column)) => Alter::DropColumn(column.name.clone()),
            (5, Some(column)) => Alter::RenameColumn(column.name.clone(), format!("c{}", self.serial)),
            _ if table.columns.len() < COLUMNS_MAX => {
                let column = ColumnSpec::new(&format!("c{}", self.serial), "varchar(32)");
                Alter::AddColumn(column.not_null().default("added"))
            }
            _ => return Ok(()),
        };
        cluster.alter_table(SCHEMA, name, &change).map(drop)
    }
}

fn create(cluster: &Cluster, name: &str) -> Result<(), PlaygroundError> {
    let spec = TableSpec::new(SCHEMA, name).column("id", "bigint").column("v", "varchar(64)").primary_key(&["id"]);
    cluster.create_table(&spec).map(drop)
}

impl Workload for DdlStorm {
    fn prepare(&mut self, cluster: &Arc<Cluster>) -> Result<(), PlaygroundError> {
        cluster.create_schema(SCHEMA)?;
        (0..self.tables).try_for_each(|i| create(cluster, &format!("t{i}")))
    }

    fn step(&mut self, cluster: &Arc<Cluster>) -> Result<u64, PlaygroundError> {
        let name = format!("t{}", self.rng.random_range(0..self.tables));
        if self.rng.random_range(0..20) == 0 {
            self.change(cluster, &name)?;
        }
        let table = cluster.table(SCHEMA, &name)?;
        let mut row = vec![Value::Int(self.rng.random_range(0..1000))];
        let serial = self.serial;
        row.extend((1..table.columns.len()).map(|i| Value::from(format!("s{serial}-{i}"))));
        let mut txn = cluster.blind();
        txn.put_row(&table, &row)?;
        settled(txn.commit(), 1)
    }
}
