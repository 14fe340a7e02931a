//! One slot on a capture.

use super::{HolderEvent, Orders, SlotOrder, Tenure};
use crate::digest::{Digest, Members};
use crate::id::{Epoch, RunId, SlotKey};
use crate::message::{CommandKind, Phase, SlotCap, SlotStatus};
use crate::rules::{Rule, Rules};
use crate::timing::PREPARED_WITHIN_MS;
use std::sync::Arc;
use tg_model::{Position, Ts};

#[derive(Debug)]
pub(super) struct Replica {
    pub(super) tenure: Tenure,
    pub(super) run: RunId,
    pub(super) epoch: Epoch,
    pub(super) phase: Phase,
    pub(super) cap: Position,
    checkpoint: Position,
    resolved: Ts,
    /// What the holder was told to have.
    members: Arc<Members>,
    /// What its numbers are over.
    reported: Option<Digest>,
    executing: Option<(Ts, u32)>,
    executed: Option<(Ts, u32)>,
    bytes_per_s: u64,
}

impl Replica {
    pub(super) fn new(tenure: Tenure, run: RunId, epoch: Epoch, start: Position, members: Arc<Members>) -> Self {
        Self {
            tenure,
            run,
            epoch,
            phase: Phase::Preparing,
            cap: start,
            checkpoint: start,
            resolved: start.checkpoint_ts(),
            members,
            reported: None,
            executing: None,
            executed: None,
            bytes_per_s: 0,
        }
    }

    pub(super) fn status(&self, key: SlotKey) -> SlotStatus {
        SlotStatus {
            key,
            run: self.run,
            epoch: self.epoch,
            phase: self.phase,
            checkpoint: self.checkpoint,
            resolved: self.resolved,
            cap: self.cap,
            // Before the holder has told anything its numbers are over no set at all.
            members: self.reported.unwrap_or(Digest { count: u32::MAX, sum: 0 }),
            executed: self.executed,
            bytes_per_s: self.bytes_per_s,
        }
    }

    /// Close enough behind the changefeed, with every table subscribed.
    pub(super) fn caught_up(&self, emit: Ts) -> bool {
        self.reported == Some(self.members.digest()) && emit.ms_since(self.resolved) <= PREPARED_WITHIN_MS
    }

    /// A cap counts for the assignment and the tables it was computed for, and only upwards.
    pub(super) fn may_cap(&self, cap: &SlotCap, rules: Rules) -> bool {
        let same = !rules.keep(Rule::CapsCarryDigest) || cap.members == self.members.digest();
        self.phase == Phase::Active && cap.epoch == self.epoch && same && cap.cap > self.cap
    }

    /// A Prepare of a newer assignment. What is subscribed already is kept: everything before it is known to be durable, even
    /// when the owner that asks now does not know so much.
    #[expect(clippy::too_many_arguments, reason = "the fields of a Prepare")]
    pub(super) fn prepare_again(
        &mut self,
        fresh: Tenure,
        run: RunId,
        epoch: Epoch,
        start: Position,
        members: &Arc<Members>,
        key: SlotKey,
        orders: &mut Orders,
    ) {
        if run == self.run && self.phase != Phase::Stopped {
            self.epoch = epoch;
            self.set_members(key, members, orders);
            return;
        }
        let start = if run == self.run { start.max(self.checkpoint) } else { start };
        orders.push((key, self.tenure, SlotOrder::Drop));
        *self = Self::new(fresh, run, epoch, start, Arc::clone(members));
        orders.push((key, fresh, SlotOrder::Prepare { start, members: Arc::clone(members) }));
    }

