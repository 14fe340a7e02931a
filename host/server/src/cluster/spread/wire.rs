//! What goes through the pipe between a run and a slot on another node, as JSON. The first message of either side names its version.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tg_model::{ChangefeedId, Code, Position, SlotId, SpanId, TableId, TableVersion, Ts};
use tg_peer::BODY_MAX_BYTES;
use tg_pipeline::{AwayCommand, AwayReport, Counted, LaneState, Resume, SlotAsk, StatsSnapshot};

/// Version of the messages. A node that is asked in another one lets go of the pipe: the run counts it as lost and goes on without it.
pub(super) const VERSION: u32 = 1;

/// A slot is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    pub(super) id: ChangefeedId,
    /// The revision that gave the asking node the changefeed.
    pub(super) run: u64,
    /// Under which writers claim their lanes.
    pub(super) epoch: (u64, u64),
    pub(super) slot: SlotAsk,
}

/// A row is to be kept; its bytes follow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Keep {
    pub(super) id: ChangefeedId,
    pub(super) bytes: usize,
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Keeping {
    /// So many are new.
    Kept(u64),
    Refused {
        code: Code,
        message: String,
        retryable: bool,
    },
}

/// How a slot began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Begun {
    Opened(Counted),
    Refused { code: Code, message: String },
}

/// A message that is not one of these, or too large to be sent.
#[derive(Debug, thiserror::Error)]
#[error("a message about a slot is not understood: {0}")]
pub(super) struct BadMessage(String);

#[derive(Serialize, Deserialize)]
struct WireAsked {
    version: u32,
    namespace: String,
    name: String,
    run: u64,
    epoch: (u64, u64),
    slot: u16,
    slots: u16,
    lanes: u16,
    start: Position,
    resume: Value,
    replay_until: Ts,
}

