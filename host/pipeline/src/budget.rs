//! How many stops of plugins a run forgives.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Stops of one kind of instance in one place that are mended within [`WINDOW`]; one more ends the run, which then waits.
const STOPS_MAX: usize = 100;
/// See [`STOPS_MAX`].
const WINDOW: Duration = Duration::from_secs(600);
/// Wait before an instance is started again when the one before did not get anything done.
const WAIT_MIN: Duration = Duration::from_millis(5);
/// Longest such wait.
const WAIT_MAX: Duration = Duration::from_millis(250);

/// Counts the stops of one place.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    stops: VecDeque<Instant>,
    in_a_row: u32,
}

impl Budget {
    /// A stop. The time to wait before the next start; `None`: it is one too many.
    pub(crate) fn stopped(&mut self, now: Instant) -> Option<Duration> {
        while self.stops.front().is_some_and(|at| now.saturating_duration_since(*at) > WINDOW) {
            self.stops.pop_front();
        }
        if self.stops.len() >= STOPS_MAX {
            return None;
        }
        self.stops.push_back(now);
        self.in_a_row += 1;
        let doublings = self.in_a_row.saturating_sub(2).min(10);
        Some(if self.in_a_row == 1 { Duration::ZERO } else { (WAIT_MIN * (1 << doublings)).min(WAIT_MAX) })
    }

    /// Stops since something last got done.
    pub(crate) const fn in_a_row(&self) -> u32 {
        self.in_a_row
    }

    /// Something got done.
    pub(crate) const fn worked(&mut self) {
        self.in_a_row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, STOPS_MAX, WAIT_MAX, WAIT_MIN, WINDOW};
    use std::time::{Duration, Instant};

    #[test]
    fn the_first_start_waits_for_nothing_and_later_ones_longer_and_longer() {
        let (mut b, now) = (Budget::default(), Instant::now());
        let waits: Vec<_> = (0..4).filter_map(|_| b.stopped(now)).collect();
        assert_eq!(waits, [Duration::ZERO, WAIT_MIN, WAIT_MIN * 2, WAIT_MIN * 4]);
        b.worked();
        assert_eq!(b.stopped(now), Some(Duration::ZERO));
        (0..20).for_each(|_| assert!(b.stopped(now).is_some_and(|w| w <= WAIT_MAX)));
    }

    #[test]
    fn too_many_within_the_window_are_too_many_and_old_ones_are_forgotten() {
        let (mut b, now) = (Budget::default(), Instant::now());
        (0..STOPS_MAX).for_each(|_| assert!(b.stopped(now).is_some()));
        assert_eq!(b.stopped(now), None);
        assert!(b.stopped(now + WINDOW + Duration::from_secs(1)).is_some());
    }
}
