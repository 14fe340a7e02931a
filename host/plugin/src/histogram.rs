//! Counts by size, without locks.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Upper ends of the buckets, 1, 2 and 5 of each decade: seconds from a microsecond on, and lengths.
pub const BOUNDS: [f64; 37] = [
    1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1, 2e-1, 5e-1, 1e0,
    2e0, 5e0, 1e1, 2e1, 5e1, 1e2, 2e2, 5e2, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6,
];

/// Counts of values at most as great as each bound, and of those beyond.
#[derive(Debug)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    /// Bits of a double.
    sum: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BOUNDS.len() + 1], sum: AtomicU64::new(0) }
    }
}

/// A histogram as it was at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// Values seen in each bucket of [`BOUNDS`], and beyond the last.
    pub buckets: Vec<u64>,
    /// Sum of all values.
    pub sum: f64,
}

impl Snapshot {
    /// Values seen.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

impl Histogram {
    /// Counts a value. What is no number is not counted.
    pub fn observe(&self, v: f64) {
        if v.is_nan() {
            return;
        }
        let at = BOUNDS.partition_point(|bound| *bound < v);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Relaxed);
        }
        // Never fails: the closure always answers.
        let _ = self.sum.fetch_update(Relaxed, Relaxed, |bits| Some((f64::from_bits(bits) + v).to_bits()));
    }

    /// The counts now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let buckets = self.buckets.iter().map(|b| b.load(Relaxed)).collect();
        Snapshot { buckets, sum: f64::from_bits(self.sum.load(Relaxed)) }
    }
}

#[cfg(test)]
mod tests {
    use super::{BOUNDS, Histogram};

    #[test]
    fn values_fall_into_the_first_bucket_that_holds_them() {
        let h = Histogram::default();
        for v in [0.0, 1e-6, 3e-6, 1e6, 1e9, f64::NAN, -5.0] {
            h.observe(v);
        }
        let s = h.snapshot();
        assert_eq!((s.buckets[0], s.buckets[2], s.buckets[36], s.buckets[37]), (3, 1, 1, 1));
        assert_eq!(s.count(), 6);
        assert!((s.sum - 1_000_999_995.000_004).abs() < 1e-3, "{}", s.sum);
        assert!(BOUNDS.is_sorted());
    }
}
