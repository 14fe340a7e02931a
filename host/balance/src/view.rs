//! What a plan is made from, and what it says.

use std::fmt;

/// Names a node that may take work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(pub u128);

/// Names a unit of work.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UnitId {
    /// What it is part of.
    pub group: u128,
    /// Which part.
    pub part: u16,
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.group, self.part)
    }
}

/// A node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Which.
    pub id: NodeId,
    /// Failure domain; empty: none.
    pub zone: String,
    /// It takes new work.
    pub takes: bool,
    /// Its work is to go elsewhere.
    pub leaves: bool,
}

/// A unit of work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Which.
    pub id: UnitId,
    /// Where it is, or is going to be.
    pub at: Option<NodeId>,
    /// It is on its way.
    pub moving: bool,
    /// It may be placed or moved now.
    pub free: bool,
    /// Bytes per second.
    pub bytes_per_s: u64,
    /// Where it could go on at once.
    pub warm: Option<NodeId>,
}

/// Everything, at one time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct View {
    /// Nodes that live.
    pub nodes: Vec<Node>,
    /// All units.
    pub units: Vec<Unit>,
    /// Nodes of this zone are preferred when others are not much better; empty: none.
    pub prefer_zone: String,
}

/// Why a unit goes somewhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It has no place.
    Unplaced,
    /// It has no place, and the receiver could go on at once.
    Warm,
    /// Its node is drained.
    Drained,
    /// Its node has many more units than the receiver.
    Count {
        /// Units at its node.
        from: usize,
        /// Units at the receiver.
        to: usize,
    },
    /// Its node carries much more than the mean.
    Hot {
        /// Bytes per second at its node.
        from: u64,
        /// Bytes per second at the receiver.
        to: u64,
        /// The mean.
        mean: u64,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unplaced => f.write_str("it had no place; the receiver has the least to do"),
            Self::Warm => f.write_str("it had no place; the receiver has it prepared already"),
            Self::Drained => f.write_str("its node is being drained"),
            Self::Count { from, to } => write!(f, "its node had {from} units and the receiver {to}"),
            Self::Hot { from, to, mean } => {
                write!(f, "its node took in {from} bytes/s and the receiver {to}; the mean was {mean}")
            }
        }
    }
}

/// A unit goes to a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Which.
    pub unit: UnitId,
    /// Where it was.
    pub from: Option<NodeId>,
    /// Where it goes.
    pub to: NodeId,
    /// Why.
    pub why: Why,
}
