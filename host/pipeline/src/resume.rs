//! What is stored beside the checkpoint, in one step with it: how far parts of a changefeed are ahead, what its sinks keep, and
//! which plugins run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tg_model::{LaneId, Position, SlotId, Stage};

/// Newest layout. What has nothing of it is written as version 1, which earlier builds read.
const VERSION: u64 = 2;
/// Bytes that the lanes of one changefeed may keep together: a record of a metadata store is small.
pub const STATES_MAX_BYTES: usize = 1 << 20;

/// What a lane's sink keeps. Rows of the lane up to `at` are durable and in `state`; the two belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaneState {
    /// Slot of the lane.
    pub slot: SlotId,
    /// The lane.
    pub lane: LaneId,
    /// What the lane has made durable.
    pub at: Position,
    /// As the sink's instance gave it: opaque.
    pub state: Arc<[u8]>,
}

/// Under which transforms, dispatcher and filter the lanes' own positions were counted. Another set of them may send a row to another
/// lane: then how far a lane was says nothing of the rows that it gets now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Counted {
    /// Those that run.
    #[default]
    Same,
    /// Others.
    Otherwise,
    /// Up to here others, beyond it those that run.
    Upto(Position),
}

impl Counted {
    /// With the positions that lanes were found at: up to where they mean nothing.
    #[must_use]
    pub fn found(self, lanes: impl IntoIterator<Item = Position>) -> Self {
        match self {
            Self::Otherwise => Self::Upto(lanes.into_iter().max().unwrap_or(Position::ZERO)),
            known => known,
        }
    }

    /// A lane's position, if it was counted under what runs; else nothing is known of the lane.
    #[must_use]
    pub fn trust(self, lane: Position) -> Option<Position> {
        match self {
            Self::Same => Some(lane),
            Self::Otherwise => None,
            Self::Upto(upto) => Some(lane).filter(|at| *at > upto),
        }
    }

    /// Rows up to here may have been written, by whichever lane.
    #[must_use]
    pub const fn repeats_until(self) -> Position {
        match self {
            Self::Upto(upto) => upto,
            Self::Same | Self::Otherwise => Position::ZERO,
        }
    }
}

/// Where a run goes on besides its checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resume {
    /// Names the plugins that run, in the words of whoever chose them ([`crate::PluginSource::label`]).
    pub label: String,
    /// By slot: every row up to here is durable, in whichever lane. Where a slot's plugins were swapped: the lanes' own positions
    /// below it were counted under another dispatcher. Empty: nowhere ahead of the checkpoint.
    pub floors: Vec<Position>,
    /// What sinks keep, by slot and lane.
    pub lanes: Vec<LaneState>,
    /// What the positions of lanes mean.
    pub counted: Counted,
}

/// Why a stored [`Resume`] cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("what is stored beside the checkpoint cannot be read: {0}")]
pub struct ResumeError(String);

