//! A sink that forgets everything: for measuring what lies in front of a sink.
//!
//! Does: count rows; with `touch` read every value.
//! Does not: keep or write anything.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use std::sync::Arc;
use tgr1::{Batch, Image, Value};
use tidegate_sdk::metrics::Counter;
use tidegate_sdk::{
    Ack, Barrier, Context, Failure, Manifest, Position, RowBatch, Sink, TablePlan, TableSchema, WriteOutcome,
};

/// What the configuration may say.
#[derive(Clone, Copy, Default, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Read every value of every row.
    pub touch: bool,
}

/// See the crate.
pub struct Blackhole {
    config: Config,
    rows: Counter,
    /// Rows since the last flush: the host hears of them once per flush, not per batch.
    unflushed_rows: u64,
    sum: u64,
}

impl Sink for Blackhole {
    fn manifest() -> Manifest {
        Manifest {
            config_schema:
                r#"{"type":"object","properties":{"touch":{"type":"boolean"}},"additionalProperties":false}"#.into(),
            ..Manifest::new("blackhole", env!("CARGO_PKG_VERSION"))
        }
    }

    fn open(ctx: Context) -> Result<(Self, Option<Position>), Failure> {
        let text = if ctx.config.is_empty() { "{}" } else { &ctx.config };
        let config = serde_json::from_str(text).map_err(|e| Failure::fatal("config", e.to_string()))?;
        Ok((Self { config, rows: Counter::new("rows"), unflushed_rows: 0, sum: 0 }, None))
    }

    fn on_schema(&mut self, _schema: Arc<TableSchema>, _: &[String]) -> Result<TablePlan, Failure> {
        let columns = if self.config.touch { None } else { Some(Vec::new()) };
        Ok(TablePlan { columns, deliver: self.config.touch, ..TablePlan::default() })
    }

    fn write(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<WriteOutcome, Failure> {
        if self.config.touch {
            let batch = Batch::parse(data)?;
            self.sum = self.sum.wrapping_add(sum(&batch)?);
            self.unflushed_rows += batch.len() as u64;
        } else {
            self.unflushed_rows += u64::from(batch.row_count());
        }
        Ok(WriteOutcome::default())
    }

    fn flush(&mut self, barrier: Barrier) -> Result<Ack, Failure> {
        std::hint::black_box(self.sum);
        self.rows.add(std::mem::take(&mut self.unflushed_rows));
        Ok(Ack::complete(&barrier))
    }
}

/// A number that depends on every value: fixed values whole, strings by length, first and last byte.
///
/// # Errors
/// When a string lies outside its row.
pub fn sum(batch: &Batch<'_>) -> Result<u64, tgr1::FormatError> {
    let columns: Vec<_> = batch.columns().collect();
    let image = |image: Image<'_>| -> Result<u64, tgr1::FormatError> {
        let mut n = 0u64;
        for (i, spec) in columns.iter().enumerate() {
            let v = match image.value(i, *spec)? {
                Value::Null => 1,
                Value::Int(v) => v.cast_unsigned(),
                Value::UInt(v) => v,
                Value::Float(v) => v.to_bits(),
                Value::Bytes(b) => {
                    let ends = b.first().copied().unwrap_or(0).wrapping_add(b.last().copied().unwrap_or(0));
                    b.len() as u64 + u64::from(ends)
                }
            };
            n = n.wrapping_add(v);
        }
        Ok(n)
    };
    let mut n = 0u64;
    for row in batch {
        for i in [row.after(), row.before()].into_iter().flatten() {
            n = n.wrapping_add(image(i)?);
        }
    }
    Ok(n)
}

tidegate_sdk::export_sink!(Blackhole);
