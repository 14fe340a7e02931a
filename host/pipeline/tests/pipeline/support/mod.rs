//! A downstream that records, an upstream that is watched, and what both must agree on.

mod check;
mod dispatcher;
mod downstream;
mod faults;
mod reference;
mod sink;
mod store;
mod world;

pub(crate) use check::Guarantee;
pub(crate) use downstream::Seen;
pub(crate) use faults::Faults;
pub(crate) use world::{Layout, World, small_sorter};
