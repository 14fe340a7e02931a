//! Where units of work go: which node gets what has no place, and what moves so that nodes are even.
//!
//! Does: turn a view of nodes and units into decisions, each with its reason in words. Checkers come first and see to what must
//! be (work without a place, nodes that are drained); schedulers see to what is nice (counts, load) and only while nothing else
//! is under way.
//! Does not: know what a unit is, move anything, read a clock.
//!
//! Invariants:
//! - A decision's receiver takes work, and is not where the unit is.
//! - Moves under way, those of a plan included, never exceed the limits.
//! - A unit that was moved for balance rests for the cool-down, whatever happens to the averages.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod history;
mod limits;
mod plan;
mod view;

pub use history::{HISTORY_MAX, History};
pub use limits::{LIMITS, Limit, Limits, MOVES_PER_MINUTE_MAX};
pub use plan::Balancer;
pub use view::{Decision, Node, NodeId, Unit, UnitId, View, Why};
