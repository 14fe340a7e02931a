//! One slot as the owner sees it: who may write it, who is to, and the two-phase way from one to the other.

use super::peers::Peers;
use crate::digest::Members;
use crate::id::{Epoch, Mono, OwnerRev, Peer, RunId, SlotKey};
use crate::message::{CommandKind, Phase, SlotCommand, SlotStatus};
use crate::meta::Fence;
use crate::rules::{Rule, Rules};
use crate::timing::RESEND;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::Position;

/// What one capture has of the slot.
#[derive(Debug)]
struct Claim {
    /// Of the last Prepare or Activate sent to it, or as found.
    epoch: Epoch,
    /// From the moment an Activate is sent until it is known to be stopped, absent or fenced.
    may_write: bool,
    seen: Option<SlotStatus>,
    /// Highest publish it had applied when it was seen so.
    acked: u64,
    /// Publish that carried the last command about the slot.
    told: u64,
    last: Option<(Mono, Epoch, Mark)>,
}

impl Claim {
    /// Whether what is seen of it came after the last command: nothing that is on its way changes it any more.
    const fn is_answered(&self) -> bool {
        self.acked >= self.told
    }

    /// The newest epoch that the capture may have.
    fn newest(&self) -> Epoch {
        self.seen.map_or(self.epoch, |s| s.epoch.max(self.epoch))
    }
}

/// Tells one command from another without comparing whole sets.
type Mark = (u8, u128);

fn mark(kind: &CommandKind) -> Mark {
    match kind {
        CommandKind::Prepare { members, .. } => (0, members.digest().sum),
        CommandKind::Activate { members, .. } => (1, members.digest().sum),
        CommandKind::SetMembers(members) => (2, members.digest().sum),
        CommandKind::Stop => (3, 0),
        CommandKind::Drop => (4, 0),
        CommandKind::Refence => (6, 0),
        CommandKind::Execute { ts, seq, .. } => (5, (u128::from(ts.get()) << 32) | u128::from(*seq)),
    }
}

/// A slot.
#[derive(Debug)]
pub(crate) struct SlotRep {
    key: SlotKey,
    /// Where it is to be written; none while it is to rest.
    pub(crate) target: Option<Peer>,
    claims: BTreeMap<Peer, Claim>,
    /// The capture that was activated last, or was found writing under the highest epoch.
    primary: Option<Peer>,
    /// The primary was told to stop: there is no way back.
    stopping: bool,
    /// Highest epoch known to have been activated.
    highest: Option<Epoch>,
    /// The writer stopped without being told to.
    pub(crate) failed: bool,
}

/// What a slot needs to know to take its next step.
pub(crate) struct Drive<'a> {
    pub(crate) now: Mono,
    pub(crate) rules: Rules,
    pub(crate) run: RunId,
    pub(crate) fence: Fence,
    /// Its tables, and whether they are known: before the DDL stream has caught up with the slot they are not.
    pub(crate) members: &'a Arc<Members>,
    pub(crate) members_known: bool,
    /// Everything up to here is durable.
    pub(crate) start: Position,
    /// A barrier holds it right now: it is not moved.
    pub(crate) held: bool,
    /// Every capture that could hold it unseen is accounted for.
    pub(crate) accounted: bool,
    pub(crate) peers: &'a mut Peers,
    pub(crate) epochs: &'a mut Epochs,
}

/// Gives out epochs.
#[derive(Debug)]
pub(crate) struct Epochs {
    owner_rev: OwnerRev,
    last: u64,
}

impl Epochs {
    pub(crate) const fn new(owner_rev: OwnerRev) -> Self {
        Self { owner_rev, last: 0 }
    }

    /// Whether an epoch is of this owner.
    pub(crate) fn own(&self, epoch: Epoch) -> bool {
        epoch.owner_rev() == self.owner_rev
    }

    const fn next(&mut self) -> Epoch {
        self.last += 1;
        Epoch::new(self.owner_rev, self.last)
    }
}

