//! Which spilled bytes wait for which checkpoint.

use std::collections::BTreeMap;
use tg_model::Ts;

/// Spills are counted together until they are this large.
const BUCKET_BYTES: u64 = 4 << 20;

/// Spilled bytes by the greatest commit-ts among them.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    by_max: BTreeMap<Ts, u64>,
    newest: Option<Ts>,
    bytes: u64,
}

impl Buckets {
    /// Counts a spill whose greatest commit-ts is `max`.
    pub(crate) fn add(&mut self, max: Ts, bytes: u64) {
        self.bytes += bytes;
        let mut bucket = (max, bytes);
        if let Some(newest) = self.newest
            && self.by_max.get(&newest).is_some_and(|b| *b < BUCKET_BYTES)
            && let Some(small) = self.by_max.remove(&newest)
        {
            bucket = (max.max(newest), bytes + small);
        }
        *self.by_max.entry(bucket.0).or_default() += bucket.1;
        self.newest = Some(bucket.0);
    }

    /// Removes all that lies wholly at or below `upto` and says how much it is.
    pub(crate) fn forget(&mut self, upto: Ts) -> u64 {
        let mut freed = 0;
        while let Some(first) = self.by_max.first_entry() {
            if *first.key() > upto {
                break;
            }
            freed += first.remove();
        }
        self.bytes -= freed;
        freed
    }

    /// Bytes counted.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_spills_share_a_bucket_and_leave_with_its_greatest_ts() {
        let mut b = Buckets::default();
        b.add(Ts::new(10), 100);
        b.add(Ts::new(20), BUCKET_BYTES);
        b.add(Ts::new(30), 1);
        assert_eq!(b.forget(Ts::new(19)), 0);
        assert_eq!(b.forget(Ts::new(20)), BUCKET_BYTES + 100);
        b.add(Ts::new(15), 5);
        assert_eq!((b.forget(Ts::new(29)), b.bytes()), (0, 6), "a lower spill waits with the one it joined");
        assert_eq!((b.forget(Ts::new(30)), b.bytes()), (6, 0));
    }
}
