//! Raw changes: what the upstream says happened to one key.

use crate::Ts;
use bytes::Bytes;
use std::cmp::Ordering;

/// What happened to a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ChangeOp {
    /// The key is gone.
    Delete = 0,
    /// The key has a new value and had one before.
    Update = 1,
    /// The key has a value and had none before.
    Insert = 2,
}

/// One committed change of one key, matched from its prewrite and its commit.
///
/// The byte strings share the buffer of the message they came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawChange {
    /// Commit timestamp; above `start_ts`.
    pub commit_ts: Ts,
    /// Start timestamp of the transaction.
    pub start_ts: Ts,
    /// What happened.
    pub op: ChangeOp,
    /// Raw key, without keyspace prefix and timestamp; never empty.
    pub key: Bytes,
    /// New value; empty for [`ChangeOp::Delete`].
    pub value: Bytes,
    /// Value before; empty for [`ChangeOp::Insert`].
    pub old_value: Bytes,
}

impl RawChange {
    /// What an entry is taken to cost above its bytes: its own fields and its share of a container.
    pub const OVERHEAD_BYTES: usize = 128;

    /// What the change is accounted for in memory budgets.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        Self::OVERHEAD_BYTES + self.key.len() + self.value.len() + self.old_value.len()
    }

    /// The order in which a span releases its changes: commit-ts, start-ts, deletes before updates
    /// before inserts (so that a unique value is free before it is taken), key.
    #[must_use]
    pub fn cmp_order(&self, other: &Self) -> Ordering {
        (self.commit_ts, self.start_ts, self.op)
            .cmp(&(other.commit_ts, other.start_ts, other.op))
            .then_with(|| self.key.cmp(&other.key))
    }
}
