//! Who writes a lane.

use crate::{Fault, FaultKind};
use std::fmt;
use tg_plugin::grant::LaneContext;

/// What an instance claims: to be the writer of a lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaneClaim {
    /// `namespace/name`, with the incarnation behind `#` if there is one.
    pub changefeed: String,
    /// Writer slot.
    pub slot: u32,
    /// Lane; `lane == lanes` is the one that runs DDL.
    pub lane: u32,
    /// Lanes of the slot.
    pub lanes: u32,
    /// Fencing token: (owner revision, number). Greater is newer.
    pub epoch: (u64, u64),
}

impl LaneClaim {
    /// Of an instance in its lane. `incarnation` tells its changefeed from earlier ones of the name, and may be empty.
    #[must_use]
    pub fn of(lane: &LaneContext, lanes: u32, incarnation: &str) -> Self {
        let changefeed = match incarnation {
            "" => lane.changefeed.to_string(),
            incarnation => format!("{}#{incarnation}", lane.changefeed),
        };
        Self { changefeed, slot: lane.slot.0.into(), lane: lane.lane.0.into(), lanes, epoch: lane.epoch }
    }

    /// Whether the slot has such a lane.
    ///
    /// # Errors
    /// [`FaultKind::Refused`] when it has not.
    pub fn check(&self) -> Result<(), Fault> {
        if self.lane <= self.lanes {
            return Ok(());
        }
        Err(Fault::own(FaultKind::Refused, &format!("claiming {self}"), format!("the slot has {} lanes", self.lanes)))
    }
}

impl fmt::Display for LaneClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lane {} of slot {} of {}", self.lane, self.slot, self.changefeed)
    }
}
