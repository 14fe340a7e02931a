//! Where a row goes in Kafka: topic expressions and partitions, with TiCDC's hash and so with its partition numbers.
//!
//! Does: fill `{schema}` and `{table}` in topic names and escape what topics must not hold; compute partitions by table, index
//! value, columns or commit-ts.
//! Does not: match tables with rules, know topics' partition counts, or send anything.
//!
//! Invariants:
//! - The same row goes to the same partition for ever as long as the number of partitions stays.
//! - Names in the hash are those of the source, not of a route.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod hash;
mod partition;
mod topic;

pub use hash::PositionHash;
pub use partition::{PartitionRule, Partitioner};
pub use topic::{TopicError, TopicExpression};
