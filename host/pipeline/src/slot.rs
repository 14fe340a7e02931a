//! A slot: merges its spans in commit order, cuts windows, asks the dispatcher, feeds the lanes, reports progress.

use crate::error::PipelineError;
use crate::frontier::Frontier;
use crate::lane::{LaneBatch, LaneReport, LaneWork};
use crate::lane_cursor::LaneCursor;
use crate::stats::{Stats, add};
use crate::tables::{KeyUpdates, Tables};
use crate::windows::Windows;
use std::collections::HashMap;
use std::sync::Arc;
use tg_model::{LaneId, Position, SlotId, SpanId, TableVersion, Ts};
use tg_plugin::DispatcherPort;
use tg_sorter::{ChunkEnd, SortedChange, Sorter};
use tg_upstream::{FeedEvent, FeedReceiver};
use tgr1::{BatchBuf, Route};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc;

/// Most feed events taken between two looks at commands and acknowledgements.
const FEED_BURST_EVENTS: usize = 256;
/// Bytes of changes taken from the sorter at once.
const CHUNK_BYTES: usize = 256 << 10;
/// Rows that close a window.
const WINDOW_ROWS: u64 = 8_192;
/// Bytes of batches that close a window.
const WINDOW_BYTES: usize = 2 << 20;
/// With more than this in memory, or anything on disk, a sorter's calls may wait for the disk.
const SORTER_CALM_BYTES: usize = 8 << 20;

/// What the feed tells a slot.
pub(crate) enum SlotCommand {
    AddSpan { span: SpanId, version: Arc<TableVersion>, start: Ts },
    SetVersion { span: SpanId, version: Arc<TableVersion> },
    RemoveSpan { span: SpanId },
    Emit(Position),
    Tick,
}

/// What a slot tells the feed.
pub(crate) enum SlotReport {
    Progress { slot: SlotId, applied: u64, resolved: Ts, checkpoint: Position },
    Failed(PipelineError),
}

/// One lane as its slot sees it.
pub(crate) struct LaneEnd {
    pub(crate) work: mpsc::Sender<LaneWork>,
    pub(crate) cursor: LaneCursor,
}

pub(crate) struct Slot {
    pub(crate) id: SlotId,
    pub(crate) feed: FeedReceiver,
    pub(crate) commands: mpsc::UnboundedReceiver<SlotCommand>,
    pub(crate) lane_reports: mpsc::UnboundedReceiver<LaneReport>,
    pub(crate) reports: mpsc::UnboundedSender<SlotReport>,
    pub(crate) sorter: Sorter,
    pub(crate) tables: Tables,
    pub(crate) dispatcher: Box<dyn DispatcherPort>,
    pub(crate) lanes: Vec<LaneEnd>,
    /// Rows with a commit-ts at or below this may have been handed over before the start.
    pub(crate) replay_until: Ts,
    pub(crate) stats: Arc<Stats>,
    pub(crate) progress: Progress,
}

/// Where the slot stands.
pub(crate) struct Progress {
    pub(crate) windows: Windows,
    pub(crate) frontier: Frontier,
    /// Span commands applied.
    applied: u64,
    /// Rows may leave up to here.
    upto: Position,
    /// Rows have been cut up to here.
    cut: Position,
    last_report: Option<(u64, Ts, Position)>,
    /// The sorter may hold more rows below the limit.
    more: bool,
    /// Everything below has been mounted; at it there may be more.
    newest: Ts,
    /// Taken from the sorter, and for the next window because a batch was full. Empty otherwise.
    left: Vec<SortedChange>,
}

impl Progress {
    pub(crate) fn new(slots: u16, lanes: u16, start: Position) -> Self {
        Self {
            windows: Windows::new(slots, lanes, start),
            frontier: Frontier::default(),
            applied: 0,
            upto: start,
            cut: start,
            last_report: None,
            more: false,
            newest: Ts::ZERO,
            left: Vec::new(),
        }
    }

