//! A dispatcher with a mistake.
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, reason = "it is there to fail")]

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use tg_plugin_faulty::{CONFIG_SCHEMA, Config, text};
use tidegate_sdk::tgr1::{Batch, Row};
use tidegate_sdk::{Context, Decisions, DispatchPlan, Dispatcher, Failure, Manifest, RowBatch, TableRef, TableSchema};

/// See the file.
pub struct Faulty {
    config: Config,
    lanes: u32,
    random: RandomState,
    tables: BTreeMap<TableRef, Arc<TableSchema>>,
    leaked: Vec<Vec<u8>>,
}

fn hash(parts: &[Vec<u8>]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    parts.iter().flatten().fold(0xcbf2_9ce4_8422_2325, fold)
}

impl Faulty {
    fn lane(&self, schema: &TableSchema, row: &Row<'_>, i: usize) -> u16 {
        let image = row.current().expect("an image");
        let columns: Vec<usize> = match self.config.fault.as_str() {
            "by-value" => (0..schema.columns.len()).collect(),
            _ => schema.row_key_columns().iter().map(|c| *c as usize).collect(),
        };
        if self.config.fault == "trap-on-null" {
            (0..schema.columns.len()).for_each(|c| assert!(!image.is_null(c), "NULL in column {c}"));
        }
        if self.config.fault == "slow" {
            let bytes = row.as_bytes();
            let mut sum = 0_u64;
            for step in 1..2_000_usize {
                sum = bytes.iter().step_by(step.min(3)).fold(sum, |n, b| n.rotate_left(5) ^ u64::from(*b));
            }
            std::hint::black_box(sum);
        }
        let key: Vec<Vec<u8>> = columns.into_iter().filter_map(|c| text(schema, &image, c)).collect();
        let n = match self.config.fault.as_str() {
            "by-number" => i as u64,
            "random" => self.random.hash_one(&key),
            _ => hash(&key),
        };
        (n % u64::from(self.lanes)) as u16
    }
}

impl Dispatcher for Faulty {
    fn manifest() -> Manifest {
        Manifest { config_schema: CONFIG_SCHEMA.to_owned(), ..Manifest::new("faulty", "1") }
    }

    fn open(ctx: Context) -> Result<Self, Failure> {
        let config = Config::read(&ctx.config);
        let (random, tables, leaked) = (RandomState::new(), BTreeMap::new(), Vec::new());
        Ok(Self { config, lanes: ctx.lanes.max(1), random, tables, leaked })
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>) -> Result<DispatchPlan, Failure> {
        self.tables.insert(schema.id, schema);
        Ok(DispatchPlan { split_key_updates: self.config.fault != "unsplit", ..DispatchPlan::default() })
    }

    fn dispatch(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<Decisions, Failure> {
        let schema = self.tables.get(&batch.table()).cloned();
        let schema = schema.ok_or_else(|| Failure::fatal("schema", "rows before their schema"))?;
        if self.config.fault == "leak" {
            self.leaked.push(data.to_vec());
        }
        let rows = Batch::parse(data)?;
        let lanes = rows.iter().enumerate().map(|(i, row)| self.lane(&schema, &row, i)).collect();
        Ok(Decisions { lanes, ..Decisions::default() })
    }
}

tidegate_sdk::export_dispatcher!(Faulty);
