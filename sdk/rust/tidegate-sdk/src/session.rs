//! What an instance was started for.

use crate::{Attrs, Position};

/// What an instance was started for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Context {
    /// `namespace/name`.
    pub changefeed: String,
    /// Writer slot.
    pub slot: u32,
    /// This instance writes lane `lane` of `lanes`. The instance that runs DDL has `lane == lanes`.
    pub lane: u32,
    /// Lanes of the slot.
    pub lanes: u32,
    /// Fencing token: (owner revision, number). Greater means newer.
    pub epoch: (u64, u64),
    /// JSON text of the plugin's part of the changefeed's configuration.
    pub config: String,
    /// Everything up to here is durable already.
    pub checkpoint: Position,
    /// What this plugin (or the version before it) returned with its last acknowledged barrier.
    pub state: Option<Vec<u8>>,
    /// Names the instance may open with the capability interfaces.
    pub endpoints: Vec<String>,
    /// Newest TGR1 minor the host writes.
    pub tgr_minor: u32,
    /// For growth.
    pub attrs: Attrs,
}

/// Milliseconds of guest time left before the call in progress is interrupted.
#[must_use]
pub fn deadline_ms() -> u32 {
    #[cfg(target_arch = "wasm32")]
    {
        crate::guest::base::tidegate::plugin::session::deadline_ms()
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        crate::native::with(|h| h.deadline_ms()).unwrap_or(u32::MAX)
    }
}