#[derive(Serialize, Deserialize)]
struct WireKeep {
    version: u32,
    namespace: String,
    name: String,
    keep_bytes: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum WireKeeping {
    Kept { new: u64 },
    Refused { code: u16, message: String, retryable: bool },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum WireBegun {
    Opened { version: u32, resume: Value },
    Refused { version: u32, code: u16, message: String },
}

// The tag is outside: maps with numbers as keys, as table versions have, do not come through one that is inside.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireCommand {
    AddSpan { span: u64, table: i64, table_version: Box<TableVersion>, start: Ts },
    SetVersion { span: u64, table_version: Box<TableVersion> },
    RemoveSpan { span: u64 },
    Emit { upto: Position },
    Tick,
    Drain,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum WireReport {
    Progress {
        applied: u64,
        resolved: Ts,
        checkpoint: Position,
    },
    /// One lane's state, as it is stored beside a checkpoint.
    State {
        resume: Value,
    },
    Drained {
        at: Position,
    },
    Counts {
        counts: Box<StatsSnapshot>,
    },
    Failed {
        code: u16,
        message: String,
        retryable: bool,
    },
}

fn write(message: &impl Serialize) -> Result<Vec<u8>, BadMessage> {
    let bytes = serde_json::to_vec(message).map_err(|e| BadMessage(e.to_string()))?;
    if bytes.len() > BODY_MAX_BYTES {
        return Err(BadMessage(format!("it has {} bytes; the most is {BODY_MAX_BYTES}", bytes.len())));
    }
    Ok(bytes)
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, BadMessage> {
    serde_json::from_slice(bytes).map_err(|e| BadMessage(e.to_string()))
}

fn version(version: u32) -> Result<(), BadMessage> {
    if version == VERSION {
        Ok(())
    } else {
        Err(BadMessage(format!("it is of version {version}, this node knows {VERSION}")))
    }
}

fn resume(stored: &Value) -> Result<Resume, BadMessage> {
    Resume::from_json(stored).map_err(|e| BadMessage(e.to_string()))
}

impl Asked {
    pub(super) fn write(&self) -> Result<Vec<u8>, BadMessage> {
        write(&WireAsked {
            version: VERSION,
            namespace: self.id.namespace.clone(),
            name: self.id.name.clone(),
            run: self.run,
            epoch: self.epoch,
            slot: self.slot.slot.0,
            slots: self.slot.slots,
            lanes: self.slot.lanes,
            start: self.slot.start,
            resume: self.slot.resume.to_json(),
            replay_until: self.slot.replay_until,
        })
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadMessage> {
        let wire: WireAsked = read(bytes)?;
        version(wire.version)?;
        let id = ChangefeedId::new(&wire.namespace, &wire.name);
        let id = id.ok_or_else(|| BadMessage("it names no changefeed".to_owned()))?;
        let slot = SlotAsk {
            slot: SlotId(wire.slot),
            slots: wire.slots,
            lanes: wire.lanes,
            start: wire.start,
            resume: resume(&wire.resume)?,
            replay_until: wire.replay_until,
        };
        Ok(Self { id, run: wire.run, epoch: wire.epoch, slot })
    }
}

impl Keep {
    pub(super) fn write(&self) -> Result<Vec<u8>, BadMessage> {
        let (namespace, name) = (self.id.namespace.clone(), self.id.name.clone());
        write(&WireKeep { version: VERSION, namespace, name, keep_bytes: self.bytes })
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadMessage> {
        let wire: WireKeep = read(bytes)?;
        version(wire.version)?;
        let id = ChangefeedId::new(&wire.namespace, &wire.name);
        let id = id.ok_or_else(|| BadMessage("it names no changefeed".to_owned()))?;
        Ok(Self { id, bytes: wire.keep_bytes })
    }
}

impl Keeping {
    pub(super) fn write(&self) -> Result<Vec<u8>, BadMessage> {
        write(&match self {
            Self::Kept(new) => WireKeeping::Kept { new: *new },
            Self::Refused { code, message, retryable } => {
                WireKeeping::Refused { code: code.0, message: message.clone(), retryable: *retryable }
            }
        })
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadMessage> {
        Ok(match read(bytes)? {
            WireKeeping::Kept { new } => Self::Kept(new),
            WireKeeping::Refused { code, message, retryable } => Self::Refused { code: Code(code), message, retryable },
        })
    }
}

impl Begun {
    pub(super) fn write(&self) -> Result<Vec<u8>, BadMessage> {
        write(&match self {
            Self::Opened(counted) => {
                let resume = Resume { counted: *counted, ..Resume::default() }.to_json();
                WireBegun::Opened { version: VERSION, resume }
            }
            Self::Refused { code, message } => {
                WireBegun::Refused { version: VERSION, code: code.0, message: message.clone() }
            }
        })
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, BadMessage> {
        Ok(match read(bytes)? {
            WireBegun::Opened { version: v, resume: stored } => {
                version(v)?;
                Self::Opened(resume(&stored)?.counted)
            }
            WireBegun::Refused { version: v, code, message } => {
                version(v)?;
                Self::Refused { code: Code(code), message }
            }
        })
    }
}

pub(super) fn write_command(command: &AwayCommand) -> Result<Vec<u8>, BadMessage> {
    let boxed = |version: &Arc<TableVersion>| Box::new(TableVersion::clone(version));
    write(&match command {
        AwayCommand::AddSpan { span, table, version, start } => {
            WireCommand::AddSpan { span: span.0, table: table.0, table_version: boxed(version), start: *start }
        }
        AwayCommand::SetVersion { span, version } => {
            WireCommand::SetVersion { span: span.0, table_version: boxed(version) }
        }
        AwayCommand::RemoveSpan { span } => WireCommand::RemoveSpan { span: span.0 },
        AwayCommand::Emit(upto) => WireCommand::Emit { upto: *upto },
        AwayCommand::Tick => WireCommand::Tick,
        AwayCommand::Drain => WireCommand::Drain,
    })
}

pub(super) fn read_command(bytes: &[u8]) -> Result<AwayCommand, BadMessage> {
    Ok(match read(bytes)? {
        WireCommand::AddSpan { span, table, table_version, start } => {
            AwayCommand::AddSpan { span: SpanId(span), table: TableId(table), version: Arc::new(*table_version), start }
        }
        WireCommand::SetVersion { span, table_version } => {
            AwayCommand::SetVersion { span: SpanId(span), version: Arc::new(*table_version) }
        }
        WireCommand::RemoveSpan { span } => AwayCommand::RemoveSpan { span: SpanId(span) },
        WireCommand::Emit { upto } => AwayCommand::Emit(upto),
        WireCommand::Tick => AwayCommand::Tick,
        WireCommand::Drain => AwayCommand::Drain,
    })
}

pub(super) fn write_report(report: &AwayReport) -> Result<Vec<u8>, BadMessage> {
    write(&match report {
        AwayReport::Progress { applied, resolved, checkpoint } => {
            WireReport::Progress { applied: *applied, resolved: *resolved, checkpoint: *checkpoint }
        }
        AwayReport::State(state) => {
            WireReport::State { resume: Resume { lanes: vec![state.clone()], ..Resume::default() }.to_json() }
        }
        AwayReport::Drained(at) => WireReport::Drained { at: *at },
        AwayReport::Counts(counts) => WireReport::Counts { counts: Box::new(*counts) },
        AwayReport::Failed { code, message, retryable } => {
            WireReport::Failed { code: code.0, message: message.clone(), retryable: *retryable }
        }
    })
}

pub(super) fn read_report(bytes: &[u8]) -> Result<AwayReport, BadMessage> {
    Ok(match read(bytes)? {
        WireReport::Progress { applied, resolved, checkpoint } => {
            AwayReport::Progress { applied, resolved, checkpoint }
        }
        WireReport::State { resume: stored } => AwayReport::State(one_lane(resume(&stored)?)?),
        WireReport::Drained { at } => AwayReport::Drained(at),
        WireReport::Counts { counts } => AwayReport::Counts(*counts),
        WireReport::Failed { code, message, retryable } => AwayReport::Failed { code: Code(code), message, retryable },
    })
}

fn one_lane(resume: Resume) -> Result<LaneState, BadMessage> {
    resume.lanes.into_iter().next().ok_or_else(|| BadMessage("a lane's state without the lane".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tg_model::LaneId;

    fn at(ts: u64) -> Position {
        Position::within(Ts::new(ts), 3)
    }

    fn lane() -> LaneState {
        LaneState { slot: SlotId(1), lane: LaneId(2), at: at(12), state: b"hi".as_slice().into() }
    }

    #[test]
    fn what_is_asked_and_answered_arrives_as_it_was() {
        let resume =
            Resume { label: "a".to_owned(), lanes: vec![lane()], counted: Counted::Upto(at(9)), ..Resume::default() };
        let slot = SlotAsk { slot: SlotId(1), slots: 4, lanes: 3, start: at(5), resume, replay_until: Ts::new(7) };
        let asked = Asked { id: ChangefeedId::new("n", "x").unwrap(), run: 77, epoch: (7, 9), slot };
        assert_eq!(Asked::read(&asked.write().unwrap()).unwrap(), asked);
        let refused = Begun::Refused { code: Code(4001), message: "no".to_owned() };
        for begun in [Begun::Opened(Counted::Same), Begun::Opened(Counted::Upto(at(3))), refused] {
            assert_eq!(Begun::read(&begun.write().unwrap()).unwrap(), begun);
        }
    }

    fn table() -> Arc<TableVersion> {
        Arc::new(TableVersion {
            table: TableId(7),
            since: Ts::new(1),
            update_ts: Ts::new(1),
            schema_id: 2,
            schema: "s".to_owned(),
            name: "t".to_owned(),
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_bin".to_owned(),
            columns: Vec::new(),
            by_id: std::collections::BTreeMap::from([(1, 0), (2, 1)]),
            indexes: Vec::new(),
            row_key: None,
            handle: tg_model::TableKey::RowId,
            partitions: vec![(TableId(9), "p0".to_owned())],
            is_view: false,
            is_sequence: false,
        })
    }

    #[test]
    fn what_is_to_be_kept_arrives_and_is_nothing_else() {
        let keep = Keep { id: ChangefeedId::new("n", "x").unwrap(), bytes: 77 };
        assert_eq!(Keep::read(&keep.write().unwrap()).unwrap(), keep);
        assert!(Asked::read(&keep.write().unwrap()).is_err());
        for answer in
            [Keeping::Kept(3), Keeping::Refused { code: Code(4010), message: "no".to_owned(), retryable: true }]
        {
            assert_eq!(Keeping::read(&answer.write().unwrap()).unwrap(), answer);
        }
    }

    #[test]
    fn tables_arrive_as_they_were() {
        let (span, version) = (SpanId(4), table());
        let add = AwayCommand::AddSpan { span, table: TableId(7), version: Arc::clone(&version), start: Ts::new(3) };
        for command in [add, AwayCommand::SetVersion { span, version }] {
            assert_eq!(read_command(&write_command(&command).unwrap()).unwrap(), command);
        }
    }

    #[test]
    fn commands_and_reports_arrive_as_they_were() {
        let commands = [
            AwayCommand::RemoveSpan { span: SpanId(4) },
            AwayCommand::Emit(at(8)),
            AwayCommand::Tick,
            AwayCommand::Drain,
        ];
        for command in commands {
            assert_eq!(read_command(&write_command(&command).unwrap()).unwrap(), command);
        }
        let counts = StatsSnapshot { rows_in: 5, bytes_out: 6, ..StatsSnapshot::default() };
        let reports = [
            AwayReport::Progress { applied: 3, resolved: Ts::new(9), checkpoint: at(8) },
            AwayReport::State(lane()),
            AwayReport::Drained(at(8)),
            AwayReport::Counts(counts),
            AwayReport::Failed { code: Code(4003), message: "m".to_owned(), retryable: false },
        ];
        for report in reports {
            assert_eq!(read_report(&write_report(&report).unwrap()).unwrap(), report);
        }
    }

    #[test]
    fn what_version_1_wrote_is_read() {
        let emit = br#"{"emit":{"upto":{"ts":8,"stage":"Rows","seq":0}}}"#;
        assert_eq!(read_command(emit).unwrap(), AwayCommand::Emit(Position::rows(Ts::new(8))));
        let progress = br#"{"is":"progress","applied":3,"resolved":9,"checkpoint":{"ts":8,"stage":"Before","seq":3}}"#;
        let there = AwayReport::Progress { applied: 3, resolved: Ts::new(9), checkpoint: at(8) };
        assert_eq!(read_report(progress).unwrap(), there);
        let opened = br#"{"is":"opened","version":1,"resume":{"version":1,"label":"","floors":[],"lanes":[]}}"#;
        assert_eq!(Begun::read(opened).unwrap(), Begun::Opened(Counted::Same));
    }

    #[test]
    fn other_versions_and_damage_are_refused() {
        let later = br#"{"is":"opened","version":2,"resume":{"version":1,"label":"","floors":[],"lanes":[]}}"#;
        assert!(Begun::read(later).unwrap_err().to_string().contains("version 2"));
        for bad in [&b""[..], b"{}", b"\xff", br#"{"explode":{}}"#] {
            assert!(read_command(bad).is_err() && read_report(bad).is_err() && Asked::read(bad).is_err());
        }
    }
}
