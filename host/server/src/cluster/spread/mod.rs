//! The slots of one changefeed on several nodes.
//!
//! The node that has the run of a changefeed keeps its schema, DDLs and progress, and has other nodes run some of its slots, over a pipe to
//! each. Only sinks that their downstream fences are spread: a slot whose run is over is ended by the epoch of the next, whatever it has
//! heard. When the nodes change, the run ends at a cut and another begins with its slots elsewhere.

mod carry;
mod host;
mod keep;
mod placement;
mod places;
mod wire;

pub(super) use host::take_pipes;
pub(crate) use placement::{Place, Spreading};
pub(crate) use places::Spread;
