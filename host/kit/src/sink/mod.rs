//! Driving a sink as the host does.

mod broken;
mod calls;
mod drive;
mod positions;
mod schedule;

pub(crate) use broken::Broken;
pub(crate) use calls::may_pass;
pub(crate) use drive::{Done, Drive};
pub(crate) use positions::before;
pub(crate) use schedule::Schedule;