    pub(super) fn command(
        &mut self,
        key: SlotKey,
        epoch: Epoch,
        kind: &CommandKind,
        rules: Rules,
        orders: &mut Orders,
    ) {
        match (kind, self.phase) {
            (CommandKind::Activate { start, members }, Phase::Prepared) => {
                self.set_members(key, members, orders);
                self.epoch = epoch;
                self.phase = Phase::Fencing;
                self.checkpoint = self.checkpoint.max(*start);
                let raise = rules.keep(Rule::TokenRaised);
                let open = SlotOrder::Open { epoch, start: self.checkpoint, after: None, raise };
                orders.push((key, self.tenure, open));
            }
            (CommandKind::Refence, Phase::Active) if epoch > self.epoch => {
                let after = Some(self.epoch);
                let raise = rules.keep(Rule::TokenRaised);
                (self.epoch, self.phase) = (epoch, Phase::Fencing);
                orders.push((key, self.tenure, SlotOrder::Open { epoch, start: self.checkpoint, after, raise }));
            }
            (CommandKind::SetMembers(members), Phase::Active) if epoch == self.epoch => {
                self.set_members(key, members, orders);
            }
            (CommandKind::Stop, Phase::Active | Phase::Fencing) => {
                self.phase = Phase::Stopping;
                orders.push((key, self.tenure, SlotOrder::Drain));
                if !rules.keep(Rule::DrainBeforeStopped) {
                    self.phase = Phase::Stopped;
                }
            }
            (CommandKind::Stop, Phase::Preparing | Phase::Prepared) => {
                // It never wrote: the position it was given is final.
                self.phase = Phase::Stopped;
                self.epoch = epoch;
            }
            (CommandKind::Execute { ts, seq, maybe_done }, Phase::Active) if epoch == self.epoch => {
                let asked = Some((*ts, *seq));
                if self.executing != asked && self.executed != asked {
                    self.executing = asked;
                    orders.push((key, self.tenure, SlotOrder::Execute { ts: *ts, seq: *seq, maybe_done: *maybe_done }));
                }
            }
            _ => {}
        }
    }

    fn set_members(&mut self, key: SlotKey, members: &Arc<Members>, orders: &mut Orders) {
        if members.digest() != self.members.digest() {
            self.members = Arc::clone(members);
            orders.push((key, self.tenure, SlotOrder::SetMembers(Arc::clone(members))));
        }
    }

    /// Whether the owner should hear of it at once.
    pub(super) fn event(&mut self, event: &HolderEvent, rules: Rules) -> bool {
        match *event {
            HolderEvent::Progress { resolved, checkpoint, members } => {
                let news = self.reported != Some(members) || checkpoint == self.cap && self.checkpoint < self.cap;
                self.resolved = if self.reported == Some(members) { self.resolved.max(resolved) } else { resolved };
                self.reported = Some(members);
                if self.phase.may_write() {
                    let most = self.cap.max(self.checkpoint);
                    assert!(checkpoint <= most, "a slot says that {checkpoint} is durable, and its cap is {most}");
                    self.checkpoint = self.checkpoint.max(checkpoint);
                }
                news
            }
            HolderEvent::Opened(durable) if self.phase == Phase::Fencing => {
                if rules.keep(Rule::DurableReadBack) {
                    self.checkpoint = self.checkpoint.max(durable.unwrap_or(Position::ZERO));
                }
                self.cap = self.cap.max(self.checkpoint);
                self.phase = Phase::Active;
                true
            }
            HolderEvent::Opened(durable) if self.phase == Phase::Stopping => {
                // It was told to stop meanwhile; what was found durable counts.
                self.checkpoint = self.checkpoint.max(durable.unwrap_or(Position::ZERO));
                false
            }
            HolderEvent::Drained(last) if self.phase == Phase::Stopping => {
                self.checkpoint = self.checkpoint.max(last);
                self.phase = Phase::Stopped;
                true
            }
            HolderEvent::Lost if self.phase.may_write() => {
                self.phase = Phase::Stopped;
                true
            }
            HolderEvent::Executed(ts, seq) => {
                self.executed = Some((ts, seq));
                true
            }
            HolderEvent::Load(bytes_per_s) => {
                self.bytes_per_s = bytes_per_s;
                false
            }
            HolderEvent::Opened(_) | HolderEvent::Drained(_) | HolderEvent::Lost => false,
        }
    }
}
