//! The protocol's rules by name. A simulator takes one out and must then find a violation.

/// A rule that something rests on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rule {
    /// Only `Stopped` releases a slot; `Stopping` does not.
    OnlyStoppedReleases,
    /// A new writer starts at the last durable position that is known, never at what may have been written.
    StartAtCheckpoint,
    /// After a revoke the owner waits until no lease can be good.
    WaitAfterRevoke,
    /// After that it waits for requests that were admitted in time and land late.
    InFlightGrace,
    /// An owner's grants end with its own validity.
    GrantsBounded,
    /// A capture applies each command number once, and none below the last.
    CommandHighWater,
    /// A capture obeys no owner older than the newest it has seen.
    NewestOwnerOnly,
    /// Membership is applied in the order of revisions.
    SnapshotsInOrder,
    /// A slot counts as absent only when the capture has seen the last command about it.
    AbsenceNeedsAck,
    /// A command of an older epoch changes nothing.
    EpochsRise,
    /// A minimum counts only over exactly the tables the slot should have.
    DigestMatches,
    /// A cap counts only for the tables it was computed for.
    CapsCarryDigest,
    /// Opening raises the token downstream before the first write.
    TokenRaised,
    /// A stopping slot waits until every write it sent has a known outcome.
    DrainBeforeStopped,
    /// A slot is activated only when nobody else may write it.
    NoOtherHolder,
    /// After a takeover, a slot nobody claims waits until every silent capture is resolved.
    SilentHoldersGate,
    /// Writes to the metadata compare the owner's revision.
    OwnerCompared,
    /// A DDL is recorded as begun before it runs.
    IntentFirst,
    /// A DDL runs only when every slot it involves has finished exactly the rows before it.
    DdlBarrier,
    /// What the downstream holds already is not written again.
    DurableReadBack,
    /// A capture that lost its registration drops what it holds.
    DropWhenUnregistered,
    /// A message for another incarnation is dropped.
    IncarnationChecked,
    /// A new incarnation gets a time of its own before it is suspected.
    FreshSuspicion,
    /// Whether a command must be sent again is decided by the epoch seen, not by presence.
    ResendByEpoch,
    /// Tables of an adopted slot are not changed before the DDL stream has caught up with it.
    MembersNeedDdls,
    /// An owner is challenged only when most captures do not hear it.
    PreVote,
    /// Where a token fences, progress counts only under an epoch of this owner: one that was replaced, and does not know it yet,
    /// can still raise tokens to epochs of its own time.
    OwnEpochCounts,
    /// Progress counts only from the newest assignment: the one before may have come further than the one that repeats its rows.
    NewestTenureCounts,
    /// An owner believes only reports that were sent to it as this owner: one that was on its way to an earlier tenure of its process
    /// says what was so then, and counts commands of that time.
    ReportsOfThisTenure,
    /// What was sent may be lost: it is sent again until it is seen to have worked.
    ResendUntilSeen,
    /// How long a node in maintenance is away already is passed on from owner to owner.
    AbsenceCarried,
    /// A capture whose node has been silent lately, and was not gone, is suspected later.
    SuspicionAdapts,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 32] = [
        Self::OnlyStoppedReleases,
        Self::StartAtCheckpoint,
        Self::WaitAfterRevoke,
        Self::InFlightGrace,
        Self::GrantsBounded,
        Self::CommandHighWater,
        Self::NewestOwnerOnly,
        Self::SnapshotsInOrder,
        Self::AbsenceNeedsAck,
        Self::EpochsRise,
        Self::DigestMatches,
        Self::CapsCarryDigest,
        Self::TokenRaised,
        Self::DrainBeforeStopped,
        Self::NoOtherHolder,
        Self::SilentHoldersGate,
        Self::OwnerCompared,
        Self::IntentFirst,
        Self::DdlBarrier,
        Self::DurableReadBack,
        Self::DropWhenUnregistered,
        Self::IncarnationChecked,
        Self::FreshSuspicion,
        Self::ResendByEpoch,
        Self::MembersNeedDdls,
        Self::PreVote,
        Self::OwnEpochCounts,
        Self::NewestTenureCounts,
        Self::ReportsOfThisTenure,
        Self::ResendUntilSeen,
        Self::AbsenceCarried,
        Self::SuspicionAdapts,
    ];

    /// The rule with this name, as `Debug` writes it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| format!("{r:?}") == name)
    }
}

/// Which rules hold: all of them, in anything that is shipped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    #[cfg(feature = "mutations")]
    without: Option<Rule>,
}

impl Rules {
    /// All rules but one.
    #[cfg(feature = "mutations")]
    #[must_use]
    pub const fn without(rule: Rule) -> Self {
        Self { without: Some(rule) }
    }

    /// Whether a rule holds.
    #[cfg(feature = "mutations")]
    #[must_use]
    pub fn keep(self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    /// Whether a rule holds: it does.
    #[cfg(not(feature = "mutations"))]
    #[must_use]
    pub const fn keep(self, _: Rule) -> bool {
        true
    }
}
