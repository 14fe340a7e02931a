//! What rows pass between mounting and their lanes: the transforms in order, then the dispatcher.

use crate::aside::{Aside, Refused};
use crate::budget::Budget;
use crate::error::PipelineError;
use crate::ports::PluginSource;
use crate::row_key::same_row_key;
use crate::stats::add;
use crate::tables::KeyUpdates;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;
use tg_model::{Position, SlotId, TableId, TableVersion};
use tg_plugin::{BadEvent, CallError, Decisions, DispatcherPort, LEAVE_OUT, TransformPort};
use tgr1::BatchBuf;

/// The instances of one choice of plugins.
pub(crate) struct StageSet {
    pub(crate) transforms: Vec<Box<dyn TransformPort>>,
    pub(crate) dispatcher: Box<dyn DispatcherPort>,
    /// Where they come from, and others after them.
    pub(crate) plugins: Arc<dyn PluginSource>,
}

impl StageSet {
    pub(crate) async fn open(plugins: &Arc<dyn PluginSource>, slot: SlotId, lanes: u16) -> Result<Self, PipelineError> {
        let failed = |what: &str| {
            let what = format!("{what} of slot {slot}");
            move |source| PipelineError::Start { what, source }
        };
        let transforms = plugins.transforms(slot).await.map_err(failed("the transforms"))?;
        let dispatcher = plugins.dispatcher(slot, lanes).await.map_err(failed("the dispatcher"))?;
        Ok(Self { transforms, dispatcher, plugins: Arc::clone(plugins) })
    }
}

/// Rows of one table version as its lanes are to have them.
pub(crate) struct Routed {
    pub(crate) version: Arc<TableVersion>,
    pub(crate) targets: Arc<[String]>,
    pub(crate) batch: BatchBuf,
    pub(crate) decisions: Decisions,
}

/// A table version that the instances were told of.
struct Told {
    input: Arc<TableVersion>,
    /// What each transform gets; `None`: it wants no rows of the table.
    steps: Vec<(Arc<TableVersion>, bool)>,
    output: Arc<TableVersion>,
    targets: Arc<[String]>,
    key_updates: KeyUpdates,
}

/// The stages of one slot.
pub(crate) struct Stages {
    slot: SlotId,
    lanes: u16,
    set: StageSet,
    told: HashMap<TableId, Told, foldhash::fast::RandomState>,
    aside: Aside,
    budget: Budget,
}

impl Stages {
    pub(crate) fn new(slot: SlotId, lanes: u16, set: StageSet, aside: Aside) -> Self {
        Self { slot, lanes, set, told: HashMap::default(), aside, budget: Budget::default() }
    }

    /// Other instances take over, which have been told nothing yet. Answers those that go.
    pub(crate) fn replace(&mut self, set: StageSet) -> StageSet {
        self.told.clear();
        self.budget = Budget::default();
        std::mem::replace(&mut self.set, set)
    }

    /// The instances are not to be asked again.
    pub(crate) fn forget_all(&mut self) {
        self.told.clear();
    }

    /// Tells the instances of a version, if they have not been told. How key updates are to come.
    pub(crate) async fn open(&mut self, version: &Arc<TableVersion>) -> Result<KeyUpdates, PipelineError> {
        match self.told.get(&version.table) {
            Some(told) if Arc::ptr_eq(&told.input, version) => return Ok(told.key_updates),
            Some(told) => {
                let old = Arc::clone(&told.input);
                self.forget(&old).await?;
            }
            None => {}
        }
        let told = self.tell(version).await?;
        let key_updates = told.key_updates;
        self.told.insert(version.table, told);
        Ok(key_updates)
    }

