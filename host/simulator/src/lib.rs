//! The cluster's state machines in virtual time.
//!
//! Does: run whole clusters of [`tg_cluster::Node`]s against a simulated network, metadata store, upstream and downstream,
//! with faults drawn from a seed; check after every event what the protocol promises, and at the end that all is well again;
//! take single rules out of the protocol and expect to notice; measure, in virtual time, how long things take.
//!
//! Does not: have a state machine of its own for anything the product decides.
//!
//! Invariants:
//! - A run is a function of its scenario, its rules and nothing else: a seed that fails, fails again.
//!
//! Checked of the protocol:
//! - no write lands under an epoch below one that wrote before it (no zombie);
//! - no row is skipped, and none is written twice where the sink keeps positions;
//! - a row is written under the schema of its commit, DDLs run once, at a barrier that is exact;
//! - a stored checkpoint is complete, and never goes back;
//! - an owner that was replaced changes nothing in the metadata;
//! - some time after the last fault everything is written, and every slot is where it belongs.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod downstream;
mod fault;
mod holder;
mod judge;
pub mod measure;
mod metadata;
mod meter;
mod network;
mod process;
mod rng;
mod run;
mod scenario;
mod sinks;
mod source;
mod trace;
mod upstream;
mod world;

pub use run::{Outcome, run};
pub use scenario::{Fault, FaultKind, Scenario, SinkKind};
pub use trace::Trace;
pub use world::Counts;
