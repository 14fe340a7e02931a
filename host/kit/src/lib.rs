//! The conformance kit: a component against the plugin contract, without a cluster.
//!
//! Does: generate and replay rows and schema changes, stand in for every capability in memory with scripted faults, drive one
//! sink, dispatcher or transform as the host would (also through crashes, swaps and repeats), compare what came of it, say what is
//! wrong and how to see it again; measure a component against one that does nothing; look a component over; run a person's own
//! examples ([`Examples`]).
//! Does not: compile plugins, talk to any server, or know a downstream's dialect beyond what sinks usually write.
//!
//! Invariants:
//! - The same component, seed and version of the kit give the same verdict.
//! - Two runs are compared by what is left in the capabilities, never by time or by the number of calls.
//! - What the kit holds in memory is bounded by the corpus: a guest that floods a capability is refused.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bench;
mod checks;
mod codes;
mod corpus;
mod error;
mod examples;
mod inspect;
mod logs;
mod report;
mod rng;
mod run;
mod settings;
mod sink;
mod sql;
mod subject;
mod world;

pub use bench::{Measured, bench};
pub use codes::CODES;
pub use corpus::generated;
pub use corpus::{Cell, Change, Corpus, Event, FORMAT as CORPUS_FORMAT};
pub use error::KitError;
pub use examples::Examples;
pub use inspect::{Asked, Looked, Remark, Weight, look};
pub use report::{Line, Report, Result};
pub use run::{Options, checks, kind_name, run};
pub use settings::{SETTINGS_FILE, Settings};
pub use subject::Subject;
pub use world::GrantNames;
