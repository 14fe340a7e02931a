//! The instance beside the lanes: schema files of DDL, the checkpoint, cleaning up.

use crate::chain::Chain;
use crate::cleanup::Cleanup;
use crate::config::Config;
use crate::folders::settled;
use crate::versions::Versions;
use tg_format_storage::{METADATA, checkpoint_text, lane_folder};
use tidegate_sdk::object_store::{Bucket, PutMode};
use tidegate_sdk::{Context, DdlEvent, Failure, Position, clock};

/// Least time between two writes of the checkpoint.
const CHECKPOINT_NS: u64 = 2_000_000_000;
/// Bits of a timestamp below the milliseconds.
const LOGICAL_BITS: u32 = 18;

/// See the module.
pub(crate) struct Keeper {
    bucket: Bucket,
    versions: Versions,
    chain: Option<Chain>,
    cleanup: Option<Cleanup>,
    /// The checkpoint to write, if it is not written.
    due: Option<u64>,
    written: u64,
    written_ns: Option<u64>,
}

impl Keeper {
    pub(crate) fn open(bucket: Bucket, config: &Config, ctx: &Context) -> Result<Self, Failure> {
        config.format()?;
        let chain = if config.exactly_once {
            let folder = lane_folder(&ctx.changefeed, &config.incarnation, &format!("{}-ddl", ctx.slot));
            let writer = format!("{:x}-{:x}", clock::wall_ms(), clock::monotonic_ns());
            Some(Chain::claim(&bucket, folder, ctx.epoch, writer)?.0)
        } else {
            None
        };
        Ok(Self {
            versions: Versions::new(config.output_column_id),
            chain,
            cleanup: Cleanup::new(config)?,
            due: None,
            written: 0,
            written_ns: None,
            bucket,
        })
    }

    pub(crate) fn on_ddl(&mut self, ddl: &DdlEvent) -> Result<(), Failure> {
        self.versions.describe(&self.bucket, ddl)
    }

    pub(crate) fn on_checkpoint(&mut self, at: Position) -> Result<(), Failure> {
        // Before the rows at a timestamp are done, all below it is.
        let ts = if at.stage == 0 { at.ts.saturating_sub(1) } else { at.ts };
        if ts > self.written {
            self.due = Some(ts);
        }
        self.write_checkpoint()
    }

    fn write_checkpoint(&mut self) -> Result<(), Failure> {
        let now = clock::monotonic_ns();
        let Some(ts) = self.due else { return Ok(()) };
        if self.written_ns.is_some_and(|then| now.saturating_sub(then) < CHECKPOINT_NS) {
            return Ok(());
        }
        // A writer that was replaced must not take the checkpoint back.
        if let Some(chain) = &mut self.chain {
            chain.check(&self.bucket)?;
        }
        let put = self.bucket.put(METADATA, checkpoint_text(ts).as_bytes(), &PutMode::Overwrite);
        put.map_err(settled)?;
        (self.due, self.written, self.written_ns) = (None, ts, Some(now));
        Ok(())
    }

    pub(crate) fn on_tick(&mut self) -> Result<(), Failure> {
        self.write_checkpoint()?;
        let checkpoint_ms = self.written >> LOGICAL_BITS;
        match &mut self.cleanup {
            Some(cleanup) if checkpoint_ms > 0 => cleanup.tick(&self.bucket, clock::wall_ms(), checkpoint_ms),
            _ => Ok(()),
        }
    }
}
