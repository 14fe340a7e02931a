//! What the secondaries of an async-commit transaction say about its end.

use tg_proto::kvrpcpb::LockInfo;

/// Collects answers.
pub(super) struct Secondaries {
    min_commit_ts: u64,
    /// Known from a secondary that is committed.
    committed: Option<u64>,
    missing: bool,
}

impl Secondaries {
    pub(super) fn new(primary: &LockInfo) -> Self {
        Self { min_commit_ts: primary.min_commit_ts, committed: None, missing: false }
    }

    /// Takes the answer for `asked` keys. `false`: one of the locks is not of an async commit.
    pub(super) fn add(&mut self, asked: usize, locks: &[LockInfo], commit_ts: u64) -> bool {
        if commit_ts != 0 {
            self.committed = Some(commit_ts);
        } else if locks.len() < asked {
            self.missing = true;
        }
        for lock in locks {
            if !lock.use_async_commit {
                return false;
            }
            self.min_commit_ts = self.min_commit_ts.max(lock.min_commit_ts);
        }
        true
    }

    /// Zero: rolled back.
    pub(super) fn commit_ts(&self) -> u64 {
        match self.committed {
            Some(commit_ts) => commit_ts,
            None if self.missing => 0,
            None => self.min_commit_ts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Secondaries;
    use tg_proto::kvrpcpb::LockInfo;

    fn lock(min_commit_ts: u64) -> LockInfo {
        LockInfo { min_commit_ts, use_async_commit: true, ..Default::default() }
    }

    #[test]
    fn the_end_follows_from_the_secondaries() {
        let check = |answers: &[(usize, Vec<LockInfo>, u64)], commit_ts: u64| {
            let mut state = Secondaries::new(&lock(10));
            for (asked, locks, commit_ts) in answers {
                assert!(state.add(*asked, locks, *commit_ts));
            }
            assert_eq!(state.commit_ts(), commit_ts);
        };
        check(&[], 10);
        check(&[(2, vec![lock(12), lock(11)], 0)], 12);
        check(&[(2, vec![lock(12)], 0)], 0);
        check(&[(1, vec![lock(12)], 0), (1, vec![], 15)], 15);
        assert!(!Secondaries::new(&lock(10)).add(1, &[LockInfo::default()], 0));
    }
}
