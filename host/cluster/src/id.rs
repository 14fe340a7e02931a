//! Names and epochs of the cluster: who speaks, who owns, and which assignment a writer has.

use std::fmt;
use tg_model::SlotId;

/// A point of one process's monotonic clock, in microseconds. Never compared between processes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Mono(pub u64);

impl Mono {
    /// This much later.
    #[must_use]
    pub const fn after(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` until now; zero when it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// A cluster of captures: messages of another one are dropped.
    ClusterId(u128)
);
number!(
    /// A process, drawn at random when it starts.
    CaptureId(u128)
);
number!(
    /// A data directory: survives restarts of the process.
    NodeId(u128)
);
number!(
    /// Revision that created a capture's registration key: one process may have several, one after another.
    Incarnation(u64)
);
number!(
    /// Revision of the owner key as written by the takeover. Zero: no owner was ever seen.
    OwnerRev(u64)
);
number!(
    /// A changefeed, as the metadata numbers it.
    FeedId(u128)
);
number!(
    /// A run of a changefeed: revision of its state key at start, resume or change. Zero is no run.
    RunId(u64)
);

/// A registered process: what messages are addressed to, and what holds slots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Peer {
    /// The process.
    pub capture: CaptureId,
    /// Its registration.
    pub inc: Incarnation,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.capture, self.inc)
    }
}

/// An assignment of a slot: every Prepare and every Activate has one of its own. It is the fencing token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Epoch {
    owner_rev: OwnerRev,
    n: u64,
}

impl Epoch {
    /// Makes an epoch.
    ///
    /// # Panics
    /// When a part is zero: a fence that is not set fences nothing.
    #[must_use]
    pub const fn new(owner_rev: OwnerRev, n: u64) -> Self {
        assert!(owner_rev.0 > 0 && n > 0, "an epoch has an owner and a number");
        Self { owner_rev, n }
    }

    /// The owner that gave it.
    #[must_use]
    pub const fn owner_rev(self) -> OwnerRev {
        self.owner_rev
    }

    /// Its number within the owner's time.
    #[must_use]
    pub const fn n(self) -> u64 {
        self.n
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.owner_rev, self.n)
    }
}

/// A slot of a changefeed. Slot number `slots` is the executor of DDLs: it has no tables.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SlotKey {
    /// The changefeed.
    pub feed: FeedId,
    /// The slot.
    pub slot: SlotId,
}

impl fmt::Display for SlotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.feed, self.slot)
    }
}
