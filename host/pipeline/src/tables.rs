//! The tables of a slot: from raw changes to batches per table version.

use crate::error::PipelineError;
use crate::row_filter::TableFilter;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_filter::Filter;
use tg_model::{ChangeOp, RawChange, SlotId, SpanId, TableId, TableVersion};
use tg_mounter::{MountOptions, TableMounter};
use tgr1::BatchWriter;

/// Bytes a new batch makes room for.
const BATCH_CAPACITY_BYTES: usize = 64 << 10;
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
    pub(crate) key_updates: KeyUpdates,
}

/// Physical tables by span, and open batches by logical table.
pub(crate) struct Tables {
    slot: SlotId,
    options: MountOptions,
    filter: Arc<Filter>,
    spans: std::collections::HashMap<SpanId, Arc<TableVersion>, foldhash::fast::RandomState>,
    /// By logical id: the order in which a window's tables leave.
    open: BTreeMap<TableId, OpenTable>,
    rows: u64,
    bytes: usize,
}

impl Tables {
    pub(crate) fn new(slot: SlotId, options: MountOptions, filter: Arc<Filter>) -> Self {
        Self {
            slot,
            options,
            filter,
            spans: std::collections::HashMap::default(),
            open: BTreeMap::new(),
            rows: 0,
            bytes: 0,
        }
    }

    pub(crate) fn set(&mut self, span: SpanId, version: Arc<TableVersion>) {
        self.spans.insert(span, version);
    }

    /// Forgets a span; its logical table stays open for other partitions until [`Tables::close_unused`].
    pub(crate) fn remove(&mut self, span: SpanId) {
        self.spans.remove(&span);
    }

    pub(crate) fn version(&self, span: SpanId) -> Option<&Arc<TableVersion>> {
        self.spans.get(&span)
    }

    /// Rows and bytes of the open window.
    pub(crate) const fn size(&self) -> (u64, usize) {
        (self.rows, self.bytes)
    }

    /// Appends a change to its table's batch. The table must have been opened ([`Tables::needs_open`]).
    pub(crate) fn mount(&mut self, span: SpanId, change: &RawChange) -> Result<(), PipelineError> {
        if !self.filter.ignores_no_txn() && self.filter.ignores_txn(change.start_ts) {
            return Ok(());
        }
        let Some(version) = self.spans.get(&span) else { return Ok(()) };
        let Some(table) = self.open.get_mut(&version.table) else { return Ok(()) };
        if let Some(filter) = &mut table.filter
            && filter
                .drops(change, &mut table.mounter)
                .map_err(|source| PipelineError::Mount { slot: self.slot, source })?
        {
            return Ok(());
        }
        let before = table.writer.len_bytes();
        let split = table.key_updates == KeyUpdates::Split && change.op == ChangeOp::Update;
        let mounted = if split {
            table.mounter.mount_split(change, &mut table.writer)
        } else {
            table.mounter.mount(change, &mut table.writer)
        };
        let mounted = mounted.map_err(|source| PipelineError::Mount { slot: self.slot, source })?;
        self.rows += u64::from(mounted.rows);
        self.bytes += table.writer.len_bytes().saturating_sub(before);
        Ok(())
    }

    /// The version a span's next row needs to be open, if it is not.
    pub(crate) fn needs_open(&self, span: SpanId) -> Option<Arc<TableVersion>> {
        let version = self.spans.get(&span)?;
        let open = self.open.get(&version.table).is_some_and(|t| Arc::ptr_eq(&t.version, version));
        (!open).then(|| Arc::clone(version))
    }

    /// Opens a version. The window before must have been taken: a batch has rows of one version only.
    pub(crate) fn open(&mut self, version: Arc<TableVersion>) -> Result<(), PipelineError> {
        if let Some(old) = self.open.get(&version.table) {
            assert!(old.writer.rows() == 0, "a version changes between windows");
        }
        let mounter = TableMounter::new(Arc::clone(&version), self.options.clone())
            .map_err(|source| PipelineError::Mount { slot: self.slot, source })?;
        let writer = mounter.writer(version.since.get(), BATCH_CAPACITY_BYTES);
        let id = version.table;
        let rows = self.filter.rows(&version).map_err(|source| PipelineError::Filter { source })?;
        let filter = rows.map(|rows| TableFilter::new(rows, &mounter));
        let table = OpenTable { version, mounter, writer, filter, key_updates: KeyUpdates::Keep };
        self.open.insert(id, table);
        Ok(())
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

    /// The window is taken; tables no span refers to any more are closed.
    pub(crate) fn window_taken(&mut self) {
        (self.rows, self.bytes) = (0, 0);
    }

    /// Drops open tables that no span refers to. Only between windows.
    pub(crate) fn close_unused(&mut self) {
        let spans = &self.spans;
        self.open.retain(|id, _| spans.values().any(|v| v.table == *id));
    }
}
