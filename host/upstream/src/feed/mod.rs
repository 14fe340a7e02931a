//! Change feeds: from key ranges to changes and resolved timestamps.
//!
//! `control` decides (with `endings`, `ranges`, `stores`, `timers`, `locks`), `hub` is the one task that runs it,
//! `stream` is a task per connection that matches rows and delivers them into a `sink`: `codec` and `wire` read
//! messages, `rows` knows whose they are, `matcher` joins them, `held` and `early` keep what waits, within a
//! `budget` and beyond it on disk (`spill`).

mod budget;
mod codec;
mod control;
mod early;
mod effect;
mod endings;
mod frontier;
mod held;
mod hub;
mod limits;
mod loader;
mod locks;
mod matcher;
mod meters;
mod prewrite;
mod ranges;
mod rows;
mod sink;
mod spill;
mod stores;
mod stream;
mod timers;
mod wire;

pub(crate) use budget::Budget;
pub(crate) use hub::{Hub, HubHandle, Surroundings};
pub use limits::FeedLimits;
pub use sink::{FeedEvent, FeedReceiver, FeedSender, feed_channel};
pub(crate) use spill::SpillArea;

/// How a span is fed.
#[derive(Clone, Copy, Debug, Default)]
pub struct FeedOptions {
    /// Leave out changes that a change data capture wrote (they carry a source mark).
    pub filter_loop: bool,
}

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod holding_tests;
#[cfg(test)]
mod matcher_bench;
#[cfg(test)]
mod plain_matcher;

#[cfg(test)]
mod control_bench;
#[cfg(test)]
mod failure_tests;