impl Resume {
    /// Whether there is anything to store.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.label.is_empty()
            && self.floors.is_empty()
            && self.lanes.is_empty()
            && matches!(self.counted, Counted::Same)
    }

    /// Bytes that sinks keep.
    #[must_use]
    pub fn state_bytes(&self) -> usize {
        self.lanes.iter().map(|l| l.state.len()).sum()
    }

    /// The floor of a slot.
    #[must_use]
    pub fn floor(&self, slot: SlotId) -> Position {
        self.floors.get(usize::from(slot.0)).copied().unwrap_or(Position::ZERO)
    }

    /// Slots are known to have made this durable. A floor never sinks: a slot that begins anew stands below what was known of it.
    /// True: there is news.
    pub fn raise_floors(&mut self, to: &[Position]) -> bool {
        let before = self.floors.clone();
        if self.floors.len() < to.len() {
            self.floors.resize(to.len(), Position::ZERO);
        }
        for (floor, to) in self.floors.iter_mut().zip(to) {
            *floor = (*floor).max(*to);
        }
        self.floors != before
    }

    /// What a lane's sink kept.
    #[must_use]
    pub fn lane(&self, slot: SlotId, lane: LaneId) -> Option<&LaneState> {
        self.lanes.iter().find(|l| l.slot == slot && l.lane == lane)
    }

    /// A lane's sink keeps something new.
    pub fn set_lane(&mut self, new: LaneState) {
        match self.lanes.iter_mut().find(|l| l.slot == new.slot && l.lane == new.lane) {
            Some(old) => *old = new,
            None => self.lanes.push(new),
        }
    }

    /// Floors that the checkpoint has reached say nothing any more.
    pub fn forget_below(&mut self, checkpoint: Position) {
        if self.floors.iter().all(|f| *f <= checkpoint) {
            self.floors.clear();
        }
        if matches!(self.counted, Counted::Upto(upto) if upto <= checkpoint) {
            self.counted = Counted::Same;
        }
    }

    /// As JSON, for a record.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let lane = |l: &LaneState| StoredLane {
            slot: l.slot.0,
            lane: l.lane.0,
            at: l.at.into(),
            state: STANDARD.encode(&l.state),
        };
        let counted = match self.counted {
            Counted::Same => None,
            Counted::Otherwise => Some(StoredCounted::Otherwise),
            Counted::Upto(at) => Some(StoredCounted::Upto(at.into())),
        };
        let stored = Stored {
            version: if counted.is_none() { 1 } else { VERSION },
            counted,
            label: self.label.clone(),
            floors: self.floors.iter().map(|p| (*p).into()).collect(),
            lanes: self.lanes.iter().map(lane).collect(),
        };
        serde_json::to_value(stored).unwrap_or_default()
    }

    /// Reads what [`Resume::to_json`] wrote, in this version or one before.
    ///
    /// # Errors
    /// When it is of a later version or damaged.
    pub fn from_json(json: &Value) -> Result<Self, ResumeError> {
        let version = json.get("version").and_then(Value::as_u64).unwrap_or_default();
        if !(1..=VERSION).contains(&version) {
            return Err(ResumeError(format!("it is of version {version}; this build reads up to {VERSION}")));
        }
        let stored: Stored = serde_json::from_value(json.clone()).map_err(|e| ResumeError(e.to_string()))?;
        let damaged = || ResumeError("a position has no such stage".to_owned());
        let lane = |l: StoredLane| {
            let state = STANDARD.decode(&l.state).map_err(|e| ResumeError(e.to_string()))?;
            let at = l.at.position().ok_or_else(damaged)?;
            Ok(LaneState { slot: SlotId(l.slot), lane: LaneId(l.lane), at, state: state.into() })
        };
        let counted = match stored.counted {
            None => Counted::Same,
            Some(StoredCounted::Otherwise) => Counted::Otherwise,
            Some(StoredCounted::Upto(at)) => Counted::Upto(at.position().ok_or_else(damaged)?),
        };
        Ok(Self {
            counted,
            label: stored.label,
            floors: stored.floors.iter().map(|p| p.position().ok_or_else(damaged)).collect::<Result<_, _>>()?,
            lanes: stored.lanes.into_iter().map(lane).collect::<Result<_, ResumeError>>()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u64,
    label: String,
    floors: Vec<StoredPosition>,
    lanes: Vec<StoredLane>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counted: Option<StoredCounted>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredCounted {
    Otherwise,
    Upto(StoredPosition),
}

#[derive(Serialize, Deserialize)]
struct StoredLane {
    slot: u16,
    lane: u16,
    at: StoredPosition,
    state: String,
}

/// (ts, stage, seq).
#[derive(Clone, Copy, Serialize, Deserialize)]
struct StoredPosition(u64, u8, u64);

impl StoredPosition {
    fn position(self) -> Option<Position> {
        Some(Position { ts: self.0.into(), stage: Stage::from_u8(self.1)?, seq: self.2 })
    }
}

impl From<Position> for StoredPosition {
    fn from(p: Position) -> Self {
        Self(p.ts.get(), p.stage as u8, p.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::{Counted, LaneState, Resume};
    use serde_json::json;
    use tg_model::{LaneId, Position, SlotId, Ts};

    fn sample() -> Resume {
        let at = Position::within(Ts::new(12), 3);
        let lane = LaneState { slot: SlotId(1), lane: LaneId(2), at, state: b"hi".as_slice().into() };
        Resume {
            label: "b".to_owned(),
            floors: vec![Position::rows(Ts::new(9)), Position::ZERO],
            lanes: vec![lane],
            counted: Counted::Same,
        }
    }

    #[test]
    fn version_1_is_read_and_written() {
        let v1 = json!({
            "version": 1, "label": "b", "floors": [[9, 1, 0], [0, 0, 0]],
            "lanes": [{ "slot": 1, "lane": 2, "at": [12, 0, 3], "state": "aGk=" }],
        });
        assert_eq!(Resume::from_json(&v1).unwrap(), sample());
        assert_eq!(sample().to_json(), v1);
    }

    #[test]
    fn version_2_is_read_and_written() {
        let v2 = |counted| json!({ "version": 2, "label": "b", "floors": [], "lanes": [], "counted": counted });
        let resume = |counted| Resume { label: "b".to_owned(), counted, ..Resume::default() };
        let at = Position::within(Ts::new(12), 3);
        for (stored, counted) in
            [(json!("otherwise"), Counted::Otherwise), (json!({ "upto": [12, 0, 3] }), Counted::Upto(at))]
        {
            assert_eq!(Resume::from_json(&v2(stored.clone())).unwrap(), resume(counted));
            assert_eq!(resume(counted).to_json(), v2(stored));
        }
    }

    #[test]
    fn lanes_counted_under_others_are_trusted_beyond_what_those_reached() {
        let at = |ts| Position::rows(Ts::new(ts));
        assert_eq!(Counted::Same.found([at(7)]).trust(at(5)), Some(at(5)));
        let found = Counted::Otherwise.found([at(7), at(9), at(3)]);
        assert_eq!((found, found.repeats_until()), (Counted::Upto(at(9)), at(9)));
        assert_eq!((found.trust(at(9)), found.trust(at(10))), (None, Some(at(10))));
        assert_eq!(found.found([at(20)]), found, "what is known stays");
        let mut resume = Resume { counted: found, ..sample() };
        resume.forget_below(at(8));
        assert_eq!(resume.counted, found);
        resume.forget_below(at(9));
        assert_eq!(resume.counted, Counted::Same);
    }

    #[test]
    fn what_is_damaged_or_newer_is_refused() {
        let mut later = sample().to_json();
        later["version"] = json!(3);
        assert!(Resume::from_json(&later).unwrap_err().to_string().contains("version 3"));
        let mut damaged = sample().to_json();
        damaged["floors"] = json!([[1, 9, 0]]);
        assert!(Resume::from_json(&damaged).is_err());
    }

    #[test]
    fn floors_are_forgotten_when_the_checkpoint_has_reached_them_all() {
        let mut r = sample();
        r.forget_below(Position::rows(Ts::new(8)));
        assert_eq!(r.floor(SlotId(0)), Position::rows(Ts::new(9)));
        r.forget_below(Position::rows(Ts::new(9)));
        assert!(r.floors.is_empty());
        assert_eq!(r.floor(SlotId(0)), Position::ZERO);
    }
}