impl SlotRep {
    pub(crate) const fn new(key: SlotKey) -> Self {
        Self {
            key,
            target: None,
            claims: BTreeMap::new(),
            primary: None,
            stopping: false,
            highest: None,
            failed: false,
        }
    }

    /// Which slot.
    pub(crate) const fn key(&self) -> SlotKey {
        self.key
    }

    /// The writer, once it is seen to write.
    pub(crate) fn writer(&self) -> Option<(Peer, SlotStatus)> {
        let peer = self.primary?;
        let claim = self.claims.get(&peer)?;
        claim.seen.filter(|s| s.phase == Phase::Active && s.epoch == claim.epoch).map(|s| (peer, s))
    }

    /// Whether a status is of the newest assignment that was activated.
    pub(crate) fn newest(&self, status: &SlotStatus) -> bool {
        self.highest.is_none_or(|h| status.epoch >= h)
    }

    /// The capture that has it or is getting it.
    pub(crate) const fn primary(&self) -> Option<Peer> {
        self.primary
    }

    /// Whether it is on its way from one capture to another.
    pub(crate) fn moving(&self) -> bool {
        self.target.is_some() && self.writer().map(|(p, _)| p) != self.target
    }

    /// Whether somebody may write it.
    pub(crate) fn may_be_written(&self) -> bool {
        self.claims.values().any(|c| c.may_write)
    }

    /// A capture that could take over at once.
    pub(crate) fn warm(&self, fits: impl Fn(Peer) -> bool) -> Option<Peer> {
        let ready = |c: &Claim| c.seen.is_some_and(|s| matches!(s.phase, Phase::Prepared | Phase::Preparing));
        self.claims.iter().find(|(p, c)| ready(c) && fits(**p)).map(|(p, _)| *p)
    }

    /// A new run of the changefeed begins: whoever writes for the old one is to stop.
    pub(crate) const fn rerun(&mut self) {
        self.primary = None;
        self.target = None;
        self.stopping = false;
    }

    /// Takes what a capture says of the slot. True: there is something to do about it.
    pub(crate) fn observe(&mut self, peer: Peer, status: &SlotStatus, acked: u64, run: RunId) -> bool {
        let found = Claim { epoch: status.epoch, may_write: false, seen: None, acked, told: 0, last: None };
        let claim = self.claims.entry(peer).or_insert(found);
        let facts = |s: &SlotStatus| (s.phase, s.epoch, s.members, s.executed);
        let news = claim.seen.as_ref().map(facts) != Some(facts(status));
        claim.seen = Some(*status);
        claim.acked = acked;
        if !status.phase.may_write() {
            return news;
        }
        claim.may_write = true;
        let newest = self.highest.is_none_or(|h| status.epoch > h || status.epoch == h && self.primary.is_none());
        if newest && status.run == run {
            claim.epoch = status.epoch;
            self.highest = Some(status.epoch);
            if self.primary != Some(peer) {
                self.primary = Some(peer);
                self.stopping = status.phase == Phase::Stopping;
            }
        }
        news
    }

    /// The capture has reported, and not this slot. True: there is something to do about it.
    pub(crate) fn unseen(&mut self, peer: Peer, acked: u64, rules: Rules) -> bool {
        let Some(claim) = self.claims.get_mut(&peer) else { return false };
        if acked < claim.told && rules.keep(Rule::AbsenceNeedsAck) {
            return false;
        }
        self.failed |= self.primary == Some(peer) && !self.stopping;
        self.forget(peer);
        true
    }

    /// The capture is fenced or gone.
    pub(crate) fn forget(&mut self, peer: Peer) {
        self.claims.remove(&peer);
        self.released(peer);
    }

    fn released(&mut self, peer: Peer) {
        if self.primary == Some(peer) {
            self.primary = None;
            self.stopping = false;
        }
    }

