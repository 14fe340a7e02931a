//! Plain values of the public interface.

use tg_model::Ts;

/// One region of a subscribed span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RegionStat {
    /// Region id.
    pub region: u64,
    /// Store of its leader; zero when unknown.
    pub store: u64,
    /// Resolved-ts of the part that lies in the span.
    pub resolved: Ts,
    /// Its scan is complete and it follows live.
    pub initialized: bool,
    /// Failures since the last completed scan.
    pub attempts: u32,
}

/// Why regions were subscribed again, counted since the client was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Resubscriptions {
    /// The region's leader had moved.
    pub not_leader: u64,
    /// The region had been split, merged or moved away.
    pub range_changed: u64,
    /// The store was busy or congested, or refused for another reason.
    pub refused: u64,
    /// The region's rows made no sense.
    pub broken_rules: u64,
    /// Streams that broke, or were given up because their consumer was slow; each with all its regions.
    pub streams_lost: u64,
}

/// What a client's feeds do and hold. Counts are since the client was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UpstreamStats {
    /// Regions that are registered now.
    pub regions: u64,
    /// Connections for feeds now.
    pub streams: u64,
    /// Bytes of feed messages received.
    pub received_bytes: u64,
    /// Passes over the locks of a region that held the resolved-ts back.
    pub lock_passes: u64,
    /// Memory of rows that wait for their commit.
    pub unmatched_bytes: u64,
    /// What rows that wait for their commit take on disk.
    pub spilled_bytes: u64,
    /// Why regions were subscribed again.
    pub resubscriptions: Resubscriptions,
}
