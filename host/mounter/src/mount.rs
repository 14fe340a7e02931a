//! Changes of one table version to rows of a batch.

use crate::MountError;
use crate::checksum::Stored;
use crate::decode::{Fault, RecordKey, RowV1, RowV2, record_key};
use crate::image::{ImageFault, Source};
use crate::plan::Plan;
use crate::zone::TimestampZone;
use std::sync::Arc;
use tg_model::{ChangeOp, RawChange, TableId, TableVersion};
use tgr1::{BatchWriter, ColumnSpec, ImageKind, Op, row_flags};

/// Choices of a changefeed.
#[derive(Clone, Debug, Default)]
pub struct MountOptions {
    /// Zone of TIMESTAMP values.
    pub timestamp_zone: TimestampZone,
    /// Compare rows with the checksum they carry. Version 0 checksums are compared for new values only (old values were summed
    /// with an older schema), and not for tables with TIMESTAMP columns unless the zone is UTC.
    pub verify_checksum: bool,
}

/// What a change became.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mounted {
    /// Rows written: 1; 2 for an update that was split; 0 for a delete of a row that did not exist.
    pub rows: u8,
    /// An update changed a column of the key that identifies the row. Never set for tables without such a key.
    pub key_changed: bool,
    /// Columns in the row that the table version does not know (the most of both images). Harmless in the states of a column
    /// that is not public; a lost value if the version is too old, so that the next one should be tried: undo the
    /// rows with [`BatchWriter::pop_row`] then.
    pub unknown_columns: u32,
}

/// Mounts changes of one table version. Keeps scratch space: one for each task.
#[derive(Debug)]
pub struct TableMounter {
    table: Arc<TableVersion>,
    options: MountOptions,
    plan: Plan,
    /// The physical id that was seen last.
    physical: Option<TableId>,
    check_columns: bool,
    seen: Vec<bool>,
    buf: Vec<u8>,
}

impl TableMounter {
    /// Works out how rows of the table version are decoded.
    ///
    /// # Errors
    /// [`MountError::Table`] when a column's default does not fit its type.
    pub fn new(table: Arc<TableVersion>, options: MountOptions) -> Result<Self, MountError> {
        let plan = Plan::new(&table, &options.timestamp_zone).map_err(|(position, fault)| MountError::Table {
            table: full_name(&table),
            column: table.columns.get(position as usize).map(|c| c.name.clone()).unwrap_or_default(),
            since: table.since,
            fault,
        })?;
        let is_utc = matches!(options.timestamp_zone, TimestampZone::Utc);
        let check_columns = is_utc || !plan.specs.iter().any(|spec| spec.logical == tgr1::Logical::Timestamp);
        Ok(Self { table, options, plan, physical: None, check_columns, seen: Vec::new(), buf: Vec::new() })
    }

    /// The table version.
    #[must_use]
    pub const fn table(&self) -> &Arc<TableVersion> {
        &self.table
    }

    /// Columns of each image, in order.
    #[must_use]
    pub fn columns(&self) -> &[ColumnSpec] {
        &self.plan.specs
    }

    /// Position in [`TableVersion::columns`] of each column of an image.
    #[must_use]
    pub fn positions(&self) -> &[u32] {
        &self.plan.positions
    }

    /// A writer for rows of this table; `version` names the schema handed to guests.
    #[must_use]
    pub fn writer(&self, version: u64, capacity_bytes: usize) -> BatchWriter {
        BatchWriter::new(self.table.table.0.cast_unsigned(), version, &self.plan.specs, capacity_bytes)
    }

    /// Writes a change as one row.
    ///
    /// # Errors
    /// When the change cannot be decoded, fails its checksum, or the batch is full; the batch is as before then.
    ///
    /// # Panics
    /// When `out` has other columns than this table.
    pub fn mount(&mut self, change: &RawChange, out: &mut BatchWriter) -> Result<Mounted, MountError> {
        self.write(change, out, false)
    }

    /// As [`mount`](Self::mount), but an update that changed its row key becomes a delete and an insert, both flagged
    /// [`row_flags::SPLIT_UPDATE`].
    ///
    /// # Errors
    /// As [`mount`](Self::mount); either both rows are written or none.
    ///
    /// # Panics
    /// When `out` has other columns than this table.
    pub fn mount_split(&mut self, change: &RawChange, out: &mut BatchWriter) -> Result<Mounted, MountError> {
        self.write(change, out, true)
    }

    fn write(&mut self, change: &RawChange, out: &mut BatchWriter, split: bool) -> Result<Mounted, MountError> {
        assert!(out.columns().len() == self.plan.specs.len(), "the batch is for another table");
        let key = self.key(change)?;
        let (op, after, before) = match change.op {
            ChangeOp::Insert => (Op::Insert, true, false),
            ChangeOp::Update => (Op::Update, true, true),
            // A delete of what was not there changes nothing.
            ChangeOp::Delete if change.old_value.is_empty() => return Ok(Mounted::default()),
            ChangeOp::Delete => (Op::Delete, false, true),
        };
        let mut mounted = self.open_row(change, key, out, (op, after, before), 0)?;
        if split && mounted.key_changed {
            let flags = row_flags::SPLIT_UPDATE;
            self.open_row(change, key, out, (Op::Delete, false, true), flags)?;
            self.end_row(change, out)?;
            let insert = self.open_row(change, key, out, (Op::Insert, true, false), flags);
            if let Err(error) = insert.and_then(|_| self.end_row(change, out)) {
                out.pop_row();
                return Err(error);
            }
            mounted.rows = 2;
        } else {
            self.end_row(change, out)?;
            mounted.rows = 1;
        }
        Ok(mounted)
    }

