//! New plugins beside the present ones on a share of the rows that flow: what they would do is compared, and nothing of it is done.
//!
//! Stages are pure: their answers are compared row by row. Sinks are compared by what they send: two instances, one of each
//! version, write the same rows through endpoints that only note what is asked of them ([`Tape`]).

use crate::aside::Aside;
use crate::held::LaneBatch;
use crate::known::Known;
use crate::ports::PluginSource;
use crate::stages::{Routed, StageSet, Stages};
use crate::stats::Stats;
use crate::swap::SwapParts;
use std::sync::Arc;
use std::time::Duration;
use tg_model::{Position, SlotId, TableVersion};
use tg_plugin::{Barrier, BarrierKind, CallError, SinkPort};
use tgr1::BatchBuf;
use tokio::sync::watch;

/// A look at new plugins.
#[derive(Clone)]
pub struct CanaryRequest {
    /// Starts the new ones.
    pub plugins: Arc<dyn PluginSource>,
    /// Which plugins differ.
    pub parts: SwapParts,
    /// Percent of the windows that are compared.
    pub share: u8,
    /// Ends when so many windows were compared...
    pub windows: u64,
    /// ...or after so long.
    pub time: Duration,
}

/// What was seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CanaryReport {
    /// Windows compared.
    pub windows: u64,
    /// Rows compared by stages, and calls of endpoints compared by sinks.
    pub compared: u64,
    /// Of these, how many differ.
    pub differing: u64,
    /// The first difference.
    pub first: Option<String>,
    /// The new plugins failed over rows that the present ones take; the look ended there.
    pub failure: Option<String>,
}

/// What endpoints noted instead of doing it.
pub trait Tape: Send + Sync {
    /// Everything since the last time, in order: one entry for each call.
    fn take(&self) -> Vec<String>;
}

/// A sink whose endpoints only note.
pub struct ShadowSink {
    /// The instance.
    pub sink: Box<dyn SinkPort>,
    /// What its endpoints note.
    pub tape: Arc<dyn Tape>,
}

/// Every how many windows one is compared.
pub(crate) struct Share {
    percent: u64,
    seen: u64,
}

impl Share {
    pub(crate) fn new(percent: u8) -> Self {
        Self { percent: percent.clamp(1, 100).into(), seen: 0 }
    }

    /// Whether the next one is compared: as evenly as whole windows can be shared.
    pub(crate) const fn due(&mut self) -> bool {
        self.seen += 1;
        self.seen * self.percent / 100 > (self.seen - 1) * self.percent / 100
    }
}

pub(crate) type Report = Arc<watch::Sender<CanaryReport>>;

/// New stages beside those of a slot.
pub(crate) struct StageShadow {
    stages: Stages,
    pub(crate) share: Share,
    report: Report,
}

impl StageShadow {
    pub(crate) fn new(slot: SlotId, lanes: u16, set: StageSet, share: u8, report: Report) -> Self {
        // Its rows are not put aside and its stops not counted.
        let aside = Aside { store: None, stats: Arc::new(Stats::default()), slot, lane: None };
        Self { stages: Stages::new(slot, lanes, set, aside), share: Share::new(share), report }
    }

    pub(crate) async fn compare(
        &mut self,
        version: &Arc<TableVersion>,
        batch: &BatchBuf,
        at: Position,
        real: &[Routed],
    ) {
        let shadow = match self.stages.run(version, batch, at, false).await {
            Ok(shadow) => shadow,
            Err(e) => return failed(&self.report, &e.to_string()),
        };
        let (ours, theirs) = (described(real), described(&shadow));
        let table = format!("{}.{}", version.schema, version.name);
        noted(&self.report, &table, &ours, &theirs);
    }

    pub(crate) fn window(&self) {
        self.report.send_modify(|r| r.windows += 1);
    }
}

/// A line for each row: where it goes and what it is.
fn described(routed: &[Routed]) -> Vec<String> {
    let mut lines = Vec::new();
    for r in routed {
        let at = |list: &[u16], i: usize| list.get(i).copied().unwrap_or(0);
        for (i, row) in r.batch.batch().iter().enumerate() {
            let target = at(&r.decisions.targets, i);
            let name = r.targets.get(usize::from(target)).map_or("", String::as_str);
            let partition = r.decisions.partitions.get(i).copied().unwrap_or(0);
            let values = foldhash::fast::FixedState::with_seed(0);
            let digest = std::hash::BuildHasher::hash_one(&values, row.as_bytes());
            lines.push(format!(
                "commit-ts {}: {}.{}, lane {}, target {target} {name:?}, partition {partition}, values {digest:016x}",
                row.commit_ts(),
                r.version.schema,
                r.version.name,
                at(&r.decisions.lanes, i),
            ));
        }
    }
    lines
}

