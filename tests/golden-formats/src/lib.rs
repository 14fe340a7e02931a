//! Recordings of a real cluster, and what TiCDC wrote for the same changes.
//!
//! Does: read a recording and play it through schema store and mounter as rows and DDL in commit order; read the topics and
//! files beside it; set aside what belongs to a run.
//! Does not: belong to the product. Where the recordings are missing, tests say so and pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod host;
mod recording;
mod replay;
mod topic;

pub use recording::folder;
pub use replay::{Change, Item, replay};
pub use topic::{Record, files, topic};