    async fn tell(&mut self, version: &Arc<TableVersion>) -> Result<Told, PipelineError> {
        let slot = self.slot;
        let mut steps = Vec::with_capacity(self.set.transforms.len());
        let mut at = Arc::clone(version);
        for transform in &mut self.set.transforms {
            let plan = transform.on_schema(Arc::clone(&at)).await;
            let plan = plan.map_err(|source| PipelineError::Transform { slot, source })?;
            steps.push((Arc::clone(&at), plan.active));
            if let Some(output) = plan.output {
                same_row_key(&at, &output)?;
                at = output;
            }
        }
        let failed = |source| PipelineError::Dispatcher { slot, source };
        let plan = self.set.dispatcher.on_schema(Arc::clone(&at)).await.map_err(failed)?;
        if !plan.targets.is_empty() {
            let counts = self.set.plugins.partition_counts(&plan.targets).await;
            let counts = counts.map_err(|source| PipelineError::Partitions { slot, source })?;
            if !counts.is_empty() {
                self.set.dispatcher.partition_counts(&at, &counts).await.map_err(failed)?;
            }
        }
        let key_updates = if plan.split_key_updates { KeyUpdates::Split } else { KeyUpdates::Keep };
        Ok(Told { input: Arc::clone(version), steps, output: at, targets: plan.targets.into(), key_updates })
    }

    /// The version is not used any more.
    pub(crate) async fn forget(&mut self, version: &Arc<TableVersion>) -> Result<(), PipelineError> {
        let slot = self.slot;
        if !self.told.get(&version.table).is_some_and(|t| Arc::ptr_eq(&t.input, version)) {
            return Ok(());
        }
        let Some(told) = self.told.remove(&version.table) else { return Ok(()) };
        for (transform, (input, _)) in self.set.transforms.iter_mut().zip(&told.steps) {
            transform.drop_schema(input).await.map_err(|source| PipelineError::Transform { slot, source })?;
        }
        let dropped = self.set.dispatcher.drop_schema(&told.output).await;
        dropped.map_err(|source| PipelineError::Dispatcher { slot, source })
    }

    /// Takes rows through all stages. Instances that are stopped over them are started anew; rows that stop them again and again
    /// are put aside. With `mend` off
    /// the first stop, and the first row that is refused, is the error.
    pub(crate) async fn run(
        &mut self,
        version: &Arc<TableVersion>,
        batch: &BatchBuf,
        at: Position,
        mend: bool,
    ) -> Result<Vec<Routed>, PipelineError> {
        if !mend {
            let store = self.aside.store.take();
            let passed = self.pass(version, batch, at).await;
            self.aside.store = store;
            return passed.map(|routed| routed.into_iter().collect());
        }
        for _ in 0..2 {
            match self.pass(version, batch, at).await {
                Ok(routed) => {
                    self.budget.worked();
                    return Ok(routed.into_iter().collect());
                }
                Err(e) if e.stopped_plugin().is_some() => self.restart(e).await?,
                Err(e) => return Err(e),
            }
        }
        self.bisect(version, batch, at).await
    }

    /// Twice in the same rows: half by half, until the rows are found that do it.
    async fn bisect(
        &mut self,
        version: &Arc<TableVersion>,
        batch: &BatchBuf,
        at: Position,
    ) -> Result<Vec<Routed>, PipelineError> {
        let mut out = Vec::new();
        let mut pieces = halves(0..batch.len() as u32);
        while let Some(piece) = pieces.pop() {
            let part = tgr1::select(&batch.batch(), piece.clone()).and_then(BatchBuf::new);
            let part = part.map_err(|source| PipelineError::Format { slot: self.slot, source })?;
            match self.pass(version, &part, at).await {
                Ok(routed) => {
                    self.budget.worked();
                    out.extend(routed);
                }
                Err(e) if e.stopped_plugin().is_some() => {
                    let fault = e.stopped_plugin().map(poison);
                    self.restart(e).await?;
                    if piece.len() > 1 {
                        pieces.extend(halves(piece));
                    } else if let Some((by, bad)) = fault {
                        let rows = &[bad];
                        self.aside.put(Refused { by: &by, version, batch: &part, rows, position: at }).await?;
                        self.budget.worked();
                    }
                }
                Err(e) => return Err(e),
            }
        }
        Ok(out)
    }

    /// Fresh instances in place of those that were stopped.
    async fn restart(&mut self, error: PipelineError) -> Result<(), PipelineError> {
        add(&self.aside.stats.plugin_stops, 1);
        let Some(wait) = self.budget.stopped(Instant::now()) else { return Err(error) };
        tracing::warn!(slot = self.slot.0, error = %error, "a plugin was stopped; it is started anew");
        tokio::time::sleep(wait).await;
        let fresh = StageSet::open(&self.set.plugins, self.slot, self.lanes).await?;
        self.told.clear();
        self.set = fresh;
        Ok(())
    }

