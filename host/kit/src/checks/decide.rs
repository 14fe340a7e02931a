//! Asking dispatchers and transforms, whose answers are all there is to them.

use crate::corpus::{Change, Corpus, Event, batch};
use crate::sink::{Broken, Schedule};
use crate::subject::Subject;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::TableVersion;
use tg_plugin::{
    Decisions, DispatchPlan, DispatcherInstance, DispatcherPort, InstanceSpec, Kind, TransformInstance, TransformPlan,
    TransformPort,
};
use tgr1::{BatchBuf, Op, row_flags};

/// What became of one row: a text to compare by.
pub(super) type Answer = String;

enum Port {
    Dispatcher(DispatcherInstance),
    Transform(TransformInstance),
}

/// A started dispatcher or transform.
pub(crate) struct Answers {
    port: Port,
    dispatch: BTreeMap<(i64, u64), DispatchPlan>,
    transform: BTreeMap<(i64, u64), TransformPlan>,
}

fn name(v: &TableVersion) -> (i64, u64) {
    (v.table.0, v.since.get())
}

impl Answers {
    pub(crate) async fn open(subject: &Subject) -> Result<Self, Broken> {
        Self::with_config(subject, &subject.settings.config).await
    }

    pub(super) async fn with_config(subject: &Subject, config: &str) -> Result<Self, Broken> {
        let spec = InstanceSpec { config: config.to_owned(), ..subject.spec(0, 1, None) };
        let failed = |e| Broken::call("`open`", e);
        let port = match subject.kind() {
            Kind::Transform => Port::Transform(TransformInstance::open(&subject.plugin, &spec).await.map_err(failed)?),
            _ => Port::Dispatcher(DispatcherInstance::open(&subject.plugin, &spec).await.map_err(failed)?),
        };
        Ok(Self { port, dispatch: BTreeMap::new(), transform: BTreeMap::new() })
    }

    pub(crate) async fn announce(&mut self, version: &Arc<TableVersion>) -> Result<(), Broken> {
        if self.dispatch.contains_key(&name(version)) || self.transform.contains_key(&name(version)) {
            return Ok(());
        }
        let failed = |e| Broken::call(format!("`on-schema` of {}.{}", version.schema, version.name), e);
        match &mut self.port {
            Port::Dispatcher(d) => {
                let plan = d.on_schema(Arc::clone(version)).await.map_err(failed)?;
                if !plan.targets.is_empty() {
                    let counts = vec![3; plan.targets.len()];
                    let told = d.partition_counts(version, &counts).await;
                    told.map_err(|e| Broken::call("`partition-counts`", e))?;
                }
                self.dispatch.insert(name(version), plan);
            }
            Port::Transform(t) => {
                let plan = t.on_schema(Arc::clone(version)).await.map_err(failed)?;
                self.transform.insert(name(version), plan);
            }
        }
        Ok(())
    }

    /// Whether rows of the table are handed to a transform.
    pub(super) fn is_active(&self, version: &TableVersion) -> bool {
        self.transform.get(&name(version)).is_some_and(|p| p.active)
    }

    /// The table as those behind see it; `None`: as it was.
    pub(super) fn output(&self, version: &TableVersion) -> Option<&Arc<TableVersion>> {
        self.transform.get(&name(version))?.output.as_ref()
    }

    pub(super) const fn transform(&mut self) -> Option<&mut TransformInstance> {
        if let Port::Transform(t) = &mut self.port { Some(t) } else { None }
    }

    /// Where rows go; `None`: it is no dispatcher.
    pub(super) async fn decide(&mut self, made: &Arc<BatchBuf>) -> Result<Option<Decisions>, Broken> {
        let Port::Dispatcher(d) = &mut self.port else { return Ok(None) };
        let decided = d.dispatch(made).await;
        decided.map(Some).map_err(|e| Broken::call(format!("`dispatch` of {} rows", made.len()), e))
    }

    /// Asks, and drops the answer: for measuring.
    pub(crate) async fn ask_only(&mut self, made: &Arc<BatchBuf>) -> Result<(), Broken> {
        match &mut self.port {
            Port::Dispatcher(d) => d.dispatch(made).await.map(|_| ()),
            Port::Transform(t) => t.transform(made).await.map(|_| ()),
        }
        .map_err(|e| Broken::call(format!("a call with {} rows", made.len()), e))
    }

    /// Name of a target of a table's plan.
    pub(super) fn target(&self, version: &TableVersion, n: u16) -> Option<String> {
        self.dispatch.get(&name(version))?.targets.get(usize::from(n)).cloned()
    }

