//! What captures say to each other. Delivery may lose, repeat, delay and reorder; nothing here minds.

use crate::digest::{Digest, Members};
use crate::id::{ClusterId, Epoch, FeedId, Mono, NodeId, OwnerRev, Peer, RunId, SlotKey};
use std::sync::Arc;
use tg_model::{Position, SlotId, Ts};

/// Version of these messages. A transport refuses peers that share none.
pub const PROTO: u16 = 1;

/// On every message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Both ends are of this cluster.
    pub cluster: ClusterId,
    /// The sender.
    pub from: Peer,
    /// The receiver: another incarnation drops it.
    pub to: Peer,
    /// The sender's revision when it speaks as owner, else the highest it has seen.
    pub owner_rev: OwnerRev,
    /// Version of the content.
    pub proto: u16,
}

/// A message.
#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    /// Who, to whom.
    pub head: Header,
    /// What.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, PartialEq, Debug)]
pub enum Body {
    /// Owner to capture: I am the owner now; report.
    Announce,
    /// Owner to capture: what to do, how far to go, how long you may write.
    Publish(Publish),
    /// Capture to owner: everything it holds. Its size follows the slots held, not their tables.
    Report(Report),
    /// To somebody who follows, or is, an owner that was replaced.
    Stale,
    /// Candidate to capture: do you hear the owner with the header's revision?
    PreVote,
    /// Capture to candidate: I do not.
    PreVoteGranted,
    /// Pass this on to the receiver named in it.
    Relay(Box<Message>),
}

/// From the owner, at least every [`crate::timing::PUBLISH_EVERY`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Publish {
    /// Rises with every publish of this owner to this capture. Commands of a lower one are void.
    pub seq: u64,
    /// False: the owner could not confirm itself lately. Candidates may run; caps of token-fenced feeds still count.
    pub valid: bool,
    /// Who takes over, in order.
    pub standbys: Vec<Peer>,
    /// What to do, per slot.
    pub commands: Vec<SlotCommand>,
    /// How far slots may write.
    pub caps: Vec<SlotCap>,
    /// How far the rows of changefeeds may leave at most: what being prepared is measured by.
    pub emits: Vec<(FeedId, Ts)>,
    /// The right to write to sinks that cannot fence.
    pub grant: Option<Grant>,
    /// Last report that arrived.
    pub ack_report: u64,
    /// Nodes in maintenance that are away. `None`: the sender is not to say.
    pub away: Option<Vec<Away>>,
}

/// A node in maintenance that is away, and for how long that has been known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Away {
    /// Which.
    pub node: NodeId,
    /// Microseconds until this was said.
    pub micros: u64,
    /// It was away already when whoever counts began to: it may be longer.
    pub at_least: bool,
}

/// The right to write, until a deadline that the holder computes on its own clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grant {
    /// When the holder sent the report this answers.
    pub echo: Mono,
    /// How long it holds, from then on.
    pub ttl: u64,
}

/// How far a slot may write, while it has exactly these tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotCap {
    /// Which.
    pub key: SlotKey,
    /// The assignment that the cap is for.
    pub epoch: Epoch,
    /// Up to here.
    pub cap: Position,
    /// With these tables.
    pub members: Digest,
}

/// A command about one slot. Level-triggered: repeating it does no harm.
#[derive(Clone, PartialEq, Debug)]
pub struct SlotCommand {
    /// Which.
    pub key: SlotKey,
    /// The run of the changefeed.
    pub run: RunId,
    /// The assignment it speaks of.
    pub epoch: Epoch,
    /// What to do.
    pub kind: CommandKind,
}

/// What to do with a slot.
#[derive(Clone, PartialEq, Debug)]
pub enum CommandKind {
    /// Subscribe and sort from `start`; write nothing.
    Prepare {
        /// Everything up to here is durable.
        start: Position,
        /// The tables.
        members: Arc<Members>,
    },
    /// Fence, and write what is after `start`.
    Activate {
        /// Everything up to here is durable.
        start: Position,
        /// The tables.
        members: Arc<Members>,
    },
    /// Go on writing under this epoch, if nobody raised the token since the last one.
    Refence,
    /// Have exactly these tables.
    SetMembers(Arc<Members>),
    /// Admit nothing more, finish what is under way, tell the final position.
    Stop,
    /// Forget it.
    Drop,
    /// As executor: run the DDL (or, with the highest `seq`, the syncpoint) at `ts`.
    Execute {
        /// Commit-ts.
        ts: Ts,
        /// Place within the job.
        seq: u32,
        /// It may have been run already: look first.
        maybe_done: bool,
    },
}

/// From a capture, at least every [`crate::timing::REPORT_EVERY`] and whenever a phase changes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// Rises with every report.
    pub seq: u64,
    /// Highest publish of the owner addressed that was applied.
    pub acked: u64,
    /// When it was sent, on the sender's clock: only its sender may compare it.
    pub sent_at: Mono,
    /// Every slot held.
    pub slots: Vec<SlotStatus>,
    /// What the capture carries.
    pub load: Load,
    /// What owners have told of nodes in maintenance that are away.
    pub away: Vec<Away>,
}

/// How busy a capture is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// Bytes per second in.
    pub bytes_per_s: u64,
    /// It takes no new slots: disk or memory is short.
    pub full: bool,
}

/// Where a slot stands on a capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotStatus {
    /// Which.
    pub key: SlotKey,
    /// The run it belongs to.
    pub run: RunId,
    /// Its assignment.
    pub epoch: Epoch,
    /// Where it is.
    pub phase: Phase,
    /// Everything up to here is durable. Final once stopped.
    pub checkpoint: Position,
    /// Minimum over its tables.
    pub resolved: Ts,
    /// The cap it holds.
    pub cap: Position,
    /// The tables both numbers are over.
    pub members: Digest,
    /// As executor: the last that is done.
    pub executed: Option<(Ts, u32)>,
    /// Bytes per second it takes in.
    pub bytes_per_s: u64,
}

/// Phases of a slot on a capture. Absent is to have none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Phase {
    /// Subscribes and sorts.
    Preparing,
    /// Close enough behind to take over.
    Prepared,
    /// Raises its token downstream, learns what is durable.
    Fencing,
    /// Writes.
    Active,
    /// Waits for the outcome of what it wrote.
    Stopping,
    /// Writes no more; keeps the final position until it is dropped.
    Stopped,
}

impl Phase {
    /// Whether a write may still happen.
    #[must_use]
    pub const fn may_write(self) -> bool {
        matches!(self, Self::Fencing | Self::Active | Self::Stopping)
    }
}

/// A slot of a changefeed with its number.
#[must_use]
pub const fn slot_key(feed: FeedId, slot: u16) -> SlotKey {
    SlotKey { feed, slot: SlotId(slot) }
}