    /// Starts a row with its images; on error it is undone.
    fn open_row(
        &mut self,
        change: &RawChange,
        key: RecordKey<'_>,
        out: &mut BatchWriter,
        (op, after, before): (Op, bool, bool),
        flags: u16,
    ) -> Result<Mounted, MountError> {
        out.begin_row(change.commit_ts.get(), change.start_ts.get(), op, flags);
        let mut mounted = Mounted::default();
        let images = [(after, ImageKind::After, &change.value), (before, ImageKind::Before, &change.old_value)];
        for (_, kind, value) in images.into_iter().filter(|(wanted, ..)| *wanted) {
            out.begin_image(kind);
            match self.image(change, key, kind, value, out) {
                Ok(unknown) => mounted.unknown_columns = mounted.unknown_columns.max(unknown),
                Err(error) => {
                    out.abort_row();
                    return Err(error);
                }
            }
        }
        mounted.key_changed = after && before && self.key_changed(out);
        Ok(mounted)
    }

    fn end_row(&self, change: &RawChange, out: &mut BatchWriter) -> Result<(), MountError> {
        out.end_row().map_err(|full| MountError::Full {
            table: full_name(&self.table),
            commit_ts: change.commit_ts,
            full,
        })
    }

    fn image(
        &mut self,
        change: &RawChange,
        key: RecordKey<'_>,
        kind: ImageKind,
        value: &[u8],
        out: &mut BatchWriter,
    ) -> Result<u32, MountError> {
        let source = Source { plan: &self.plan, zone: &self.options.timestamp_zone, handle: key.handle };
        if !RowV2::is(value) {
            if value.is_empty() {
                return Err(self.fault(change, (None, Fault("the row has no bytes"))));
            }
            return source.put_v1(RowV1::new(value), &mut self.seen, out).map_err(|fault| self.fault(change, fault));
        }
        let row = RowV2::parse(value).map_err(|fault| self.fault(change, (None, fault)))?;
        let unknown = source.put_v2(&row, out).map_err(|fault| self.fault(change, fault))?;
        if self.options.verify_checksum {
            // A sum of columns holds for all of them only.
            self.verify(change, key, (kind, self.check_columns && unknown == 0), &row, out)?;
        }
        Ok(unknown)
    }

    fn verify(
        &mut self,
        change: &RawChange,
        key: RecordKey<'_>,
        (kind, columns): (ImageKind, bool),
        row: &RowV2<'_>,
        out: &BatchWriter,
    ) -> Result<(), MountError> {
        let checked = Stored::of(row).and_then(|stored| match stored {
            None => Ok(()),
            Some(stored) if !stored.is_of_columns() => stored.check_bytes(&change.key, key.handle_bytes),
            Some(stored) => match out.open_image(kind) {
                Some(image) if kind == ImageKind::After && columns => {
                    stored.check_columns(&self.table, &self.plan, &image, &mut self.buf)
                }
                _ => Ok(()),
            },
        });
        checked.map_err(|fault| MountError::Checksum {
            table: full_name(&self.table),
            commit_ts: change.commit_ts,
            fault,
        })
    }

    fn key<'a>(&mut self, change: &'a RawChange) -> Result<RecordKey<'a>, MountError> {
        let fail = |table: &TableVersion, fault| MountError::Key {
            table: full_name(table),
            commit_ts: change.commit_ts,
            fault,
        };
        let key = record_key(&change.key).map_err(|fault| fail(&self.table, fault))?;
        if self.physical != Some(key.table) {
            if !self.table.physical_ids().any(|id| id == key.table) {
                return Err(fail(&self.table, Fault("the key belongs to another table or partition")));
            }
            self.physical = Some(key.table);
        }
        Ok(key)
    }

    fn key_changed(&self, out: &BatchWriter) -> bool {
        let (Some(after), Some(before)) = (out.open_image(ImageKind::After), out.open_image(ImageKind::Before)) else {
            return false;
        };
        self.plan.row_key.iter().any(|(col, slot)| !after.same_value(&before, *col, *slot))
    }

    #[cold]
    fn fault(&self, change: &RawChange, (col, fault): ImageFault) -> MountError {
        let (table, commit_ts) = (full_name(&self.table), change.commit_ts);
        let column =
            col.and_then(|col| self.plan.positions.get(col)).and_then(|at| self.table.columns.get(*at as usize));
        match column {
            Some(column) => MountError::Column { table, column: column.name.clone(), commit_ts, fault },
            None => MountError::Row { table, commit_ts, fault },
        }
    }
}

fn full_name(table: &TableVersion) -> String {
    format!("{}.{}", table.schema, table.name)
}
