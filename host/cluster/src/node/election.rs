//! Whom a capture follows, and when it tries to become the owner itself.
//!
//! Pre-votes keep the peace; safety rests on the compare-and-set alone.

use crate::id::{Mono, OwnerRev, Peer};
use crate::timing::{META_TIMEOUT, PRE_VOTE_AGAIN, STANDBY_STAGGER, SUSPECT_OWNER};
use std::collections::BTreeSet;

/// What a candidate does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Move {
    Wait,
    AskVotes,
    Take,
}

#[derive(Debug)]
pub(super) struct Election {
    highest: OwnerRev,
    owner: Option<Peer>,
    /// Last valid word of the owner.
    heard: Mono,
    /// Place among the standbys; those behind them come last.
    rank: u64,
    votes: BTreeSet<Peer>,
    asked: Option<Mono>,
    taking: Option<Mono>,
}

/// The rank of a capture that is no standby.
const UNRANKED: u64 = 3;

impl Election {
    pub(super) const fn new(highest: OwnerRev, now: Mono) -> Self {
        Self { highest, owner: None, heard: now, rank: UNRANKED, votes: BTreeSet::new(), asked: None, taking: None }
    }

    pub(super) const fn highest(&self) -> OwnerRev {
        self.highest
    }

    pub(super) const fn owner(&self) -> Option<Peer> {
        self.owner
    }

    pub(super) fn silent(&self, now: Mono) -> bool {
        now.since(self.heard) > SUSPECT_OWNER
    }

    /// A revision is known to exist; true when it is news. Whoever had it has time to announce itself.
    pub(super) fn saw(&mut self, now: Mono, rev: OwnerRev) -> bool {
        if rev <= self.highest {
            return false;
        }
        self.highest = rev;
        self.owner = None;
        self.heard = now;
        self.asked = None;
        true
    }

    /// Follows an owner; true when it is a new one.
    pub(super) fn follow(&mut self, now: Mono, owner: Peer, rev: OwnerRev) -> bool {
        let new = self.owner != Some(owner) || rev > self.highest;
        if new {
            self.highest = self.highest.max(rev);
            self.owner = Some(owner);
            self.heard = now;
            self.asked = None;
        }
        new
    }

    /// A valid word of the owner.
    pub(super) fn heard(&mut self, now: Mono, standbys: &[Peer], me: Option<Peer>) {
        self.heard = now;
        self.asked = None;
        let place = standbys.iter().position(|p| Some(*p) == me);
        self.rank = place.map_or(UNRANKED, |p| p as u64);
    }

    /// A connection to the peer is refused: if it is the owner, it is gone.
    pub(super) fn refused(&mut self, peer: Peer) {
        if self.owner == Some(peer) {
            self.heard = Mono(0);
        }
    }

    /// Whether a candidate who misses this owner is right as far as this capture knows.
    pub(super) fn grants(&self, now: Mono, rev: OwnerRev) -> bool {
        rev >= self.highest && self.silent(now)
    }

    pub(super) fn granted(&mut self, from: Peer, rev: OwnerRev) {
        if rev <= self.highest && self.asked.is_some() {
            self.votes.insert(from);
        }
    }

    pub(super) const fn answered(&mut self) {
        self.taking = None;
    }

    /// What to do about a silent owner. `voters`: registered captures other than this one.
    pub(super) fn campaign(&mut self, now: Mono, voters: &[Peer], pre_vote: bool) -> Move {
        let patience = if self.heard == Mono(0) {
            self.rank * STANDBY_STAGGER / 2
        } else {
            SUSPECT_OWNER + self.rank * STANDBY_STAGGER
        };
        if now.since(self.heard) <= patience || self.taking.is_some_and(|at| now.since(at) <= META_TIMEOUT) {
            return Move::Wait;
        }
        // The suspect has no vote.
        let others = voters.iter().filter(|p| Some(**p) != self.owner);
        let (all, granted) = others.fold((1, 1), |(all, yes), p| (all + 1, yes + usize::from(self.votes.contains(p))));
        let won = self.asked.is_some() && granted * 2 > all || !pre_vote || all == 1;
        if won {
            self.votes.clear();
            self.asked = None;
            self.taking = Some(now);
            return Move::Take;
        }
        if self.asked.is_none_or(|at| now.since(at) > PRE_VOTE_AGAIN) {
            self.votes.clear();
            self.asked = Some(now);
            return Move::AskVotes;
        }
        Move::Wait
    }
}
