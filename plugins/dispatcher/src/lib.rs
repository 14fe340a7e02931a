//! The default dispatcher: rows of one key always take the same lane, and lanes work side by side.
//!
//! Does: hash the row key over the lanes for tables whose only unique key is the row key; give every other table one lane.
//! Does not: know targets or partitions; look at anything but key columns.
//!
//! Invariants:
//! - The same key goes to the same lane for ever, in any process, as long as [`HASH_VERSION`] and the number of lanes stay.
//! - Rows that could collide on a unique key other than the row key share a lane, in commit order.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use std::collections::BTreeMap;
use std::sync::Arc;
use tgr1::{Batch, ColumnSpec, FormatError, Image, Value};
use tidegate_sdk::{
    Context, Decisions, DispatchPlan, Dispatcher, Failure, Manifest, RowBatch, TableRef, TableSchema,
};

/// Names the hash: FNV-1a with a final mix, over key values in index order. Another hash needs another number.
pub const HASH_VERSION: u32 = 1;

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// How a table's rows are spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spread {
    /// By the hash of the row key.
    Key,
    /// All to this lane.
    OneLane(u16),
}

/// See the crate.
pub struct KeyDispatcher {
    lanes: u16,
    tables: BTreeMap<TableRef, Spread>,
}

impl KeyDispatcher {
    fn spread(&self, schema: &TableSchema) -> Spread {
        let others = schema.indexes.iter().enumerate().any(|(i, index)| {
            index.unique && u32::try_from(i).ok() != schema.row_key
        });
        if schema.row_key_columns().is_empty() || others {
            let n = mix(word(FNV_OFFSET, schema.id.table));
            Spread::OneLane((n % u64::from(self.lanes)) as u16)
        } else {
            Spread::Key
        }
    }
}

impl Dispatcher for KeyDispatcher {
    fn manifest() -> Manifest {
        let mut m = Manifest::new("dispatcher", env!("CARGO_PKG_VERSION"));
        m.attrs.push(("hash-version".into(), HASH_VERSION.to_string()));
        m
    }

    fn open(ctx: Context) -> Result<Self, Failure> {
        let lanes = u16::try_from(ctx.lanes).ok().filter(|n| *n > 0);
        let lanes = lanes.ok_or_else(|| Failure::fatal("lanes", format!("{} lanes are not possible", ctx.lanes)))?;
        Ok(Self { lanes, tables: BTreeMap::new() })
    }

    fn on_schema(&mut self, schema: Arc<TableSchema>) -> Result<DispatchPlan, Failure> {
        let spread = self.spread(&schema);
        self.tables.insert(schema.id, spread);
        let columns = match spread {
            Spread::Key => schema.row_key_columns().to_vec(),
            Spread::OneLane(_) => Vec::new(),
        };
        Ok(DispatchPlan { columns: Some(columns), split_key_updates: true, ..DispatchPlan::default() })
    }

    fn drop_schema(&mut self, table: TableRef) {
        self.tables.remove(&table);
    }

    fn dispatch(&mut self, batch: &dyn RowBatch, data: &[u8]) -> Result<Decisions, Failure> {
        let table = batch.table();
        let spread = self.tables.get(&table).copied();
        let spread = spread.ok_or_else(|| Failure::fatal("schema", format!("table {} was not announced", table.table)))?;
        let lanes = match spread {
            Spread::OneLane(0) => Vec::new(),
            Spread::OneLane(lane) => vec![lane; batch.row_count() as usize],
            Spread::Key => key_lanes(&Batch::parse(data)?, self.lanes)?,
        };
        Ok(Decisions { lanes, ..Decisions::default() })
    }
}

/// The lane of each row of a batch that holds the key columns only.
///
/// # Errors
/// When a string lies outside its row.
pub fn key_lanes(batch: &Batch<'_>, lanes: u16) -> Result<Vec<u16>, FormatError> {
    let columns: Vec<ColumnSpec> = batch.columns().collect();
    let mut out = Vec::with_capacity(batch.len());
    for row in batch {
        let image = row.current().ok_or(FormatError::Bounds("image"))?;
        out.push((key_hash(&image, &columns)? % u64::from(lanes)) as u16);
    }
    Ok(out)
}

/// The hash of all values of an image.
///
/// # Errors
/// When a string lies outside its row.
pub fn key_hash(image: &Image<'_>, columns: &[ColumnSpec]) -> Result<u64, FormatError> {
    let mut h = FNV_OFFSET;
    for (i, spec) in columns.iter().enumerate() {
        h = match image.value(i, *spec)? {
            Value::Null => word(h, 0x6e75_6c6c),
            Value::Int(v) => word(h, v.cast_unsigned()),
            Value::UInt(v) => word(h, v),
            Value::Float(v) => word(h, v.to_bits()),
            Value::Bytes(b) => bytes(h, b),
        };
    }
    Ok(mix(h))
}

const fn word(h: u64, v: u64) -> u64 {
    (h ^ v).wrapping_mul(FNV_PRIME)
}

/// Eight bytes a step, then the rest, then the length, so that pieces cannot be shifted between columns.
///
/// Text is folded to ASCII lower case and loses trailing spaces: keys that a downstream collation takes for equal must
/// share a lane, and these are the differences that common collations ignore.
fn bytes(mut h: u64, b: &[u8]) -> u64 {
    let b = b.trim_ascii_end();
    let (chunks, rest) = b.as_chunks::<8>();
    for c in chunks {
        h = word(h, u64::from_le_bytes(c.map(|b| b.to_ascii_lowercase())));
    }
    for c in rest {
        h = word(h, c.to_ascii_lowercase().into());
    }
    word(h, b.len() as u64)
}

/// Spreads the upper bits over the lower ones, which choose the lane.
const fn mix(h: u64) -> u64 {
    let h = (h ^ (h >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    h ^ (h >> 29)
}

tidegate_sdk::export_dispatcher!(KeyDispatcher);
