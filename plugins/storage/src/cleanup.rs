//! Removing folders by day that have expired.

use crate::config::Config;
use tg_format_storage::{DataPath, DateFolder};
use tidegate_sdk::object_store::Bucket;
use tidegate_sdk::{Failure, log};

/// Names looked at in one tick.
const PAGE: u32 = 1000;
/// Objects removed in one tick.
const REMOVED_MAX: usize = 200;
/// Seconds between two ticks that are made up for.
const MISSED_MAX_SECS: u64 = 600;
const DAY_MS: u64 = 86_400_000;

/// See the module.
pub(crate) struct Cleanup {
    days: u64,
    schedule: Schedule,
    /// The second that was looked at last.
    seen: Option<u64>,
    /// A round is under way: the last path that was looked at.
    at: Option<String>,
    removed: usize,
}

impl Cleanup {
    /// `None`: nothing expires.
    pub(crate) fn new(config: &Config) -> Result<Option<Self>, Failure> {
        if config.file_expiration_days == 0 || config.dates()? != DateFolder::Day {
            return Ok(None);
        }
        let schedule = Schedule::parse(&config.file_cleanup_cron_spec);
        let schedule = schedule.map_err(|e| Failure::fatal("config", format!("file-cleanup-cron-spec: {e}")))?;
        Ok(Some(Self { days: config.file_expiration_days.into(), schedule, seen: None, at: None, removed: 0 }))
    }

    /// Looks at a part of the names, if it is time.
    pub(crate) fn tick(&mut self, bucket: &Bucket, now_ms: u64, checkpoint_ms: u64) -> Result<(), Failure> {
        let now = now_ms / 1000;
        let from = self.seen.map_or(now, |seen| (seen + 1).max(now.saturating_sub(MISSED_MAX_SECS)));
        self.seen = Some(now.max(self.seen.unwrap_or(0)));
        if self.at.is_none() && (from..=now).any(|second| self.schedule.is_at(second)) {
            self.at = Some(String::new());
            self.removed = 0;
        }
        let Some(after) = self.at.clone() else { return Ok(()) };
        let oldest = DateFolder::Day.folder(checkpoint_ms.saturating_sub(self.days * DAY_MS)).unwrap_or_default();
        let page = bucket.list("", &after, PAGE)?;
        let whole = page.len() < PAGE as usize;
        let mut removed = 0;
        for object in &page {
            if removed >= REMOVED_MAX {
                return Ok(());
            }
            if is_expired(&object.path, &oldest) {
                bucket.delete(&object.path)?;
                removed += 1;
                self.removed += 1;
            }
            self.at = Some(object.path.clone());
        }
        if whole {
            self.at = None;
            let removed = self.removed.to_string();
            log::log(log::Level::Info, "expired files are removed", &[("files", &removed), ("before", &oldest)]);
        }
        Ok(())
    }
}

/// Whether a path is of a folder of a day before this one.
fn is_expired(path: &str, oldest: &str) -> bool {
    let dir = match DataPath::parse(path) {
        Some(DataPath::Data { dir, .. } | DataPath::Index { dir, .. }) => dir,
        None => return false,
    };
    dir.date.is_some_and(|date| date.len() == oldest.len() && date.as_str() < oldest)
}

/// A cron expression: second, minute, hour, day of the month, month, day of the week (0: Sunday), in UTC.
struct Schedule([u64; 6]);

/// Least and greatest value of each field.
const LIMITS: [(u32, u32); 6] = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];

impl Schedule {
    fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let fields: [&str; 6] =
            fields.try_into().map_err(|_| format!("`{text}` is not of six fields, for example `0 0 2 * * *`"))?;
        let mut sets = [0; 6];
        for ((set, field), limits) in sets.iter_mut().zip(fields).zip(LIMITS) {
            for part in field.split(',') {
                *set |= values(part, limits).ok_or_else(|| {
                    format!("`{part}` is no value from {} to {}, range, `*` or step", limits.0, limits.1)
                })?;
            }
        }
        Ok(Self(sets))
    }

    fn is_at(&self, second: u64) -> bool {
        let date = DateFolder::Day.folder(second * 1000).unwrap_or_default();
        let part = |n: usize| date.split('-').nth(n).and_then(|t| t.parse().ok()).unwrap_or(0);
        // 1 January 1970 was a Thursday.
        let week_day = (second / 86_400 + 4) % 7;
        let now = [second % 60, second / 60 % 60, second / 3600 % 24, part(2), part(1), week_day];
        self.0.iter().zip(now).all(|(set, value)| set >> value & 1 == 1)
    }
}

/// The values of one part of a field as bits: `*`, `5`, `1-5`, `*/10`, `1-30/5`.
fn values(part: &str, (least, greatest): (u32, u32)) -> Option<u64> {
    let (range, step) = part.split_once('/').map_or((part, "1"), |(range, step)| (range, step));
    let step: usize = step.parse().ok().filter(|s| *s > 0)?;
    let (from, to) = match range.split_once('-') {
        _ if matches!(range, "*" | "?") => (least, greatest),
        Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
        None => (range.parse().ok()?, range.parse().ok()?),
    };
    let fits = least <= from && from <= to && to <= greatest;
    fits.then(|| (from..=to).step_by(step).fold(0, |set, value| set | 1 << value))
}

#[cfg(test)]
mod tests {
    use super::{Schedule, is_expired};

    #[test]
    fn schedules_are_read() {
        // 2026-11-29 was a Sunday.
        let two_in_the_morning = 1_795_917_600;
        let at = |text: &str, second| Schedule::parse(text).unwrap().is_at(second);
        assert!(at("0 0 2 * * *", two_in_the_morning) && !at("0 0 2 * * *", two_in_the_morning + 1));
        assert!(at("0 */10 1-3 29 11 0", two_in_the_morning));
        assert!(at("*/5 * * * * ?", two_in_the_morning + 25) && !at("*/5 * * * * *", two_in_the_morning + 26));
        assert!(!at("0 0 2 * * 1-6", two_in_the_morning));
        for bad in ["", "* * * * *", "60 * * * * *", "5-1 * * * * *", "x * * * * *", "*/0 * * * * *", "0 0 2 0 * *"] {
            assert!(Schedule::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_folders_by_day_expire() {
        let yes = |path: &str| is_expired(path, "2026-11-20");
        assert!(yes("d/t/1/2026-11-19/CDC000001.csv") && yes("d/t/1/5555/2026-11-19/meta/CDC.index"));
        for kept in [
            "d/t/1/2026-11-20/CDC000001.csv",
            "d/t/meta/schema_1_0000000001.json",
            "d/t/1/2026/CDC000001.csv",
            "metadata",
            "_tidegate/default/f/-/0-0/00000000000000000001.manifest",
        ] {
            assert!(!yes(kept), "{kept}");
        }
    }
}
