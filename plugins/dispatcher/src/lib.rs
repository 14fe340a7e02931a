//! The default dispatcher: rows of one key always take the same lane, and lanes work side by side.
//!
//! Does: hash the row key over the lanes for tables whose only unique key is the row key and whose key values are equal
//! only when their bytes are, but for trailing spaces; give every other table one lane.
//! Does not: know targets or partitions; look at anything but key columns.
//!
//! Invariants:
//! - The same key goes to the same lane for ever, in any process, as long as [`HASH_VERSION`] and the number of lanes stay.
//! - Rows that could collide on a unique key other than the row key share a lane, in commit order.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use std::collections::BTreeMap;
use std::sync::Arc;
use tgr1::{Batch, ColumnSpec, FormatError, Image, Logical, Value};
use tidegate_sdk::{
    Column, Context, Decisions, DispatchPlan, Dispatcher, Failure, LogicalType, Manifest, RowBatch, TableRef,
    TableSchema,
};

/// Attribute of a table that has unique keys which its indexes do not show in full.
const HIDDEN_KEYS: &str = "hidden-keys";

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
        if is_spreadable(schema) {
            return Spread::Key;
        }
        let n = mix(word(FNV_OFFSET, schema.id.table));
        Spread::OneLane((n % u64::from(self.lanes)) as u16)
    }
}

/// Whether rows with different bytes in the row key never get into each other's way.
fn is_spreadable(schema: &TableSchema) -> bool {
    let is_row_key = |i: usize| u32::try_from(i).ok() == schema.row_key;
    let others = schema.indexes.iter().enumerate().any(|(i, index)| index.unique && !is_row_key(i));
    let hidden = schema.attrs.iter().any(|(name, value)| name == HIDDEN_KEYS && value == "true");
    let key = schema.row_key_columns();
    let plain = |c: &u32| schema.columns.get(*c as usize).is_some_and(compares_as_bytes);
    !key.is_empty() && !others && !hidden && key.iter().all(plain)
}

/// Whether values are equal only when their bytes are. Other collations than `binary` and `.._bin` take letters of different
/// case or accent for equal, each by tables of its own.
fn compares_as_bytes(column: &Column) -> bool {
    let collation = column.collation.as_str();
    column.logical != LogicalType::Text || collation == "binary" || collation.ends_with("_bin")
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
        let spread =
            spread.ok_or_else(|| Failure::fatal("schema", format!("table {} was not announced", table.table)))?;
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
            // Both zeros are one key.
            Value::Float(v) => word(h, if v == 0.0 { 0 } else { v.to_bits() }),
            Value::Bytes(b) if spec.logical == Logical::Text => bytes(h, without_padding(b)),
            Value::Bytes(b) => bytes(h, b),
        };
    }
    Ok(mix(h))
}

const fn word(h: u64, v: u64) -> u64 {
    (h ^ v).wrapping_mul(FNV_PRIME)
}

/// Most `.._bin` collations pad with spaces, so that text with and without trailing spaces is one key.
fn without_padding(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' '] = text {
        text = rest;
    }
    text
}

/// Eight bytes a step, then the rest, then the length, so that pieces cannot be shifted between columns.
fn bytes(mut h: u64, b: &[u8]) -> u64 {
    let (chunks, rest) = b.as_chunks::<8>();
    for c in chunks {
        h = word(h, u64::from_le_bytes(*c));
    }
    for c in rest {
        h = word(h, (*c).into());
    }
    word(h, b.len() as u64)
}

/// Spreads the upper bits over the lower ones, which choose the lane.
const fn mix(h: u64) -> u64 {
    let h = (h ^ (h >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    h ^ (h >> 29)
}

tidegate_sdk::export_dispatcher!(KeyDispatcher);
