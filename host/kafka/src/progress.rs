//! Positions in the progress topic.

use crate::fault::{Fault, FaultKind};
use serde::{Deserialize, Serialize};
use tg_model::{Position, Stage, Ts};
use tg_plugin::grant::LaneContext;

/// Partitions of the progress topic; a lane's records are in the one that its key's checksum names.
pub(crate) const PARTITIONS: u32 = 16;
/// Version of the records.
const VERSION: u32 = 1;

/// What a lane last committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    /// The writer's epoch.
    pub(crate) epoch: (u64, u64),
    /// Number of the commit; rises by one with each.
    pub(crate) commit: u64,
    /// What is durable; `None`: nothing was said yet.
    pub(crate) position: Option<Position>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    version: u32,
    epoch: (u64, u64),
    commit: u64,
    position: Option<WirePosition>,
}

#[derive(Serialize, Deserialize)]
struct WirePosition {
    ts: u64,
    stage: u8,
    seq: u64,
}

impl Record {
    pub(crate) fn write(&self) -> Vec<u8> {
        let position = self.position.map(|p| WirePosition { ts: p.ts.get(), stage: p.stage as u8, seq: p.seq });
        let wire = Wire { version: VERSION, epoch: self.epoch, commit: self.commit, position };
        // Plain numbers always have a text.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let bad = |reason: String| Fault::new(FaultKind::Progress, "reading a progress record", reason);
        let wire: Wire = serde_json::from_slice(bytes).map_err(|e| bad(e.to_string()))?;
        if wire.version != VERSION {
            return Err(bad(format!("it has version {}, and this build knows version {VERSION}", wire.version)));
        }
        let position = match wire.position {
            None => None,
            Some(p) => {
                let stage =
                    Stage::from_u8(p.stage).ok_or_else(|| bad(format!("a position has no stage {}", p.stage)))?;
                Some(Position { ts: Ts::new(p.ts), stage, seq: p.seq })
            }
        };
        Ok(Self { epoch: wire.epoch, commit: wire.commit, position })
    }
}

/// Names a lane: its transactional id, and the key of its records.
pub(crate) fn name(lane: &LaneContext, incarnation: &str) -> String {
    let incarnation = if incarnation.is_empty() { "-" } else { incarnation };
    format!("tidegate-{}-{incarnation}-{}-{}", lane.changefeed.to_string().replace('/', "."), lane.slot.0, lane.lane.0)
}

/// The partition of a lane's records.
pub(crate) fn partition(name: &str) -> u32 {
    crc32fast::hash(name.as_bytes()) % PARTITIONS
}

#[cfg(test)]
mod tests {
    use super::{PARTITIONS, Record, name, partition};
    use tg_model::{ChangefeedId, LaneId, Position, SlotId, Ts};
    use tg_plugin::grant::LaneContext;

    #[test]
    fn what_version_1_wrote_is_read() {
        let text = br#"{"version":1,"epoch":[7,3],"commit":12,"position":{"ts":449,"stage":0,"seq":5}}"#;
        let record = Record { epoch: (7, 3), commit: 12, position: Some(Position::within(Ts::new(449), 5)) };
        assert_eq!(Record::read(text), Ok(record));
        assert_eq!(record.write(), text);
        let none = br#"{"version":1,"epoch":[1,1],"commit":0,"position":null}"#;
        assert_eq!(Record::read(none), Ok(Record { epoch: (1, 1), commit: 0, position: None }));
    }

    #[test]
    fn other_versions_and_damage_are_errors() {
        for bad in [
            &br#"{"version":2,"epoch":[7,3],"commit":12,"position":null}"#[..],
            br#"{"version":1,"epoch":[7,3],"commit":12,"position":{"ts":1,"stage":9,"seq":0}}"#,
            b"",
            b"\xff",
        ] {
            assert!(Record::read(bad).is_err());
        }
    }

    #[test]
    fn lanes_have_names_of_their_own_that_stay() {
        let changefeed = ChangefeedId::new("default", "shop").unwrap();
        let lane = |slot, lane| LaneContext {
            changefeed: changefeed.clone(),
            slot: SlotId(slot),
            lane: LaneId(lane),
            epoch: (1, 1),
        };
        assert_eq!(name(&lane(1, 0), "9f"), "tidegate-default.shop-9f-1-0");
        assert_ne!(name(&lane(1, 0), "9f"), name(&lane(0, 1), "9f"));
        assert!(partition("a") < PARTITIONS);
        assert_eq!(partition("tidegate-default.shop-9f-1-0"), crc32fast::hash(b"tidegate-default.shop-9f-1-0") % 16);
    }
}
