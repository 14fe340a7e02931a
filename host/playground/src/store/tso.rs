//! The timestamp oracle: strictly rising, close to the wall clock.

use parking_lot::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// Bits of the logical counter.
const LOGICAL_BITS: u32 = 18;
/// Values of the logical counter per millisecond.
const LOGICAL_MAX: u64 = 1 << LOGICAL_BITS;

/// Gives timestamps; each is higher than all before.
#[derive(Debug, Default)]
pub struct Tso {
    last: Mutex<u64>,
}

impl Tso {
    /// The next timestamp.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.batch(1)
    }

    /// Takes `count` timestamps with the same physical part and gives the last; zero counts as one,
    /// and no more than one millisecond holds are given at once.
    #[must_use]
    pub fn batch(&self, count: u32) -> u64 {
        let count = u64::from(count).clamp(1, LOGICAL_MAX - 1);
        let now = now_ms() << LOGICAL_BITS;
        let mut last = self.last.lock();
        let base = (*last).max(now);
        let fits = base % LOGICAL_MAX + count < LOGICAL_MAX;
        let base = if fits { base } else { ((base >> LOGICAL_BITS) + 1) << LOGICAL_BITS };
        *last = base + count;
        *last
    }

    /// The highest timestamp given so far, or the present moment if that is later.
    #[must_use]
    pub fn now(&self) -> u64 {
        (*self.last.lock()).max(now_ms() << LOGICAL_BITS)
    }
}

/// Unix milliseconds.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

/// The timestamp `ms` milliseconds before `ts`.
pub(crate) const fn back_ms(ts: u64, ms: u64) -> u64 {
    ts.saturating_sub(ms << LOGICAL_BITS)
}

/// Unix milliseconds of a timestamp.
pub(crate) const fn physical_ms(ts: u64) -> u64 {
    ts >> LOGICAL_BITS
}
