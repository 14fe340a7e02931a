//! The pipeline between an embedded upstream and a downstream that records what it holds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod away;
mod bounds;
mod canary;
mod changes;
mod ddls;
mod measure;
mod quarantine;
mod resumed;
mod stages;
mod support;
mod swaps;
mod sync_points;
