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
