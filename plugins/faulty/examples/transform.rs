//! A transform with a mistake. Without one it renames every table and leaves the rows as they are.
#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, reason = "it is there to fail")]

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use tg_plugin_faulty::{CONFIG_SCHEMA, Config};
use tidegate_sdk::tgr1::{Batch, BatchWriter, ColumnSpec, Image, ImageKind, Value};
use tidegate_sdk::{
    Context, DdlEvent, Failure, Manifest, RowBatch, TableRef, TableSchema, Transform, TransformPlan, Transformed,
};

/// See the file.
pub struct Faulty {
    config: Config,
    random: RandomState,
    tables: BTreeMap<TableRef, Arc<TableSchema>>,
    leaked: Vec<Vec<u8>>,
}

fn renamed(schema: &TableSchema) -> TableSchema {
    TableSchema { name: format!("out_{}", schema.name), ..schema.clone() }
}

impl Faulty {
    /// What becomes of an integer.
    fn integer(&self, schema: &TableSchema, column: usize, n: i64, row: usize) -> i64 {
        let key = schema.row_key_columns().contains(&(column as u32));
        match self.config.fault.as_str() {
            "mask-key" if key => n % 2,
            "by-number" if !key => row as i64,
            "random" if !key => (self.random.hash_one(n) % 1000) as i64,
            _ => n,
        }
    }

    fn put(&self, w: &mut BatchWriter, schema: &TableSchema, image: &Image<'_>, columns: &[ColumnSpec], row: usize) {
        for (i, spec) in columns.iter().enumerate() {
            if self.config.fault == "trap-on-null" {
                assert!(!image.is_null(i), "NULL in column {i}");
            }
            match image.value(i, *spec).expect("a value") {
                Value::Null => {}
                Value::Int(n) if schema.columns[i].logical == tidegate_sdk::LogicalType::Int => {
                    let most = i64::from(i8::MAX);
                    let changed = self.integer(schema, i, n, row);
                    w.put_i64(i, if changed == n { n } else { changed.clamp(-most, most) });
                }
                Value::Int(n) => w.put_i64(i, n),
                Value::UInt(n) => w.put_u64(i, n),
                Value::Float(n) => w.put_f64(i, n),
                Value::Bytes(b) => w.put_bytes(i, b),
            }
        }
    }
}

impl Transform for Faulty {
    fn manifest() -> Manifest {
        Manifest { config_schema: CONFIG_SCHEMA.to_owned(), ..Manifest::new("faulty", "1") }
    }

    fn open(ctx: Context) -> Result<Self, Failure> {
        let config = Config::read(&ctx.config);
        Ok(Self { config, random: RandomState::new(), tables: BTreeMap::new(), leaked: Vec::new() })
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>) -> Result<TransformPlan, Failure> {
        let output = Some(renamed(&schema));
        self.tables.insert(schema.id, schema);
        Ok(TransformPlan { active: true, output, ..TransformPlan::pass() })
    }

    fn transform(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<Transformed, Failure> {
        let schema = self.tables.get(&batch.table()).cloned();
        let schema = schema.ok_or_else(|| Failure::fatal("schema", "rows before their schema"))?;
        if self.config.fault == "leak" {
            self.leaked.push(data.to_vec());
        }
        if self.config.fault == "copies" {
            self.leaked = (0..100).map(|_| data.to_vec()).collect();
        }
        let rows = Batch::parse(data)?;
        let columns: Vec<ColumnSpec> = rows.columns().collect();
        let mut w = BatchWriter::with_flags(rows.table(), rows.version(), &columns, data.len(), rows.flags());
        for (n, row) in rows.iter().enumerate() {
            w.begin_row(row.commit_ts(), row.start_ts(), row.op(), row.flags());
            let images = [(ImageKind::After, row.after()), (ImageKind::Before, row.before())];
            for (kind, image) in images {
                if let Some(image) = image {
                    w.begin_image(kind);
                    self.put(&mut w, &schema, &image, &columns, n);
                }
            }
            w.end_row().map_err(|e| Failure::fatal("batch", e.to_string()))?;
        }
        Ok(Transformed { origins: (0..rows.len() as u32).collect(), data: w.finish(), ..Transformed::default() })
    }

    fn on_ddl(&mut self, ddl: DdlEvent) -> Result<Option<DdlEvent>, Failure> {
        if self.config.fault == "ddl-forgets" {
            return Ok(Some(ddl));
        }
        let (before, after) = (ddl.before.as_ref().map(renamed), ddl.after.as_ref().map(renamed));
        Ok(Some(DdlEvent { before, after, table: format!("out_{}", ddl.table), ..ddl }))
    }
}

tidegate_sdk::export_transform!(Faulty);
