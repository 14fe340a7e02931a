//! Removes stored messages that have been kept long enough: a few in each pass, and only files that this changefeed named.

use tidegate_sdk::Failure;
use tidegate_sdk::object_store::Bucket;

/// Names that one pass looks at.
const LOOKED_AT_MAX: u32 = 256;
/// Files that one pass removes: watermarks wait as long as that takes.
const REMOVED_MAX: usize = 32;
/// Milliseconds between the end of one round over all files and the next.
const REST_MS: u64 = 20_000;
/// Bits of a timestamp below the milliseconds.
const LOGICAL_BITS: u32 = 18;
/// Digits of a commit-ts and of a hash in names.
const TS_DIGITS: usize = 20;
const HASH_DIGITS: usize = 16;

/// Names the files of a changefeed that removes what is old.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark(u64);

impl Mark {
    /// Of the changefeed with this name.
    pub(crate) fn of(changefeed: &str) -> Self {
        Self(crate::claims::fnv(changefeed.as_bytes()))
    }

    /// What stands in a name between its hash and its ending.
    pub(crate) fn text(self) -> String {
        format!("-{:016x}", self.0)
    }

    /// The commit-ts in a name that this changefeed gave; `None`: another did.
    fn commit_ts(self, name: &str) -> Option<u64> {
        let (ts, rest) = name.split_at_checked(TS_DIGITS)?;
        let (hash, rest) = rest.strip_prefix('-')?.split_at_checked(HASH_DIGITS)?;
        let is_hash = hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let ours = is_hash && rest.strip_suffix(".json") == Some(&self.text());
        ts.parse().ok().filter(|_| ours && ts.bytes().all(|b| b.is_ascii_digit()))
    }
}

/// See the module.
pub(crate) struct Retention {
    mark: Mark,
    keep_ms: u64,
    /// The last name that this round looked at.
    after: String,
    /// When the next pass is due.
    due_ms: u64,
}

impl Retention {
    pub(crate) const fn new(mark: Mark, keep_ms: u64) -> Self {
        Self { mark, keep_ms, after: String::new(), due_ms: 0 }
    }

    /// Looks at the next few files, if it is time. Answers how many were removed.
    pub(crate) fn pass(&mut self, bucket: &Bucket, now_ms: u64) -> Result<usize, Failure> {
        if now_ms < self.due_ms {
            return Ok(0);
        }
        let removed = self.look(bucket, now_ms);
        if removed.is_err() {
            self.due_ms = now_ms.saturating_add(REST_MS);
        }
        removed
    }

    fn look(&mut self, bucket: &Bucket, now_ms: u64) -> Result<usize, Failure> {
        let oldest_ms = now_ms.saturating_sub(self.keep_ms);
        let found = bucket.list("", &self.after, LOOKED_AT_MAX)?;
        let mut removed = 0;
        let mut ended = found.is_empty();
        for object in found {
            if removed == REMOVED_MAX {
                break;
            }
            if let Some(commit_ts) = self.mark.commit_ts(&object.path) {
                // Names are in order of commit, and a row is stored after its commit: all from here on are too young.
                if commit_ts >> LOGICAL_BITS >= oldest_ms {
                    ended = true;
                    break;
                }
                // A changefeed that is behind stores old rows: what counts is how long the file has been there.
                if object.modified_ms < oldest_ms {
                    bucket.delete(&object.path)?;
                    removed += 1;
                }
            }
            self.after = object.path;
        }
        if ended {
            self.after.clear();
            self.due_ms = now_ms.saturating_add(REST_MS);
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::Mark;

    #[test]
    fn only_names_that_this_changefeed_gave_are_its_own() {
        let mark = Mark::of("default/f");
        let name = format!("00000463267587686400-0123456789abcdef{}.json", mark.text());
        assert_eq!(mark.commit_ts(&name), Some(463_267_587_686_400));
        let other = Mark::of("default/g").text();
        for foreign in [
            String::new(),
            "ünïcödé-ünïcödé-ünïcödé".to_owned(),
            "00000463267587686400-0123456789abcdef.json".to_owned(),
            format!("00000463267587686400-0123456789abcdef{other}.json"),
            format!("a/{name}"),
            format!("{name}.tmp"),
            name.replace(".json", ".csv"),
            name.replace("abcdef", "ABCDEF"),
            name.replacen('0', "+", 1),
            name.replacen("0000", "", 1),
        ] {
            assert_eq!(mark.commit_ts(&foreign), None, "{foreign}");
        }
    }
}
