//! Constants of the feed.

/// Bounds and delays; the defaults suit production, tests shorten the delays.
#[derive(Clone, Debug)]
pub struct FeedLimits {
    /// Streams per store and consumer.
    pub streams_per_store: u32,
    /// Subscriptions of a store whose scans run or wait there. TiKV runs 6 scans at once; more only hide latency.
    pub scans_per_store: usize,
    /// First delay of a retry; doubles.
    pub backoff_min_ms: u64,
    /// Longest delay of a retry.
    pub backoff_max_ms: u64,
    /// Longest wait that a busy store may ask for.
    pub busy_max_ms: u64,
    /// Wait before a store is called again after a stream to it broke.
    pub reconnect_ms: u64,
    /// Failures of a region in a row before PD is asked again.
    pub retries_before_reload: u32,
    /// Breaches of the feed's rules that a span survives.
    pub violations_max: u32,
    /// How long a stream may go unread because its consumer is slow. Then it is given up, and opened
    /// again when the consumer has caught up, before TiKV's memory for feeds runs full.
    pub unread_max_ms: u64,
    /// How long a stream may carry nothing before it is closed; longer than a retry or a look at PD takes.
    pub idle_stream_ms: u64,
    /// Memory for rows that wait for their commit, over all feeds of a client; more goes to disk, or is an
    /// error without one. Above it come the messages of the last moments (some 4 MiB per stream) and
    /// about 25 bytes per row on disk.
    pub unmatched_max_bytes: usize,
    /// Most that rows that wait for their commit may take on disk.
    pub spill_max_bytes: u64,
    /// Pause between two looks at stuck spans.
    pub lock_check_ms: u64,
    /// How long, and how far behind the clock, a span stands still before its locks are looked at.
    pub lock_fence_ms: u64,
    /// Pause between two looks at the locks of one region.
    pub lock_region_ms: u64,
    /// Regions whose locks are looked at per check.
    pub lock_regions_max: usize,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self {
            streams_per_store: 2,
            scans_per_store: 64,
            backoff_min_ms: 50,
            backoff_max_ms: 2_000,
            busy_max_ms: 600_000,
            reconnect_ms: 1_000,
            retries_before_reload: 3,
            violations_max: 8,
            unread_max_ms: 30_000,
            idle_stream_ms: 10_000,
            unmatched_max_bytes: 64 << 20,
            spill_max_bytes: 64 << 30,
            lock_check_ms: 2_000,
            lock_fence_ms: 4_000,
            lock_region_ms: 10_000,
            lock_regions_max: 64,
        }
    }
}

impl FeedLimits {
    /// Delay of the `attempt`-th retry (from 1): doubling, somewhere between half and whole.
    pub(crate) fn backoff_ms(&self, attempt: u32, random: &mut u64) -> u64 {
        const DOUBLINGS_MAX: u32 = 20;
        let whole = (self.backoff_min_ms << attempt.saturating_sub(1).min(DOUBLINGS_MAX)).min(self.backoff_max_ms);
        whole - next_random(random) % (whole / 2 + 1)
    }
}

/// The xorshift generator of Marsaglia with 64 bits of state, which must not be zero.
fn next_random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[cfg(test)]
mod tests {
    use super::FeedLimits;

    #[test]
    fn backoff_doubles_to_its_limit() {
        let limits = FeedLimits::default();
        let mut random = 7;
        for (attempt, whole) in [(1, 50), (2, 100), (6, 1600), (7, 2000), (60, 2000)] {
            for _ in 0..100 {
                let delay = limits.backoff_ms(attempt, &mut random);
                assert!((whole / 2..=whole).contains(&delay), "{attempt}: {delay}");
            }
        }
    }
}