fn failed(report: &Report, why: &str) {
    report.send_modify(|r| _ = r.failure.get_or_insert_with(|| why.to_owned()));
}

fn noted(report: &Report, subject: &str, ours: &[String], theirs: &[String]) {
    let long = ours.len().max(theirs.len());
    let pairs = (0..long).map(|i| (ours.get(i), theirs.get(i)));
    let differing: Vec<_> = pairs.filter(|(a, b)| a != b).collect();
    report.send_modify(|r| {
        r.compared += long as u64;
        r.differing += differing.len() as u64;
        if let (None, Some((a, b))) = (&r.first, differing.first()) {
            let text = |s: &Option<&String>| s.map_or_else(|| "nothing".to_owned(), |s| cut(s));
            r.first = Some(format!("{subject}: now {}; then {}", text(a), text(b)));
        }
    });
}

/// Longest text of one side of a difference.
const TEXT_MAX_CHARS: usize = 512;

fn cut(text: &str) -> String {
    text.char_indices().nth(TEXT_MAX_CHARS).map_or_else(|| text.to_owned(), |(at, _)| format!("{}…", &text[..at]))
}

/// Both versions of a lane's sink, with endpoints that only note.
pub(crate) struct SinkShadow {
    pub(crate) now: ShadowSink,
    pub(crate) then: ShadowSink,
    known: (Known, Known),
    barrier: u32,
    pub(crate) share: Share,
    report: Report,
}

impl SinkShadow {
    pub(crate) fn new(now: ShadowSink, then: ShadowSink, share: u8, report: Report) -> Self {
        Self { now, then, known: Default::default(), barrier: 0, share: Share::new(share), report }
    }

    /// Hands both the same rows. False: there is nothing more to learn.
    pub(crate) async fn compare(&mut self, batches: &[LaneBatch], at: Position) -> bool {
        self.barrier = self.barrier.wrapping_add(1);
        let barrier = Barrier { id: self.barrier, kind: BarrierKind::Checkpoint, at };
        // What the present version makes of notes in place of a downstream is no fault of the new one.
        if write(&mut self.now, &mut self.known.0, batches, barrier).await.is_err() {
            return false;
        }
        if let Err(e) = write(&mut self.then, &mut self.known.1, batches, barrier).await {
            failed(&self.report, &e.to_string());
            return false;
        }
        noted(&self.report, "the sink", &self.now.tape.take(), &self.then.tape.take());
        self.report.send_modify(|r| r.windows += 1);
        true
    }
}

async fn write(
    to: &mut ShadowSink,
    known: &mut Known,
    batches: &[LaneBatch],
    barrier: Barrier,
) -> Result<(), CallError> {
    known.forget_idle(to.sink.as_mut()).await?;
    for LaneBatch { version, targets, batch } in batches {
        known.plan(version, targets, to.sink.as_mut()).await?;
        to.sink.write(Arc::clone(batch)).await?;
    }
    to.sink.flush(barrier).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::{CanaryReport, Share, noted};
    use std::sync::Arc;
    use tokio::sync::watch;

    #[test]
    fn a_share_is_spread_evenly() {
        for percent in [1, 10, 33, 50, 100] {
            let mut share = Share::new(percent);
            let due: Vec<bool> = (0..1_000).map(|_| share.due()).collect();
            assert_eq!(due.iter().filter(|d| **d).count(), usize::from(percent) * 10);
            let longest = due.split(|d| *d).map(<[bool]>::len).max().unwrap();
            assert!(longest <= 100 / usize::from(percent), "{percent}: {longest}");
        }
    }

    #[test]
    fn what_differs_is_counted_and_the_first_is_told() {
        let report = Arc::new(watch::Sender::new(CanaryReport::default()));
        let lines = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        noted(&report, "t", &lines(&["a", "b"]), &lines(&["a", "c", "d"]));
        noted(&report, "t", &lines(&["x"]), &lines(&["y"]));
        let r = report.borrow().clone();
        assert_eq!((r.compared, r.differing, r.first.as_deref()), (4, 3, Some("t: now b; then c")));
    }
}
