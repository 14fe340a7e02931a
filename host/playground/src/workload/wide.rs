//! Wide rows: a column of every type, with NULLs.

use super::{Workload, settled};
use crate::encode::{FieldType, Value};
use crate::store::Cluster;
use crate::{PlaygroundError, TableSpec};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use std::sync::Arc;

const SCHEMA: &str = "wide";
const TABLE: &str = "types";
/// Ids of rows stay below this, so that rows are updated.
const IDS: i64 = 1000;

/// Type and one value as text, for every column but the key.
const COLUMNS: [(&str, &str); 25] = [
    ("tinyint", "-128"),
    ("tinyint unsigned", "255"),
    ("smallint", "-300"),
    ("mediumint", "8388607"),
    ("int", "-2147483648"),
    ("int unsigned", "4294967295"),
    ("bigint unsigned", "18446744073709551615"),
    ("float", "1.5"),
    ("double", "-2.5e-8"),
    ("decimal(20,6)", "-12345.678901"),
    ("char(20)", "abc"),
    ("varchar(300)", "日本語"),
    ("text", "some text"),
    ("binary(4)", "a\0b\0"),
    ("varbinary(16)", "\u{1}\u{2}"),
    ("blob", "blob"),
    ("date", "2024-02-29"),
    ("datetime(6)", "2024-02-29 23:59:59.123456"),
    ("timestamp", "2024-05-05 05:05:05"),
    ("time(3)", "-11:30:45.123"),
    ("year", "2024"),
    ("enum('a','b','c')", "b"),
    ("set('x','y','z')", "x,z"),
    ("bit(9)", "\u{1}\u{55}"),
    ("json", "{\"a\": [1, 2.5, null]}"),
];

/// Writes rows of `wide.types`.
#[derive(Debug)]
pub struct Wide {
    rng: StdRng,
}

impl Wide {
    /// By seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed) }
    }

    fn value(&mut self, sql_type: &str, text: &str) -> Value {
        match (self.rng.random_range(0..4), sql_type) {
            (0, _) => Value::Null,
            (1, "json") => Value::Json(json!({"n": self.rng.random::<i32>(), "s": "x"})),
            (1, "bigint unsigned") => Value::Uint(self.rng.random()),
            (1, "double") => Value::Double(f64::from(self.rng.random::<i32>()) / 8.0),
            _ => FieldType::parse(sql_type).and_then(|ty| Value::parse(&ty, text.as_bytes())).unwrap_or(Value::Null),
        }
    }
}

impl Workload for Wide {
    fn prepare(&mut self, cluster: &Arc<Cluster>) -> Result<(), PlaygroundError> {
        cluster.create_schema(SCHEMA)?;
        let mut spec = TableSpec::new(SCHEMA, TABLE).column("id", "bigint");
        for (i, (sql_type, _)) in COLUMNS.iter().enumerate() {
            spec = spec.column(&format!("c{i}"), sql_type);
        }
        cluster.create_table(&spec.primary_key(&["id"])).map(drop)
    }

    fn step(&mut self, cluster: &Arc<Cluster>) -> Result<u64, PlaygroundError> {
        let table = cluster.table(SCHEMA, TABLE)?;
        let mut row = vec![Value::Int(self.rng.random_range(0..IDS))];
        row.extend(COLUMNS.map(|(sql_type, text)| self.value(sql_type, text)));
        let mut txn = cluster.blind();
        txn.put_row(&table, &row)?;
        settled(txn.commit(), 1)
    }
}
