//! The tables of a slot: from raw changes to batches per table version.

use crate::error::PipelineError;
use crate::row_filter::TableFilter;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tg_filter::Filter;
use tg_model::{ChangeOp, RawChange, SlotId, SpanId, TableId, TableVersion, Ts};
use tg_mounter::{MountError, MountOptions, TableMounter};
use tgr1::BatchWriter;

/// Bytes a new batch makes room for.
const BATCH_CAPACITY_BYTES: usize = 64 << 10;
/// Open tables above which those without rows in the last window are closed.
const OPEN_TABLES_MAX: usize = 1_024;

/// Bytes of rows that may move to another key in one transaction of one table.
const HELD_BYTES_MAX: usize = 512 << 20;

/// How updates that change the row key leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum KeyUpdates {
    Keep,
    Split,
}

/// A logical table that has rows in the open window, or had some.
pub(crate) struct OpenTable {
    pub(crate) version: Arc<TableVersion>,
    mounter: TableMounter,
    writer: BatchWriter,
    filter: Option<TableFilter>,
    /// Insert halves of the open transaction's split updates. They leave after every delete of it: rows of one transaction may
    /// swap their keys, and a reader of the batch sees a key freed before it is taken.
    held: VecDeque<RawChange>,
    pub(crate) key_updates: KeyUpdates,
    /// The window that last had rows of it.
    window: u64,
}

/// Physical tables by span, and open batches by logical table.
pub(crate) struct Tables {
    slot: SlotId,
    options: MountOptions,
    filter: Arc<Filter>,
    spans: std::collections::HashMap<SpanId, Arc<TableVersion>, foldhash::fast::RandomState>,
    /// Spans by logical id.
    used: std::collections::HashMap<TableId, usize, foldhash::fast::RandomState>,
    /// By logical id: the order in which a window's tables leave.
    open: BTreeMap<TableId, OpenTable>,
    window: u64,
    rows: u64,
    bytes: usize,
    /// The transaction of the last change: (logical table, commit-ts, start-ts).
    txn: (TableId, Ts, Ts),
    /// Bytes of held insert halves.
    held_bytes: usize,
}

impl Tables {
    pub(crate) fn new(slot: SlotId, options: MountOptions, filter: Arc<Filter>) -> Self {
        Self {
            slot,
            options,
            filter,
            spans: std::collections::HashMap::default(),
            used: std::collections::HashMap::default(),
            open: BTreeMap::new(),
            window: 0,
            rows: 0,
            bytes: 0,
            txn: (TableId(0), Ts::ZERO, Ts::ZERO),
            held_bytes: 0,
        }
    }

    /// Gives a span its version. Answers a version that no span needs any more. Only between windows.
    pub(crate) fn set(&mut self, span: SpanId, version: Arc<TableVersion>) -> Option<Arc<TableVersion>> {
        *self.used.entry(version.table).or_default() += 1;
        self.spans.insert(span, version).and_then(|old| self.release(old.table))
    }

    /// Forgets a span. Answers a version that no span needs any more. Only between windows.
    pub(crate) fn remove(&mut self, span: SpanId) -> Option<Arc<TableVersion>> {
        self.spans.remove(&span).and_then(|old| self.release(old.table))
    }

    /// A span less refers to the logical table; with the last one it is closed.
    fn release(&mut self, table: TableId) -> Option<Arc<TableVersion>> {
        let left = self.used.get_mut(&table)?;
        *left -= 1;
        if *left > 0 {
            return None;
        }
        self.used.remove(&table);
        self.open.remove(&table).map(|t| t.version)
    }

    pub(crate) fn version(&self, span: SpanId) -> Option<&Arc<TableVersion>> {
        self.spans.get(&span)
    }

    /// Rows and bytes of the open window.
    pub(crate) const fn size(&self) -> (u64, usize) {
        (self.rows, self.bytes)
    }

    /// Appends a change to its table's batch. The table must have been opened ([`Tables::needs_open`]). False: the batch has no
    /// room for it, and the window is to be taken first.
    pub(crate) fn mount(&mut self, span: SpanId, change: &RawChange) -> Result<bool, PipelineError> {
        if !self.filter.ignores_no_txn() && self.filter.ignores_txn(change.start_ts) {
            return Ok(true);
        }
        let Some(version) = self.spans.get(&span) else { return Ok(true) };
        let logical = version.table;
        let txn = (logical, change.commit_ts, change.start_ts);
        let ends_updates = self.txn != txn || change.op == ChangeOp::Insert;
        if self.held_bytes > 0 && ends_updates && !self.release_held()? {
            return Ok(false);
        }
        self.txn = txn;
        let Some(table) = self.open.get_mut(&logical) else { return Ok(true) };
        table.window = self.window;
        if let Some(filter) = &mut table.filter
            && filter
                .drops(change, &mut table.mounter)
                .map_err(|source| PipelineError::Mount { slot: self.slot, source })?
        {
            return Ok(true);
        }
        let before = table.writer.len_bytes();
        let split = table.key_updates == KeyUpdates::Split && change.op == ChangeOp::Update;
        let mounted = if split {
            table.mounter.mount_split(change, &mut table.writer)
        } else {
            table.mounter.mount(change, &mut table.writer)
        };
        let mounted = match mounted {
            Ok(mounted) => mounted,
            // A row that is too large for an empty batch never fits.
            Err(MountError::Full { .. }) if table.writer.rows() > 0 => return Ok(false),
            Err(source) => return Err(PipelineError::Mount { slot: self.slot, source }),
        };
        let mut rows = u64::from(mounted.rows);
        if split && rows == 2 {
            table.writer.pop_row();
            rows = 1;
            self.held_bytes += change.weight_bytes();
            table.held.push_back(RawChange {
                op: ChangeOp::Insert,
                old_value: change.old_value.slice(..0),
                ..change.clone()
            });
        }
        self.rows += rows;
        self.bytes += table.writer.len_bytes().saturating_sub(before);
        if self.held_bytes > HELD_BYTES_MAX {
            return Err(PipelineError::KeysMoved {
                slot: self.slot,
                ts: change.commit_ts,
                limit_bytes: HELD_BYTES_MAX,
            });
        }
        Ok(true)
    }