    /// Rows as they reach the plugin: updates that change the key in halves, where that is asked for.
    pub(super) fn as_handed(&self, row: &Change) -> Vec<Change> {
        let split = self.dispatch.get(&name(&row.table)).is_some_and(|p| p.split_key_updates);
        let key = |image: &Option<Vec<crate::corpus::Cell>>| {
            let of = |i: &u32| image.as_ref().and_then(|cells| cells.get(*i as usize)).cloned();
            row.table.row_key_columns().iter().map(of).collect::<Vec<_>>()
        };
        if !split || row.op != Op::Update || key(&row.before) == key(&row.after) {
            return vec![row.clone()];
        }
        let half = |op, before: &Option<_>, after: &Option<_>| Change {
            op,
            flags: row.flags | row_flags::SPLIT_UPDATE,
            before: before.clone(),
            after: after.clone(),
            ..row.clone()
        };
        vec![half(Op::Delete, &row.before, &None), half(Op::Insert, &None, &row.after)]
    }

    /// What becomes of each row of a batch.
    pub(super) async fn ask(&mut self, made: &Arc<BatchBuf>) -> Result<Vec<Answer>, Broken> {
        let rows = made.len();
        if let Some(d) = self.decide(made).await? {
            return Ok((0..rows).map(|i| place(&d, i)).collect());
        }
        match &mut self.port {
            Port::Dispatcher(_) => Ok(Vec::new()),
            Port::Transform(t) => {
                let head = made.batch();
                let plan = self.transform.get(&(head.table().cast_signed(), head.version()));
                if plan.is_some_and(|p| !p.active) {
                    return Ok(vec!["passed as it is".to_owned(); rows]);
                }
                let made_of = t.transform(made).await;
                let out = made_of.map_err(|e| Broken::call(format!("`transform` of {rows} rows"), e))?;
                let mut answers = vec!["left out".to_owned(); rows];
                for bad in &out.quarantined {
                    if let Some(place) = answers.get_mut(bad.row as usize) {
                        *place = format!("refused ({})", bad.code);
                    }
                }
                let left = out.batch.as_ref().map(BatchBuf::batch);
                for (row, origin) in left.iter().flat_map(|b| b.iter()).zip(&out.origins) {
                    if let Some(place) = answers.get_mut(*origin as usize) {
                        *place = crate::corpus::hex(row.as_bytes());
                    }
                }
                Ok(answers)
            }
        }
    }
}

/// Where a row goes, in words.
fn place(d: &Decisions, i: usize) -> Answer {
    match d.quarantined.iter().find(|b| b.row as usize == i) {
        Some(bad) => format!("refused ({})", bad.code),
        None => {
            let (lane, target) = (d.lanes.get(i).copied().unwrap_or(0), d.targets.get(i).copied().unwrap_or(0));
            format!("lane {lane}, target {target}, partition {}", d.partitions.get(i).copied().unwrap_or(0))
        }
    }
}

/// Every row with what became of it, in the order of the corpus.
pub(super) async fn all(
    subject: &Subject,
    corpus: &Corpus,
    schedule: &mut Schedule,
) -> Result<Vec<(Change, Answer)>, Broken> {
    let mut answers = Answers::open(subject).await?;
    let mut out = Vec::new();
    let mut open: Vec<Change> = Vec::new();
    let mut want = 1;
    for event in &corpus.events {
        let Event::Row(row) = event else { continue };
        let other = open.first().is_some_and(|r| name(&r.table) != name(&row.table));
        if other || open.len() >= want {
            out.extend(ask(&mut answers, &mut open).await?);
            want = schedule.rng.between(schedule.batch_rows.0, schedule.batch_rows.1).max(1);
        }
        answers.announce(&row.table).await?;
        open.extend(answers.as_handed(row));
    }
    out.extend(ask(&mut answers, &mut open).await?);
    Ok(out)
}

async fn ask(answers: &mut Answers, open: &mut Vec<Change>) -> Result<Vec<(Change, Answer)>, Broken> {
    let rows = std::mem::take(open);
    let Some(table) = rows.first().map(|r| Arc::clone(&r.table)) else { return Ok(Vec::new()) };
    let made = batch(&table, &rows.iter().map(|r| (r, 0)).collect::<Vec<_>>())?;
    let told = answers.ask(&made).await?;
    Ok(rows.into_iter().zip(told).collect())
}
