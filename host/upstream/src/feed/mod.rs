//! Change feeds: from key ranges to changes and resolved timestamps.
//!
//! `control` decides (with `endings`, `ranges`, `stores`, `timers`, `locks`), `hub` is the one task that runs it,
//! `stream` is a task per connection that matches rows (`matcher`) and delivers them into a `sink`.

mod control;
mod effect;
mod endings;
mod frontier;
mod hub;
mod limits;
mod loader;
mod locks;
mod matcher;
mod ranges;
mod rows;
mod sink;
mod stores;
mod stream;
mod timers;

pub(crate) use hub::{Hub, HubHandle, Surroundings};
pub use limits::FeedLimits;
pub use sink::{FeedEvent, FeedReceiver, FeedSender, feed_channel};

/// How a span is fed.
#[derive(Clone, Copy, Debug, Default)]
pub struct FeedOptions {
    /// Leave out changes that a change data capture wrote (they carry a source mark).
    pub filter_loop: bool,
}

#[cfg(test)]
mod golden_tests;

#[cfg(test)]
mod control_bench;
#[cfg(test)]
mod failure_tests;
