//! How a slot fills and cuts its windows.

use crate::error::PipelineError;
use crate::slot::{Slot, may_block};
use crate::slot_route::Window;
use crate::slot_swap::Mode;
use std::sync::Arc;
use tg_model::{Position, TableVersion, Ts};
use tg_mounter::MountError;
use tg_sorter::{ChunkEnd, SortedChange};
use tgr1::BatchBuf;

/// Bytes of changes taken from the sorter at once.
const CHUNK_BYTES: usize = 256 << 10;
/// Rows that close a window.
const WINDOW_ROWS: u64 = 8_192;
/// Bytes of batches that close a window.
const WINDOW_BYTES: usize = 2 << 20;

impl Slot {
    /// Cuts windows while there is something to cut and room for it.
    pub(crate) async fn pump(&mut self) -> Result<(), PipelineError> {
        let limit = self.progress.limit();
        match self.mode {
            Mode::Draining { .. } => return self.finish_transaction().await,
            Mode::Settling | Mode::Drained { .. } => return Ok(()),
            Mode::Open if limit <= self.progress.cut && !self.progress.more => return Ok(()),
            Mode::Open => {}
        }
        while self.progress.windows.has_room() && matches!(self.mode, Mode::Open) {
            let limit = self.progress.limit();
            if self.window(limit).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Fills and cuts one window. True: nothing is left up to `limit`.
    pub(crate) async fn window(&mut self, limit: Position) -> Result<bool, PipelineError> {
        let end = match self.fill_window(limit.ts).await {
            Ok(end) => end,
            Err(e) if self.probation && e.is_the_plugins() => {
                let window = self.take_window(Position::before(self.progress.newest))?;
                self.park(window, e)?;
                self.tables.window_taken();
                return Ok(true);
            }
            Err(e) => return Err(e),
        };
        let exhausted = matches!(end, ChunkEnd::Exhausted);
        // Inside the transactions at the newest timestamp: nothing at it counts as done.
        let at = if exhausted { limit } else { Position::before(self.progress.newest) };
        self.progress.more = !exhausted;
        let window = self.take_window(at)?;
        self.hand_over(window).await?;
        let idle = self.tables.window_taken();
        if self.parked.is_some() {
            return Ok(true);
        }
        self.drop_schemas(idle).await?;
        Ok(exhausted)
    }

    /// Takes what is mounted out of the tables.
    fn take_window(&mut self, at: Position) -> Result<Window, PipelineError> {
        let mut batches = Vec::new();
        for table in self.tables.with_rows() {
            let Some((version, data)) = self.tables.take(table) else { continue };
            let batch = BatchBuf::new(data).map_err(|source| PipelineError::Format { slot: self.id, source })?;
            batches.push((version, batch));
        }
        let p = &self.progress;
        let between = !p.more || (p.mounted < p.newest && !self.tables.has_held());
        Ok(Window { at, between, batches })
    }

    /// Mounts changes up to `upto` until none is left or the window is full.
    async fn fill_window(&mut self, upto: Ts) -> Result<ChunkEnd, PipelineError> {
        let mut chunk = std::mem::take(&mut self.progress.left);
        let mut end = ChunkEnd::More;
        loop {
            if chunk.is_empty() {
                let (sorter, slot) = (&mut self.sorter, self.id);
                let on_disk = sorter.spilled_bytes() > 0;
                end = may_block(on_disk, || sorter.next_chunk(upto, CHUNK_BYTES, &mut chunk))
                    .map_err(|source| PipelineError::Sorter { slot, source })?;
            }
            self.progress.newest = chunk.last().map_or(self.progress.newest, |s| s.change.commit_ts);
            let (mounted, stopped) = self.mount(&chunk).await;
            if let Some(last) = mounted.checked_sub(1).and_then(|i| chunk.get(i)) {
                self.progress.mounted = last.change.commit_ts;
            }
            chunk.drain(..mounted);
            if let Some(next) = chunk.first() {
                self.progress.newest = next.change.commit_ts;
                self.progress.left = chunk;
                self.progress.more = true;
                return stopped.map_or(Ok(ChunkEnd::More), Err);
            }
            if matches!(end, ChunkEnd::Exhausted) && !self.tables.release_held()? {
                self.progress.left = chunk;
                return Ok(ChunkEnd::More);
            }
            let (rows, bytes) = self.tables.size();
            if matches!(end, ChunkEnd::Exhausted) || rows >= WINDOW_ROWS || bytes >= WINDOW_BYTES {
                // The empty vector keeps its room for the next window.
                self.progress.left = chunk;
                return Ok(end);
            }
        }
    }

    /// Mounts changes until a batch is full; how many it took, and what stopped it at the next one.
    async fn mount(&mut self, chunk: &[SortedChange]) -> (usize, Option<PipelineError>) {
        for (i, sorted) in chunk.iter().enumerate() {
            // Nothing is awaited for most rows.
            if let Some(version) = self.tables.needs_open(sorted.span)
                && let Err(e) = self.open(version).await
            {
                return (i, Some(e));
            }
            match self.tables.mount(sorted.span, &sorted.change) {
                Ok(true) => {}
                Ok(false) => return (i, None),
                Err(e) => {
                    if let Err(e) = self.not_mounted(sorted, e).await {
                        return (i, Some(e));
                    }
                }
            }
        }
        (chunk.len(), None)
    }

    /// A change that cannot be mounted is put aside, if others can be all the same and that is wanted.
    async fn not_mounted(&mut self, sorted: &SortedChange, error: PipelineError) -> Result<(), PipelineError> {
        match (error, self.tables.version(sorted.span)) {
            (PipelineError::Mount { source, .. }, Some(version)) if self.raw_aside && is_one_rows(&source) => {
                self.aside.put_raw(version, &sorted.change, self.progress.cut, source).await
            }
            (error, _) => Err(error),
        }
    }

    /// Opens a version in this window and tells the stages of it.
    async fn open(&mut self, version: Arc<TableVersion>) -> Result<(), PipelineError> {
        let key_updates = self.stages.open(&version).await?;
        let table = version.table;
        let replaced = self.tables.open(version)?;
        self.drop_schemas(replaced).await?;
        if let Some(open) = self.tables.get_mut(table) {
            open.key_updates = key_updates;
        }
        Ok(())
    }
}

/// Whether other rows of the table can be mounted all the same.
const fn is_one_rows(error: &MountError) -> bool {
    matches!(
        error,
        MountError::Key { .. } | MountError::Row { .. } | MountError::Column { .. } | MountError::Checksum { .. }
    )
}
