//! Index entries: what is sorted instead of the changes themselves.

use bytes::Bytes;
use std::cmp::Ordering;
use tg_model::{ChangeOp, RawChange, Span, TableId, Ts};

/// Bits of [`Entry::at`] that hold the index within a batch; the op is above them.
const INDEX_BITS: u32 = 30;
/// Most changes of one batch; a longer push is cut into several.
pub(crate) const BATCH_LEN_MAX: usize = 1 << INDEX_BITS;

/// One pending change: the parts of its sort key that fit, and where the change lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) commit_ts: Ts,
    start_ts: Ts,
    table: TableId,
    /// See [`Hinter::hint`].
    hint: u64,
    /// Slot of the batch.
    pub(crate) batch: u32,
    at: u32,
}

impl Entry {
    pub(crate) fn new(change: &RawChange, table: TableId, hint: u64, batch: u32, index: u32) -> Self {
        let at = index | (change.op as u32) << INDEX_BITS;
        Self { commit_ts: change.commit_ts, start_ts: change.start_ts, table, hint, batch, at }
    }

    /// Index within the batch.
    pub(crate) fn index(self) -> usize {
        (self.at & ((1 << INDEX_BITS) - 1)) as usize
    }

    /// Compares everything but the key.
    #[inline]
    pub(crate) fn cmp_head(&self, other: &Self) -> Ordering {
        self.commit_ts
            .cmp(&other.commit_ts)
            .then_with(|| self.table.cmp(&other.table))
            .then_with(|| self.start_ts.cmp(&other.start_ts))
            .then_with(|| (self.at >> INDEX_BITS).cmp(&(other.at >> INDEX_BITS)))
            .then_with(|| self.hint.cmp(&other.hint))
    }
}

/// The whole sort key of a change, borrowed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order<'a> {
    pub(crate) commit_ts: Ts,
    pub(crate) table: TableId,
    pub(crate) start_ts: Ts,
    pub(crate) op: ChangeOp,
    pub(crate) key: &'a [u8],
}

impl<'a> Order<'a> {
    pub(crate) fn of(table: TableId, c: &'a RawChange) -> Self {
        Self { commit_ts: c.commit_ts, table, start_ts: c.start_ts, op: c.op, key: &c.key }
    }
}

/// Makes key hints for one table.
#[derive(Clone, Debug)]
pub(crate) struct Hinter {
    prefix: Bytes,
}

impl Hinter {
    pub(crate) fn new(table: TableId) -> Self {
        Self { prefix: Span::of_table(table).start().clone() }
    }

    /// Eight bytes that order keys of the table as far as they can: `a < b` implies `hint(a) <= hint(b)`.
    /// For record keys they are the handle, so the keys themselves are hardly ever compared.
    pub(crate) fn hint(&self, key: &[u8]) -> u64 {
        let Some(rest) = key.strip_prefix(self.prefix.as_ref()) else {
            return if key < self.prefix.as_ref() { 0 } else { u64::MAX };
        };
        if let Some(head) = rest.first_chunk::<8>() {
            return u64::from_be_bytes(*head);
        }
        let mut padded = [0; 8];
        padded.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        u64::from_be_bytes(padded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hints_never_contradict_keys(
            a in proptest::collection::vec(any::<u8>(), 1..24),
            b in proptest::collection::vec(any::<u8>(), 1..24),
            of_table in any::<(bool, bool)>(),
        ) {
            let hinter = Hinter::new(TableId(45));
            let whole = |ours: bool, tail: &[u8]| if ours { [hinter.prefix.as_ref(), tail].concat() } else { tail.to_vec() };
            let (a, b) = (whole(of_table.0, &a), whole(of_table.1, &b));
            match hinter.hint(&a).cmp(&hinter.hint(&b)) {
                Ordering::Equal => {}
                order => prop_assert_eq!(order, a.cmp(&b)),
            }
        }
    }

    #[test]
    fn the_prefix_is_what_the_model_says() {
        assert_eq!(Hinter::new(TableId(1)).prefix.len(), 11);
    }

    #[test]
    fn an_entry_is_small() {
        assert_eq!(size_of::<Entry>(), 40);
    }
}
