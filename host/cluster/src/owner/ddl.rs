//! The life of a DDL at the owner: recorded as begun, run by the executor, recorded as done.

use crate::id::{Epoch, Mono, Peer};
use crate::message::{CommandKind, SlotStatus};
use crate::meta::DdlRecord;
use crate::rules::{Rule, Rules};
use crate::timing::META_TIMEOUT;
use std::collections::BTreeSet;
use tg_model::{SlotId, Ts};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Not begun under this executor.
    Waiting,
    /// The record that it begins is under way.
    Beginning { since: Mono, executor: Epoch },
    /// The executor may run it.
    Begun { executor: Epoch },
    /// The record that it is done is under way.
    Ending { since: Mono, executor: Epoch },
}

/// What to do next for the DDL.
#[derive(PartialEq, Debug)]
pub(crate) enum DdlStep {
    Nothing,
    Record(DdlRecord),
    Tell(Peer, CommandKind),
}

/// The one DDL (or syncpoint) that is due.
#[derive(Debug, Default)]
pub(crate) struct DdlRun {
    due: Option<Due>,
    /// Recorded as begun by whomever, and not as done.
    begun: BTreeSet<(Ts, u32)>,
}

#[derive(Debug)]
struct Due {
    ts: Ts,
    seq: u32,
    slots: Vec<SlotId>,
    stage: Stage,
}

impl DdlRun {
    /// A record found at the start.
    pub(crate) fn found(&mut self, record: &DdlRecord) {
        if !record.done {
            self.begun.insert((record.ts, record.seq));
        }
    }

    /// The controller wants it run.
    pub(crate) fn due(&mut self, ts: Ts, seq: u32, slots: Vec<SlotId>) {
        assert!(self.due.is_none(), "DDLs run one after another");
        self.due = Some(Due { ts, seq, slots, stage: Stage::Waiting });
    }

    /// The DDL that is due, for people.
    pub(crate) fn current(&self) -> Option<(Ts, u32)> {
        self.due.as_ref().map(|d| (d.ts, d.seq))
    }

    /// What is next, given who executes now.
    pub(crate) fn next(&mut self, now: Mono, executor: Option<(Peer, SlotStatus)>, rules: Rules) -> DdlStep {
        let Some(due) = &mut self.due else { return DdlStep::Nothing };
        let record = |done, executor| DdlRecord { ts: due.ts, seq: due.seq, done, executor, slots: due.slots.clone() };
        match due.stage {
            Stage::Waiting => {
                let Some((_, status)) = executor else { return DdlStep::Nothing };
                let begin = record(false, status.epoch);
                due.stage = if rules.keep(Rule::IntentFirst) {
                    Stage::Beginning { since: now, executor: status.epoch }
                } else {
                    Stage::Begun { executor: status.epoch }
                };
                if rules.keep(Rule::IntentFirst) { DdlStep::Record(begin) } else { DdlStep::Nothing }
            }
            Stage::Beginning { since, executor } if now.since(since) > META_TIMEOUT => {
                due.stage = Stage::Beginning { since: now, executor };
                DdlStep::Record(record(false, executor))
            }
            Stage::Begun { executor: begun } => match executor {
                Some((_, status)) if status.epoch == begun && status.executed == Some((due.ts, due.seq)) => {
                    due.stage = Stage::Ending { since: now, executor: begun };
                    DdlStep::Record(record(true, begun))
                }
                Some((peer, status)) if status.epoch == begun => {
                    let maybe_done = self.begun.contains(&(due.ts, due.seq));
                    DdlStep::Tell(peer, CommandKind::Execute { ts: due.ts, seq: due.seq, maybe_done })
                }
                _ => {
                    // Whoever was to run it may have done so.
                    if rules.keep(Rule::IntentFirst) {
                        self.begun.insert((due.ts, due.seq));
                    }
                    due.stage = Stage::Waiting;
                    DdlStep::Nothing
                }
            },
            Stage::Ending { since, executor } if now.since(since) > META_TIMEOUT => {
                due.stage = Stage::Ending { since: now, executor };
                DdlStep::Record(record(true, executor))
            }
            Stage::Beginning { .. } | Stage::Ending { .. } => DdlStep::Nothing,
        }
    }

    /// A record is stored. `Some`: with it, this DDL is done.
    pub(crate) fn recorded(&mut self, record: &DdlRecord) -> Option<(Ts, u32)> {
        let due = self.due.as_mut().filter(|d| (d.ts, d.seq) == (record.ts, record.seq))?;
        match due.stage {
            Stage::Beginning { executor, .. } if !record.done && executor == record.executor => {
                due.stage = Stage::Begun { executor };
                None
            }
            Stage::Ending { .. } if record.done => {
                self.begun.remove(&(record.ts, record.seq));
                self.due = None;
                Some((record.ts, record.seq))
            }
            _ => None,
        }
    }
}
