//! The client of a TiDB cluster: timestamps, regions, reads at a timestamp, holds on garbage
//! collection, and change feeds of key ranges.
//!
//! Does: follow PD's leader and the regions through splits, merges and moves; match prewrites and
//! commits into changes; tell how far a span is complete; resolve locks of dead transactions.
//! Does not: decode keys and values, order changes by commit-ts, remember anything across restarts.
//!
//! Invariants:
//! - After `Resolved { span, ts }` no change of the span with a commit-ts at or below `ts` is delivered.
//! - `Resolved` of a span rises, and is at or above the start of its subscription.
//! - A change may be delivered more than once, always with the same (key, commit-ts) and content.
//! - No read or lock request carries a timestamp that the cluster's oracle has not yet passed.
//! - Rows that wait for their commit are bounded in memory and, given a directory, on disk.
//! - What waits for a slow consumer is bounded in bytes; a stream that stays unread is given up before
//!   the store's memory runs full, and made anew from the resolved-ts of its regions.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![allow(clippy::cast_possible_truncation, reason = "counts and indexes of things held in memory")]

mod cache;
mod client;
mod codes;
mod config;
mod error;
mod feed;
mod key;
mod kv;
mod net;
mod pd;
mod region;
mod stat;
mod stores;
mod version;

pub use client::Upstream;
pub use codes::CODES;
pub use config::{TlsPaths, UpstreamConfig};
pub use error::UpstreamError;
pub use feed::{FeedEvent, FeedLimits, FeedOptions, FeedReceiver, FeedSender, feed_channel};
pub use kv::{Pair, Scanner, Snapshot};
pub use stat::{RegionStat, Resubscriptions, UpstreamStats};

use tg_model::Ts;

#[cfg(test)]
mod tests {
    use crate::{CODES, UpstreamError};
    use tg_model::Coded;

    #[test]
    fn every_error_has_a_page_of_its_own() {
        let samples = UpstreamError::samples();
        for error in &samples {
            let pages = CODES.iter().filter(|p| p.code == error.code()).count();
            assert_eq!(pages, 1, "{error:?}");
            assert_eq!(samples.iter().filter(|e| e.code() == error.code()).count(), 1, "{error:?}");
        }
        assert_eq!(CODES.len(), samples.len());
    }
}