    /// Takes the next step.
    pub(crate) fn drive(&mut self, d: &mut Drive<'_>) {
        self.release_fenced(d);
        self.settle(d);
        self.stop_strays(d);
        match self.primary {
            None => self.start(d),
            Some(p) if self.stopping || self.target != Some(p) => self.hand_over(p, d),
            Some(p) => self.keep(p, d),
        }
        self.drop_rest(d);
    }

    /// Fenced captures write no more. Their claims stay, so that they are told to stop when they come back.
    fn release_fenced(&mut self, d: &Drive<'_>) {
        let fenced: Vec<_> = self.claims.keys().filter(|p| d.peers.is_fenced(d.now, **p, d.fence)).copied().collect();
        for peer in fenced {
            if d.peers.get(peer).is_none() {
                self.forget(peer);
            } else if let Some(claim) = self.claims.get_mut(&peer) {
                claim.may_write = false;
                claim.seen = None;
                self.released(peer);
            }
        }
    }

    /// Whoever is seen to have stopped writes no more: under the epoch it was told last, or under an older one when the newer did
    /// not reach it before the order to stop.
    fn settle(&mut self, d: &Drive<'_>) {
        for (peer, claim) in &mut self.claims {
            let Some(seen) = claim.seen.filter(|s| s.epoch >= claim.epoch || claim.is_answered()) else { continue };
            let stopped = seen.phase == Phase::Stopped
                || seen.phase == Phase::Stopping && !d.rules.keep(Rule::OnlyStoppedReleases);
            if claim.may_write && stopped {
                claim.may_write = false;
                if self.primary == Some(*peer) {
                    self.failed |= !self.stopping;
                    self.primary = None;
                    self.stopping = false;
                }
            }
        }
    }

    fn stop_strays(&mut self, d: &mut Drive<'_>) {
        let primary = self.primary;
        let writes = |c: &Claim| c.may_write || c.seen.is_some_and(|s| s.phase.may_write());
        let strays = self.claims.iter().filter(|(p, c)| Some(**p) != primary && writes(c));
        let strays: Vec<_> = strays.map(|(p, c)| (*p, c.newest())).collect();
        for (peer, epoch) in strays {
            self.tell(peer, epoch, CommandKind::Stop, d);
        }
    }

    /// Nobody writes it: the target is prepared, then activated.
    fn start(&mut self, d: &mut Drive<'_>) {
        let Some(target) = self.target else { return };
        if !d.members_known || !self.prepare(target, d) {
            return;
        }
        let free = !self.may_be_written() || !d.rules.keep(Rule::NoOtherHolder);
        if free && d.accounted {
            let epoch = d.epochs.next();
            let Some(claim) = self.claims.get_mut(&target) else { return };
            (claim.epoch, claim.may_write) = (epoch, true);
            self.primary = Some(target);
            self.highest = Some(epoch);
            self.activate(target, d);
        }
    }

    fn activate(&mut self, peer: Peer, d: &mut Drive<'_>) {
        let Some(epoch) = self.claims.get(&peer).map(|c| c.epoch) else { return };
        let kind = CommandKind::Activate { start: d.start, members: Arc::clone(d.members) };
        self.tell(peer, epoch, kind, d);
    }

    /// Sees to it that the capture is prepared; true when it is.
    fn prepare(&mut self, peer: Peer, d: &mut Drive<'_>) -> bool {
        if d.peers.get(peer).is_none() {
            return false;
        }
        let fresh = || Claim { epoch: d.epochs.next(), may_write: false, seen: None, acked: 0, told: 0, last: None };
        let claim = self.claims.entry(peer).or_insert_with(fresh);
        if let Some(seen) = claim.seen {
            let same = seen.epoch == claim.epoch && seen.run == d.run;
            let ready = matches!(seen.phase, Phase::Prepared | Phase::Preparing);
            if same && ready || seen.phase.may_write() {
                return same && seen.phase == Phase::Prepared;
            }
            if !d.rules.keep(Rule::ResendByEpoch) && ready {
                return false;
            }
            if seen.epoch >= claim.epoch {
                claim.epoch = d.epochs.next();
            }
        }
        let epoch = claim.epoch;
        let kind = CommandKind::Prepare { start: d.start, members: Arc::clone(d.members) };
        self.tell(peer, epoch, kind, d);
        false
    }

