//! The instance that writes the rows of one lane.

use crate::chain::{Before, Chain};
use crate::config::Config;
use crate::content::{Content, Rows};
use crate::outbox::Outbox;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_format_common::EncodeError;
use tg_format_storage::lane_folder;
use tgr1::{Batch, Row};
use tidegate_sdk::object_store::Bucket;
use tidegate_sdk::{BadEvent, Context, Failure, Position, TablePlan, TableRef, TableSchema, WriteOutcome, clock};

/// Bytes of files that are held; above it files are written before a flush asks for it.
const HELD_BYTES_MAX: usize = 32 << 20;
/// Bytes of rows after which a flush is wanted.
const FLUSH_BYTES_MAX: u64 = 32 << 20;
/// Rows after which a flush is wanted.
const FLUSH_ROWS_MAX: u32 = 4 << 20;
/// A request that nobody waits for any more arrives within this time or never.
const LATE_NS: u64 = 120_000_000_000;

/// Rows of one table version on their way into a file.
struct Output {
    schema: Arc<TableSchema>,
    /// `None`: nothing has come since the last file.
    content: Option<Content>,
    rows: u64,
}

/// See the module.
pub(crate) struct Lane {
    bucket: Bucket,
    rows: Rows,
    file_size: usize,
    /// `None`: no manifests are kept.
    chain: Option<Chain>,
    outbox: Outbox,
    tables: BTreeMap<TableRef, Output>,
    /// When what requests of before may have done since is set right.
    late_ns: Option<u64>,
    position: Option<Position>,
}

impl Lane {
    pub(crate) fn open(bucket: Bucket, config: &Config, ctx: &Context) -> Result<(Self, Option<Position>), Failure> {
        let name = format!("{}-{}", ctx.slot, ctx.lane);
        // Rows of a table are in one slot: with one lane, one writer has its folders for itself.
        let writer = (ctx.lanes > 1).then(|| name.clone());
        let mut lane = Self {
            rows: Rows::new(config.format()?, &config.terminator),
            file_size: usize::try_from(config.file_size).unwrap_or(usize::MAX).max(1),
            chain: None,
            outbox: Outbox::new(config, writer)?,
            tables: BTreeMap::new(),
            late_ns: None,
            position: None,
            bucket,
        };
        if config.exactly_once {
            let folder = lane_folder(&ctx.changefeed, &config.incarnation, &name);
            let before = lane.claim(folder, ctx.epoch)?;
            lane.position = before.position;
        }
        let position = lane.position;
        Ok((lane, position))
    }

    /// Becomes the lane's owner, and finishes or takes back what the owner before left half done.
    fn claim(&mut self, folder: String, epoch: (u64, u64)) -> Result<Before, Failure> {
        let writer = format!("{:x}-{:x}", clock::wall_ms(), clock::monotonic_ns());
        let (chain, before) = Chain::claim(&self.bucket, folder, epoch, writer)?;
        self.outbox.publish_before(&self.bucket, &before.committed)?;
        self.outbox.take_back(&self.bucket, &before.unsure)?;
        self.chain = Some(chain);
        Ok(before)
    }

    pub(crate) fn on_schema(&mut self, schema: Arc<TableSchema>) -> Result<TablePlan, Failure> {
        self.rows.table(Arc::clone(&schema)).map_err(|e| fatal(&e))?;
        let id = schema.id;
        self.tables.insert(id, Output { schema, content: None, rows: 0 });
        Ok(TablePlan {
            batch_rows: Some(FLUSH_ROWS_MAX),
            batch_bytes: Some((self.file_size as u64).min(FLUSH_BYTES_MAX) as u32),
            ..TablePlan::default()
        })
    }

    pub(crate) fn drop_schema(&mut self, table: TableRef) {
        // What cannot be closed stays, and the next flush says so.
        if self.close(table).is_ok() {
            self.tables.remove(&table);
        }
        self.rows.drop_table(table);
    }

