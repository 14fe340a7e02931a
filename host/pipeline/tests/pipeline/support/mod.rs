//! A downstream that records, an upstream that is watched, and what both must agree on.

mod check;
mod dispatcher;
mod downstream;
mod elsewhere;
mod faults;
mod noting;
mod plugins;
mod reference;
mod sink;
mod store;
mod transform;
mod world;

pub(crate) use check::Guarantee;
pub(crate) use dispatcher::TARGETS;
pub(crate) use downstream::Seen;
pub(crate) use elsewhere::Wire;
pub(crate) use faults::Faults;
pub(crate) use plugins::{Flaw, Version};
pub(crate) use transform::passes;
pub(crate) use world::{Layout, Run, World, small_sorter};