    /// The primary stays; it is told again what it does not do yet.
    fn keep(&mut self, peer: Peer, d: &mut Drive<'_>) {
        let Some(claim) = self.claims.get_mut(&peer) else { return };
        let foreign = d.fence == Fence::Token && !d.epochs.own(claim.epoch);
        if foreign && claim.seen.is_some_and(|s| s.phase == Phase::Active) && d.rules.keep(Rule::OwnEpochCounts) {
            claim.epoch = d.epochs.next();
            self.highest = Some(claim.epoch);
        }
        let (epoch, seen) = (claim.epoch, claim.seen);
        match seen {
            Some(s) if s.epoch < epoch && s.phase == Phase::Active => self.tell(peer, epoch, CommandKind::Refence, d),
            Some(s) if s.epoch == epoch && s.phase == Phase::Active => {
                let differs = d.members_known && s.members != d.members.digest();
                let members = Arc::clone(d.members);
                differs.then(|| self.tell(peer, epoch, CommandKind::SetMembers(members), d));
            }
            Some(s) if s.phase == Phase::Prepared => self.activate(peer, d),
            _ => {}
        }
    }

    /// The primary is to be another: the target is prepared while the primary still writes.
    fn hand_over(&mut self, primary: Peer, d: &mut Drive<'_>) {
        let ready = match self.target {
            None => true,
            Some(t) if t == primary => false,
            Some(t) => d.members_known && self.prepare(t, d),
        };
        let Some(claim) = self.claims.get(&primary) else { return };
        let epoch = claim.epoch;
        let settled = claim.seen.is_some_and(|s| s.epoch == epoch && s.phase == Phase::Active);
        if self.stopping || ready && !d.held && (settled || self.target.is_none()) {
            self.stopping = true;
            self.tell(primary, epoch, CommandKind::Stop, d);
        } else {
            self.keep(primary, d);
        }
    }

    /// What is neither primary nor target and cannot write is forgotten.
    fn drop_rest(&mut self, d: &mut Drive<'_>) {
        let kept = [self.primary, self.target];
        let rest = self.claims.iter().filter(|(p, c)| !kept.contains(&Some(**p)) && !c.may_write);
        let idle = |c: &Claim| c.seen.is_none_or(|s| !s.phase.may_write());
        let rest: Vec<_> = rest.filter(|(_, c)| idle(c)).map(|(p, c)| (*p, c.newest())).collect();
        for (peer, epoch) in rest {
            self.tell(peer, epoch, CommandKind::Drop, d);
        }
    }

    /// As executor: run this. Level-triggered like the rest.
    pub(crate) fn execute(&mut self, peer: Peer, kind: CommandKind, d: &mut Drive<'_>) {
        if let Some(epoch) = self.claims.get(&peer).map(|c| c.epoch) {
            self.tell(peer, epoch, kind, d);
        }
    }

    /// Sends a command unless the same one is under way.
    fn tell(&mut self, peer: Peer, epoch: Epoch, kind: CommandKind, d: &mut Drive<'_>) {
        let (Some(claim), Some(view)) = (self.claims.get_mut(&peer), d.peers.get_mut(peer)) else { return };
        let this = (epoch, mark(&kind));
        let again = match claim.last {
            Some((at, e, k)) if (e, k) == this => d.now.since(at) >= RESEND && d.rules.keep(Rule::ResendUntilSeen),
            _ => true,
        };
        if again {
            claim.last = Some((d.now, this.0, this.1));
            claim.told = view.tell(SlotCommand { key: self.key, run: d.run, epoch, kind });
        }
    }
}