    /// Hands the rows of a table over to its next file.
    fn close(&mut self, table: TableRef) -> Result<(), EncodeError> {
        if let Some(output) = self.tables.get_mut(&table).filter(|o| o.rows > 0)
            && let Some(content) = &mut output.content
        {
            let data = content.finish()?;
            self.outbox.push(&output.schema, data, std::mem::take(&mut output.rows));
            output.content = None;
        }
        Ok(())
    }

    fn held_bytes(&self) -> usize {
        let open = self.tables.values().filter_map(|o| o.content.as_ref());
        self.outbox.len_bytes() + open.map(Content::len_bytes).sum::<usize>()
    }

    pub(crate) fn write(&mut self, table: TableRef, data: &[u8]) -> Result<WriteOutcome, Failure> {
        // Before anything of this batch is taken, so that a failure means that nothing was.
        if self.held_bytes() > HELD_BYTES_MAX {
            self.close_all()?;
            self.store()?;
        }
        let batch = Batch::parse(data)?;
        let now = clock::wall_ms();
        let mut outcome = WriteOutcome::default();
        for (row, at) in batch.iter().zip(0..) {
            match self.row(table, &row, now) {
                Ok(()) => {}
                Err(e @ (EncodeError::TooLarge { .. } | EncodeError::NoKey { .. } | EncodeError::Value { .. })) => {
                    let code = format!("storage-{}", e.code());
                    outcome.quarantined.push(BadEvent { row: at, code, message: e.to_string() });
                }
                Err(e) => return Err(fatal(&e)),
            }
        }
        outcome.buffered_bytes = self.held_bytes() as u64;
        Ok(outcome)
    }

    fn row(&mut self, table: TableRef, row: &Row<'_>, now: u64) -> Result<(), EncodeError> {
        let unknown = EncodeError::UnknownTable { table: table.table, version: table.version };
        let output = self.tables.get_mut(&table).ok_or(unknown)?;
        let content = match &mut output.content {
            Some(content) => content,
            none => none.insert(self.rows.open(table)?),
        };
        self.rows.row(table, row, now, content)?;
        output.rows += 1;
        if content.len_bytes() >= self.file_size { self.close(table) } else { Ok(()) }
    }

    fn close_all(&mut self) -> Result<(), Failure> {
        let filled: Vec<TableRef> = self.tables.iter().filter(|(_, o)| o.rows > 0).map(|(id, _)| *id).collect();
        filled.into_iter().try_for_each(|table| self.close(table)).map_err(|e| fatal(&e))
    }

    /// Writes closed files, which do not count yet.
    fn store(&mut self) -> Result<(), Failure> {
        self.outbox.write(&self.bucket, self.chain.as_mut())
    }

    pub(crate) fn flush(&mut self, at: Position) -> Result<(), Failure> {
        self.close_all()?;
        self.store()?;
        self.outbox.commit(&self.bucket, self.chain.as_mut(), at)?;
        self.position = self.chain.as_ref().map(Chain::position).filter(|p| *p > Position::default());
        self.outbox.publish(&self.bucket)
    }

    pub(crate) fn status(&mut self) -> Result<Option<Position>, Failure> {
        if let Some(chain) = &mut self.chain
            && chain.settle(&self.bucket)?
        {
            self.position = Some(chain.position());
            self.outbox.committed();
            self.outbox.publish(&self.bucket)?;
        }
        Ok(self.position)
    }

    pub(crate) fn on_tick(&mut self) -> Result<(), Failure> {
        let now = clock::monotonic_ns();
        if !self.outbox.has_late() {
            self.late_ns = None;
            return Ok(());
        }
        if now < *self.late_ns.get_or_insert(now.saturating_add(LATE_NS)) {
            return Ok(());
        }
        self.late_ns = None;
        self.outbox.settle_late(&self.bucket)
    }
}

fn fatal(e: &EncodeError) -> Failure {
    Failure::fatal(e.code(), e.to_string())
}
