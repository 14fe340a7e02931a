//! What happens, in commit order.

use super::cell::Cell;
use std::sync::Arc;
use tg_model::{DdlEvent, TableVersion};
use tgr1::{BatchBuf, BatchFull, BatchWriter, ColumnSpec, FormatError, ImageKind, Op, SlotKind};

/// One changed row.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The table as it was when the row committed.
    pub table: Arc<TableVersion>,
    /// Commit timestamp.
    pub commit_ts: u64,
    /// Start timestamp of its transaction.
    pub start_ts: u64,
    /// What happened.
    pub op: Op,
    /// [`tgr1::row_flags`].
    pub flags: u16,
    /// The row as it was.
    pub before: Option<Vec<Cell>>,
    /// The row as it is now.
    pub after: Option<Vec<Cell>>,
}

/// Something that happens upstream.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A row changes.
    Row(Change),
    /// A schema changes.
    Ddl(Arc<DdlEvent>),
}

impl Event {
    /// When it was committed.
    #[must_use]
    pub fn commit_ts(&self) -> u64 {
        match self {
            Self::Row(row) => row.commit_ts,
            Self::Ddl(ddl) => ddl.commit_ts.get(),
        }
    }
}

/// Events in commit order; those of one transaction by table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Corpus {
    /// What happens.
    pub events: Vec<Event>,
}

impl Corpus {
    /// Every version of every table, in the order of its first row or DDL.
    #[must_use]
    pub fn tables(&self) -> Vec<Arc<TableVersion>> {
        let mut out: Vec<Arc<TableVersion>> = Vec::new();
        let mut add = |v: &Arc<TableVersion>| {
            if !out.iter().any(|known| known.table == v.table && known.since == v.since) {
                out.push(Arc::clone(v));
            }
        };
        for event in &self.events {
            match event {
                Event::Row(row) => add(&row.table),
                Event::Ddl(ddl) => ddl.before.iter().chain(&ddl.after).for_each(&mut add),
            }
        }
        out
    }

    /// Changed rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.events.iter().filter(|e| matches!(e, Event::Row(_))).count()
    }
}

impl Change {
    /// Values of the columns that identify the row, as it is now or, for a delete, as it was.
    #[must_use]
    pub fn key(&self) -> Vec<&Cell> {
        let image = self.after.as_ref().or(self.before.as_ref());
        let at = |i: &u32| image.and_then(|cells| cells.get(*i as usize));
        self.table.row_key_columns().iter().filter_map(at).collect()
    }

    /// Names of the keys that the row had and has, with their table. A row without a key has all its values for one.
    pub(crate) fn key_names(&self) -> Vec<String> {
        let key = self.table.row_key_columns();
        let name = |image: &Vec<Cell>| {
            let cells: Vec<_> = image.iter().zip(0..).filter(|(_, i)| key.is_empty() || key.contains(i)).collect();
            format!("{} {cells:?}", self.table.table)
        };
        let mut names: Vec<String> = self.before.iter().chain(&self.after).map(name).collect();
        names.dedup();
        names
    }

    /// Schema, table, operation, key and timestamp, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let op = match self.op {
            Op::Insert => "insert",
            Op::Update => "update",
            Op::Delete => "delete",
        };
        let columns = self.table.row_key_columns().iter().filter_map(|i| self.table.columns.get(*i as usize));
        let key = columns.zip(self.key()).map(|(c, cell)| {
            format!("{}={}", c.name, super::cell::to_text(c, cell).unwrap_or_else(|| "NULL".to_owned()))
        });
        let key = key.collect::<Vec<_>>().join(",");
        format!("{op} {}.{} {key} at {}", self.table.schema, self.table.name, self.commit_ts)
    }
}

/// How images of a table are laid out: every column, for the tables here have none that is generated on read.
pub(crate) fn specs(table: &TableVersion) -> Vec<ColumnSpec> {
    let spec = |(i, c): (usize, &tg_model::Column)| ColumnSpec::new(i as u16, tg_mounter::logical(&c.ty));
    table.columns.iter().enumerate().map(spec).collect()
}

/// Why rows do not become a batch.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BatchError {
    #[error(transparent)]
    Full(#[from] BatchFull),
    #[error(transparent)]
    Format(#[from] FormatError),
    #[error("column {column} of {table} holds no value of its type")]
    Value { table: String, column: String },
}

/// The rows, which are of one table version, as the host hands them over.
pub(crate) fn batch(table: &TableVersion, rows: &[(&Change, u16)]) -> Result<Arc<BatchBuf>, BatchError> {
    let specs = specs(table);
    let mut writer = BatchWriter::new(table.table.0.cast_unsigned(), table.since.get(), &specs, 4096);
    for (row, flags) in rows {
        if flags & tgr1::row_flags::MAYBE_REPEATED != 0 {
            writer.mark_maybe_repeated();
        }
        writer.begin_row(row.commit_ts, row.start_ts, row.op, row.flags | flags);
        for (kind, image) in [(ImageKind::After, &row.after), (ImageKind::Before, &row.before)] {
            if let Some(cells) = image {
                writer.begin_image(kind);
                put_image(&mut writer, table, &specs, cells)?;
            }
        }
        writer.end_row()?;
    }
    Ok(Arc::new(BatchBuf::new(writer.finish_with(Vec::new()))?))
}

fn put_image(
    writer: &mut BatchWriter,
    table: &TableVersion,
    specs: &[ColumnSpec],
    cells: &[Cell],
) -> Result<(), BatchError> {
    for (i, (spec, cell)) in specs.iter().zip(cells).enumerate() {
        match (cell, spec.slot) {
            (Cell::Null, _) => {}
            (Cell::Int(n), SlotKind::I64) => writer.put_i64(i, *n),
            (Cell::Uint(n), SlotKind::U64) => writer.put_u64(i, *n),
            (Cell::Float(n), SlotKind::F64) => writer.put_f64(i, *n),
            (Cell::Bytes(b), SlotKind::Bytes) => writer.put_bytes(i, b),
            _ => {
                let column = table.columns.get(i).map(|c| c.name.clone()).unwrap_or_default();
                return Err(BatchError::Value { table: format!("{}.{}", table.schema, table.name), column });
            }
        }
    }
    Ok(())
}