    /// Takes rows through once; those that are refused are an error, and nothing is put aside.
    pub(crate) async fn try_one(
        &mut self,
        version: &Arc<TableVersion>,
        batch: &BatchBuf,
        at: Position,
    ) -> Result<Option<Routed>, PipelineError> {
        match self.run(version, batch, at, false).await {
            Err(e) if e.stopped_plugin().is_some() => {
                let again = e.to_string();
                tracing::warn!(slot = self.slot.0, error = %again, "a plugin was stopped over a row from the quarantine");
                self.set = StageSet::open(&self.set.plugins, self.slot, self.lanes).await?;
                self.told.clear();
                Err(e)
            }
            passed => passed.map(|routed| routed.into_iter().next()),
        }
    }

    async fn pass(
        &mut self,
        version: &Arc<TableVersion>,
        batch: &BatchBuf,
        at: Position,
    ) -> Result<Option<Routed>, PipelineError> {
        self.open(version).await?;
        let Some(told) = self.told.get(&version.table) else { return Ok(None) };
        let (slot, aside) = (self.slot, &self.aside);
        // What is put aside is the row as it was mounted.
        let refuse = |by, rows: Vec<BadEvent>| async move {
            aside.put(Refused { by, version, batch, rows: &rows, position: at }).await
        };
        let (mut now, mut origins) = (batch.clone(), None);
        for (transform, (_, active)) in self.set.transforms.iter_mut().zip(&told.steps) {
            if !active {
                continue;
            }
            let made = transform.transform(&now).await;
            let made = made.map_err(|source| PipelineError::Transform { slot, source })?;
            refuse("transform", traced(made.quarantined, origins.as_deref())).await?;
            let Some(next) = made.batch else { return Ok(None) };
            now = next;
            origins = Some(composed(made.origins, origins.as_deref()));
        }
        let decided = self.set.dispatcher.dispatch(&now).await;
        let mut decisions = decided.map_err(|source| PipelineError::Dispatcher { slot, source })?;
        let refused = std::mem::take(&mut decisions.quarantined);
        leave_out(&mut decisions, &refused, now.len());
        refuse("dispatcher", traced(refused, origins.as_deref())).await?;
        let (version, targets) = (Arc::clone(&told.output), Arc::clone(&told.targets));
        Ok(Some(Routed { version, targets, batch: now, decisions }))
    }
}

/// The rows that these came from, two steps back.
fn composed(origins: Vec<u32>, before: Option<&[u32]>) -> Vec<u32> {
    match before {
        None => origins,
        Some(before) => origins.into_iter().map(|i| before.get(i as usize).copied().unwrap_or(i)).collect(),
    }
}

/// The same events, of the rows as they were mounted.
fn traced(bad: Vec<BadEvent>, origins: Option<&[u32]>) -> Vec<BadEvent> {
    let row = |row: u32| origins.map_or(row, |o| o.get(row as usize).copied().unwrap_or(row));
    bad.into_iter().map(|b| BadEvent { row: row(b.row), ..b }).collect()
}

/// Rows that were put aside go to no lane.
fn leave_out(decisions: &mut Decisions, rows: &[BadEvent], count: usize) {
    if rows.is_empty() {
        return;
    }
    decisions.lanes.resize(count, 0);
    for bad in rows {
        if let Some(lane) = decisions.lanes.get_mut(bad.row as usize) {
            *lane = LEAVE_OUT;
        }
    }
}

/// Both halves, the first one last: pieces are taken from the end.
pub(crate) fn halves(piece: Range<u32>) -> Vec<Range<u32>> {
    if piece.len() < 2 {
        return vec![piece];
    }
    let middle = piece.start + piece.len() as u32 / 2;
    vec![middle..piece.end, piece.start..middle]
}

/// Who was stopped by a single row, and the row as if it had been refused.
pub(crate) fn poison(error: &CallError) -> (String, BadEvent) {
    let code = tg_model::Coded::code(error).to_string();
    (error.plugin.to_string(), BadEvent { row: 0, code, message: error.to_string() })
}