    /// How far rows may leave now: as told, and as far as the slot's own spans are resolved.
    fn limit(&self) -> Position {
        self.upto.min(Position::rows(self.frontier.min()))
    }
}

impl Slot {
    /// Runs until the feed drops its ends, or an error is final.
    pub(crate) async fn run(mut self) {
        if let Err(error) = self.serve().await {
            let _ = self.reports.send(SlotReport::Failed(error));
        }
    }

    async fn serve(&mut self) -> Result<(), PipelineError> {
        let mut events = Vec::with_capacity(FEED_BURST_EVENTS);
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.command(command).await?,
                    None => return Ok(()),
                },
                Some(report) = self.lane_reports.recv() => self.lane_report(report)?,
                () = self.feed.recv_many(&mut events, FEED_BURST_EVENTS) => {
                    self.drain_commands().await?;
                    may_block(self.uses_disk(), || events.drain(..).try_for_each(|event| self.feed_event(event)))?;
                }
            }
            self.drain_commands().await?;
            while let Ok(report) = self.lane_reports.try_recv() {
                self.lane_report(report)?;
            }
            self.pump().await?;
            self.report();
        }
    }

    async fn drain_commands(&mut self) -> Result<(), PipelineError> {
        while let Ok(command) = self.commands.try_recv() {
            self.command(command).await?;
        }
        Ok(())
    }

    async fn command(&mut self, command: SlotCommand) -> Result<(), PipelineError> {
        match command {
            SlotCommand::AddSpan { span, version, start } => {
                self.sorter.add_span(span, version.table);
                self.progress.frontier.add(span, start);
                let unused = self.tables.set(span, version);
                self.drop_schemas(unused).await?;
                self.progress.applied += 1;
            }
            SlotCommand::SetVersion { span, version } => {
                let unused = self.tables.set(span, version);
                self.drop_schemas(unused).await?;
            }
            SlotCommand::RemoveSpan { span } => {
                self.sorter.remove_span(span);
                self.progress.frontier.remove(span);
                let unused = self.tables.remove(span);
                self.drop_schemas(unused).await?;
                self.progress.applied += 1;
            }
            SlotCommand::Emit(upto) => self.progress.upto = self.progress.upto.max(upto),
            SlotCommand::Tick => {
                let upto = self.progress.windows.done().checkpoint_ts();
                may_block(self.uses_disk(), || self.sorter.forget(upto));
            }
        }
        Ok(())
    }

    fn uses_disk(&self) -> bool {
        self.sorter.spilled_bytes() > 0 || self.sorter.pending_bytes() > SORTER_CALM_BYTES
    }

    /// Tells the dispatcher of versions that are not used any more.
    async fn drop_schemas(&mut self, unused: impl IntoIterator<Item = Arc<TableVersion>>) -> Result<(), PipelineError> {
        for version in unused {
            let dropped = self.dispatcher.drop_schema(&version).await;
            dropped.map_err(|source| PipelineError::Dispatcher { slot: self.id, source })?;
        }
        Ok(())
    }

    fn feed_event(&mut self, event: FeedEvent) -> Result<(), PipelineError> {
        match event {
            FeedEvent::Changes { span, changes, weight_bytes } => {
                add(&self.stats.rows_in, changes.len() as u64);
                add(&self.stats.bytes_in, weight_bytes as u64);
                self.sorter.push(span, changes).map_err(|source| PipelineError::Sorter { slot: self.id, source })?;
            }
            FeedEvent::Resolved { span, ts } => self.progress.frontier.advance(span, ts),
            FeedEvent::Initialized { .. } => add(&self.stats.spans_initialized, 1),
            FeedEvent::Failed { span, error } => {
                // A feed that failed while its span was being removed is nobody's loss.
                let Some(version) = self.tables.version(span) else { return Ok(()) };
                let table = format!("{}.{}", version.schema, version.name);
                return Err(PipelineError::Upstream { table, source: error });
            }
        }
        Ok(())
    }

    fn lane_report(&mut self, report: LaneReport) -> Result<(), PipelineError> {
        match report {
            LaneReport::Durable { lane, window } => self.progress.windows.acknowledged(lane, window),
            LaneReport::Failed { error } => return Err(error),
        }
        Ok(())
    }

    /// Cuts windows while there is something to cut and room for it.
    async fn pump(&mut self) -> Result<(), PipelineError> {
        let limit = self.progress.limit();
        if limit <= self.progress.cut && !self.progress.more {
            return Ok(());
        }
        while self.progress.windows.has_room() {
            let limit = self.progress.limit();
            let end = self.fill_window(limit.ts).await?;
            match end {
                ChunkEnd::Exhausted => {
                    self.cut(limit).await?;
                    self.progress.more = false;
                    return Ok(());
                }
                // Inside the transactions at the newest timestamp: nothing at it counts as done.
                ChunkEnd::More => {
                    self.cut(Position::before(self.progress.newest)).await?;
                    self.progress.more = true;
                }
            }
        }
        Ok(())
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
            let mounted = self.mount(&chunk).await?;
            chunk.drain(..mounted);
            if let Some(next) = chunk.first() {
                self.progress.newest = next.change.commit_ts;
                self.progress.left = chunk;
                return Ok(ChunkEnd::More);
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

    /// Mounts changes until a batch is full; how many it took.
    async fn mount(&mut self, chunk: &[SortedChange]) -> Result<usize, PipelineError> {
        for (i, sorted) in chunk.iter().enumerate() {
            if let Some(version) = self.tables.needs_open(sorted.span) {
                self.open(version).await?;
            }
            if !self.tables.mount(sorted.span, &sorted.change)? {
                return Ok(i);
            }
        }
        Ok(chunk.len())
    }

    /// Opens a version in this window and tells the dispatcher of it.
    async fn open(&mut self, version: Arc<TableVersion>) -> Result<(), PipelineError> {
        let table = version.table;
        let replaced = self.tables.open(version)?;
        self.drop_schemas(replaced).await?;
        let Some(open) = self.tables.get_mut(table) else { return Ok(()) };
        let plan = self
            .dispatcher
            .on_schema(Arc::clone(&open.version))
            .await
            .map_err(|source| PipelineError::Dispatcher { slot: self.id, source })?;
        open.key_updates = if plan.split_key_updates { KeyUpdates::Split } else { KeyUpdates::Keep };
        Ok(())
    }

    /// Closes the window at `at` and hands its rows to the lanes.
    async fn cut(&mut self, at: Position) -> Result<(), PipelineError> {
        let mut work: HashMap<LaneId, Vec<LaneBatch>> = HashMap::new();
        for table in self.tables.with_rows() {
            let Some((version, data)) = self.tables.take(table) else { continue };
            self.dispatch(version, data, &mut work).await?;
        }
        let idle = self.tables.window_taken();
        self.drop_schemas(idle).await?;
        self.progress.cut = self.progress.cut.max(at);
        let bytes = work.values().flatten().map(|b| b.batch.len_bytes()).sum();
        let window = self.progress.windows.cut(at, bytes, work.keys().copied());
        add(&self.stats.windows, 1);
        for (lane, batches) in work {
            let end = &self.lanes[usize::from(lane.0)];
            let item = LaneWork { window, upto: end.cursor.position(at), batches };
            // Never waits: a lane's channel has room for every window that may be in flight.
            if end.work.send(item).await.is_err() {
                return self.lane_reports.recv().await.map_or(Ok(()), |r| self.lane_report(r));
            }
        }
        Ok(())
    }

    async fn dispatch(
        &mut self,
        version: Arc<TableVersion>,
        data: Vec<u8>,
        work: &mut HashMap<LaneId, Vec<LaneBatch>>,
    ) -> Result<(), PipelineError> {
        let mut batch = BatchBuf::new(data).map_err(|source| PipelineError::Format { slot: self.id, source })?;
        let decided = self
            .dispatcher
            .dispatch(&batch)
            .await
            .map_err(|source| PipelineError::Dispatcher { slot: self.id, source })?;
        if !decided.quarantined.is_empty() {
            return Err(PipelineError::refused_row(&version, &batch, &decided.quarantined));
        }
        mark_repeated(&mut batch, self.replay_until);
        let routes = Routes { lanes: &decided.lanes, targets: &decided.targets, partitions: &decided.partitions };
        routes.write_into(&mut batch);
        add(&self.stats.rows_out, batch.batch().len() as u64);
        add(&self.stats.bytes_out, batch.len_bytes() as u64);
        self.split(&version, batch, &decided.lanes, work)
    }

    /// Gives every lane its rows, less those its store holds already.
    fn split(
        &mut self,
        version: &Arc<TableVersion>,
        batch: BatchBuf,
        lanes: &[u16],
        work: &mut HashMap<LaneId, Vec<LaneBatch>>,
    ) -> Result<(), PipelineError> {
        let rows = batch.batch().len();
        let mut chosen: Vec<Vec<u32>> = vec![Vec::new(); self.lanes.len()];
        let mut skipped = 0;
        for (i, row) in batch.batch().iter().enumerate() {
            let lane = lanes.get(i).copied().unwrap_or(0);
            if lane == tg_plugin::LEAVE_OUT {
                continue;
            }
            if self.lanes[usize::from(lane)].cursor.admit(Ts::new(row.commit_ts())) {
                chosen[usize::from(lane)].push(i as u32);
            } else {
                skipped += 1;
            }
        }
        add(&self.stats.rows_skipped, skipped);
        let whole = Arc::new(batch);
        for (lane, picked) in chosen.into_iter().enumerate() {
            if picked.is_empty() {
                continue;
            }
            let part = if picked.len() == rows {
                Arc::clone(&whole)
            } else {
                let data = tgr1::select(&whole.batch(), picked)
                    .and_then(BatchBuf::new)
                    .map_err(|source| PipelineError::Format { slot: self.id, source })?;
                Arc::new(data)
            };
            let batches = work.entry(LaneId(lane as u16)).or_default();
            batches.push(LaneBatch { version: Arc::clone(version), batch: part });
        }
        Ok(())
    }

    fn report(&mut self) {
        let p = &mut self.progress;
        let now = (p.applied, p.frontier.min(), p.windows.done());
        if p.last_report != Some(now) {
            p.last_report = Some(now);
            let (applied, resolved, checkpoint) = now;
            let _ = self.reports.send(SlotReport::Progress { slot: self.id, applied, resolved, checkpoint });
        }
    }
}

/// Runs work that may wait for the disk so that other tasks of this thread go on meanwhile, where the runtime has other threads.
fn may_block<R>(waits: bool, work: impl FnOnce() -> R) -> R {
    let others = || Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    if waits && others() { tokio::task::block_in_place(work) } else { work() }
}

/// Marks the rows that may have been handed over before the start.
fn mark_repeated(batch: &mut BatchBuf, until: Ts) {
    if batch.batch().commit_ts_range().0 > until.get() {
        return;
    }
    for i in 0..batch.len() {
        let flags = batch.batch().row(i).filter(|r| r.commit_ts() <= until.get()).map(|r| r.flags());
        if let Some(flags) = flags {
            batch.set_row_flags(i, flags | tgr1::row_flags::MAYBE_REPEATED);
        }
    }
}

/// A dispatcher's answer as row headers.
struct Routes<'a> {
    lanes: &'a [u16],
    targets: &'a [u16],
    partitions: &'a [u32],
}

impl Routes<'_> {
    fn write_into(&self, batch: &mut BatchBuf) {
        if self.lanes.is_empty() && self.targets.is_empty() && self.partitions.is_empty() {
            return;
        }
        for i in 0..batch.batch().len() {
            let lane = self.lanes.get(i).copied().unwrap_or(0);
            let target = self.targets.get(i).copied().unwrap_or(0);
            let partition = self.partitions.get(i).copied().unwrap_or(0);
            batch.set_route(i, Route { lane, target, partition });
        }
    }
}
