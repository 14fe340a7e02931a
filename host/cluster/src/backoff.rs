//! When to try a changefeed again after an error.

/// First wait.
pub const WAIT_MIN_MS: u64 = 1_000;
/// Longest wait between two tries.
pub const WAIT_MAX_MS: u64 = 60_000;
/// Retryable errors for this long without progress make the changefeed `failed`: 30 minutes, as users of TiCDC know it.
pub const GIVE_UP_AFTER_MS: u64 = 30 * 60 * 1_000;

/// What to do after an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BackoffStep {
    /// State `warning`; start again after this many milliseconds.
    RetryAfterMs(u64),
    /// State `failed`: a person has to look.
    GiveUp,
}

/// Doubles the wait with every error in a row; progress of the checkpoint starts it over.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    errors_in_a_row: u32,
    first_error_ms: Option<u64>,
}

impl Backoff {
    /// The checkpoint moved: all is well.
    pub fn progressed(&mut self) {
        *self = Self::default();
    }

    /// An error happened at `now_ms` of any monotonic clock.
    pub fn failed(&mut self, now_ms: u64, retryable: bool) -> BackoffStep {
        let since = *self.first_error_ms.get_or_insert(now_ms);
        if !retryable || now_ms.saturating_sub(since) >= GIVE_UP_AFTER_MS {
            return BackoffStep::GiveUp;
        }
        let wait = WAIT_MIN_MS.saturating_mul(1 << self.errors_in_a_row.min(16)).min(WAIT_MAX_MS);
        self.errors_in_a_row = self.errors_in_a_row.saturating_add(1);
        BackoffStep::RetryAfterMs(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, BackoffStep, GIVE_UP_AFTER_MS};

    #[test]
    fn waits_double_up_to_the_bound_and_start_over_after_progress() {
        let mut b = Backoff::default();
        let waits: Vec<_> = (0..8).map(|i| b.failed(i, true)).collect();
        let ms = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000];
        assert_eq!(waits, ms.map(BackoffStep::RetryAfterMs));
        b.progressed();
        assert_eq!(b.failed(9, true), BackoffStep::RetryAfterMs(1_000));
    }

    #[test]
    fn fatal_errors_and_half_an_hour_without_progress_give_up() {
        assert_eq!(Backoff::default().failed(0, false), BackoffStep::GiveUp);
        let mut b = Backoff::default();
        assert_eq!(b.failed(5, true), BackoffStep::RetryAfterMs(1_000));
        assert_eq!(b.failed(5 + GIVE_UP_AFTER_MS, true), BackoffStep::GiveUp);
    }
}
