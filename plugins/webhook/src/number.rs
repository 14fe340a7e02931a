//! Names of events: the commit-ts and the number of the event among this lane's events of that commit-ts.

use tidegate_sdk::{Failure, state};

/// Key in the durable map.
const KEY: &str = "numbers";
/// Version of what is kept.
const VERSION: u8 = 1;

/// Counts the events of a lane. What was named up to the last flush is kept, so that a lane that is started again in the middle
/// of a commit-ts goes on where it was.
pub(crate) struct Numbers {
    commit_ts: u64,
    /// Events at `commit_ts` so far.
    count: u64,
}

impl Numbers {
    pub(crate) fn restored(source: &str) -> Result<Self, Failure> {
        let Some(kept) = state::get(KEY) else { return Ok(Self { commit_ts: 0, count: 0 }) };
        let read = |at: usize| kept.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
        match (kept.first(), read(1), read(9)) {
            (Some(&VERSION), Some(commit_ts), Some(count)) => Ok(Self { commit_ts, count }),
            _ => Err(Failure::unsupported(
                "webhook-state",
                format!("the kept numbers of {source} are of another version"),
            )),
        }
    }

    /// The name of the next event.
    pub(crate) fn next(&mut self, commit_ts: u64) -> String {
        if commit_ts != self.commit_ts {
            *self = Self { commit_ts, count: 0 };
        }
        self.count += 1;
        format!("{commit_ts}-{}", self.count)
    }

    /// Everything named so far is delivered.
    pub(crate) fn keep(&self) -> Result<(), Failure> {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.commit_ts.to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        state::set(KEY, &bytes).map_err(|e| Failure::fatal("webhook-state", e))
    }
}