    /// Mounts the held insert halves: their transaction has no more deletes. False: a batch has no room, and the window is to be
    /// taken first.
    pub(crate) fn release_held(&mut self) -> Result<bool, PipelineError> {
        let Some(table) = self.open.get_mut(&self.txn.0) else { return Ok(true) };
        table.window = self.window;
        let before = table.writer.len_bytes();
        while let Some(change) = table.held.front() {
            match table.mounter.mount(change, &mut table.writer) {
                Ok(_) => table.writer.set_last_row_flags(tgr1::row_flags::SPLIT_UPDATE),
                Err(MountError::Full { .. }) if table.writer.rows() > 0 => {
                    self.bytes += table.writer.len_bytes().saturating_sub(before);
                    return Ok(false);
                }
                Err(source) => return Err(PipelineError::Mount { slot: self.slot, source }),
            }
            self.rows += 1;
            table.held.pop_front();
        }
        self.bytes += table.writer.len_bytes().saturating_sub(before);
        self.held_bytes = 0;
        Ok(true)
    }

    /// The version a span's next row needs to be open, if it is not.
    pub(crate) fn needs_open(&self, span: SpanId) -> Option<Arc<TableVersion>> {
        let version = self.spans.get(&span)?;
        let open = self.open.get(&version.table).is_some_and(|t| Arc::ptr_eq(&t.version, version));
        (!open).then(|| Arc::clone(version))
    }

    /// Opens a version and answers the one it replaces. The window before must have been taken: a batch has rows of one version only.
    pub(crate) fn open(&mut self, version: Arc<TableVersion>) -> Result<Option<Arc<TableVersion>>, PipelineError> {
        if let Some(old) = self.open.get(&version.table) {
            assert!(old.writer.rows() == 0, "a version changes between windows");
        }
        let mounter = TableMounter::new(Arc::clone(&version), self.options.clone())
            .map_err(|source| PipelineError::Mount { slot: self.slot, source })?;
        let writer = mounter.writer(version.since.get(), BATCH_CAPACITY_BYTES);
        let id = version.table;
        let rows = self.filter.rows(&version).map_err(|source| PipelineError::Filter { source })?;
        let filter = rows.map(|rows| TableFilter::new(rows, &mounter));
        let table = OpenTable {
            version,
            mounter,
            writer,
            filter,
            held: VecDeque::new(),
            key_updates: KeyUpdates::Keep,
            window: self.window,
        };
        Ok(self.open.insert(id, table).map(|old| old.version))
    }

    /// Logical tables with rows in the open window, by id.
    pub(crate) fn with_rows(&self) -> Vec<TableId> {
        self.open.iter().filter(|(_, t)| t.writer.rows() > 0).map(|(id, _)| *id).collect()
    }

    pub(crate) fn get_mut(&mut self, table: TableId) -> Option<&mut OpenTable> {
        self.open.get_mut(&table)
    }

    /// Takes a table's batch out of the window.
    pub(crate) fn take(&mut self, table: TableId) -> Option<(Arc<TableVersion>, Vec<u8>)> {
        let t = self.open.get_mut(&table)?;
        Some((Arc::clone(&t.version), t.writer.finish()))
    }

    /// Halves of updates wait for the end of their transaction.
    pub(crate) const fn has_held(&self) -> bool {
        self.held_bytes > 0
    }

    /// Other plugins take over between two windows: tables are opened again with their next row, and those that cannot be closed
    /// now are answered.
    pub(crate) fn close_idle(&mut self) -> Vec<Arc<TableVersion>> {
        self.open.retain(|_, t| !t.held.is_empty() || t.writer.rows() > 0);
        self.open.values().map(|t| Arc::clone(&t.version)).collect()
    }

    /// The window is taken. Answers versions that were closed because too many tables are open.
    pub(crate) fn window_taken(&mut self) -> Vec<Arc<TableVersion>> {
        (self.rows, self.bytes) = (0, 0);
        let ended = self.window;
        self.window += 1;
        if self.open.len() <= OPEN_TABLES_MAX {
            return Vec::new();
        }
        self.open.extract_if(.., |_, t| t.window < ended).map(|(_, t)| t.version).collect()
    }
}
