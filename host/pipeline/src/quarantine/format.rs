//! The quarantine's file: a header, then records that are only ever appended.
//!
//! Header: `TGQR`, version as u32. Record: length of the text as u32, its CRC-32 as u32, JSON text. All numbers little endian.
//! What follows the last whole record was being written when the process ended: it was never acknowledged.

use super::row::{BadRow, Kept, RawOp, RowData};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::io::Read;
use tg_model::{LaneId, Position, SlotId, Stage, TableId, TableVersion, Ts};

const MAGIC: [u8; 4] = *b"TGQR";
/// Layout that is written.
const VERSION: u32 = 1;
pub(super) const HEADER_LEN: usize = 8;
/// Length and checksum before a record's text.
pub(super) const FRAME_LEN: usize = 8;
/// Longest text of a record: a batch of 16 MiB in base64, its raw values, its table.
pub(super) const RECORD_MAX_BYTES: usize = 64 << 20;

pub(super) fn header() -> [u8; HEADER_LEN] {
    let mut out = [0; HEADER_LEN];
    out[..4].copy_from_slice(&MAGIC);
    out[4..].copy_from_slice(&VERSION.to_le_bytes());
    out
}

/// Whether the file begins as one of ours that this build reads.
pub(super) fn check_header(file: &[u8]) -> Result<(), String> {
    let version = file.strip_prefix(&MAGIC).and_then(|rest| rest.first_chunk::<4>()).map(|v| u32::from_le_bytes(*v));
    match version {
        Some(VERSION) => Ok(()),
        Some(other) => Err(format!("it is of version {other}; this build reads up to {VERSION}")),
        None => Err("it does not begin as a quarantine".to_owned()),
    }
}

/// One record.
pub(super) enum Record {
    Kept(Box<Kept>),
    /// The row is not wanted any more.
    Dropped(u64),
    /// Rows with smaller numbers have been there once.
    Next(u64),
}

pub(super) fn encode(record: &Record) -> Result<Vec<u8>, String> {
    let text = serde_json::to_vec(&Stored::of(record)).map_err(|e| e.to_string())?;
    if text.len() > RECORD_MAX_BYTES {
        return Err(format!("the row would take {} bytes; the limit is {RECORD_MAX_BYTES}", text.len()));
    }
    let mut out = Vec::with_capacity(FRAME_LEN + text.len());
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(&crc32fast::hash(&text).to_le_bytes());
    out.extend_from_slice(&text);
    Ok(out)
}

/// The bytes of the next record, one at a time in memory; `None`: no whole one follows.
pub(super) fn read_frame(from: &mut impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut frame = vec![0; FRAME_LEN];
    if !fill(from, &mut frame)? {
        return Ok(None);
    }
    let len = frame.first_chunk::<4>().map_or(0, |len| u32::from_le_bytes(*len)) as usize;
    if len > RECORD_MAX_BYTES {
        return Ok(None);
    }
    frame.resize(FRAME_LEN + len, 0);
    let whole = frame.get_mut(FRAME_LEN..).map_or(Ok(false), |text| fill(from, text))?;
    Ok(Some(frame).filter(|_| whole))
}

/// False: the file ends before.
pub(super) fn fill(from: &mut impl Read, buf: &mut [u8]) -> std::io::Result<bool> {
    match from.read_exact(buf) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(e),
    }
}

/// The next record and what it takes in the file; `None`: no whole one follows.
pub(super) fn decode(rest: &[u8]) -> Option<Result<(Record, usize), String>> {
    let (len, after) = rest.split_first_chunk::<4>()?;
    let (crc, after) = after.split_first_chunk::<4>()?;
    let len = u32::from_le_bytes(*len) as usize;
    let text = after.get(..len).filter(|_| len <= RECORD_MAX_BYTES)?;
    if crc32fast::hash(text) != u32::from_le_bytes(*crc) {
        return None;
    }
    let read = serde_json::from_slice::<Stored>(text).map_err(|e| e.to_string()).and_then(Stored::record);
    Some(read.map(|record| (record, FRAME_LEN + len)))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stored {
    Row(Box<StoredRow>),
    Dropped(u64),
    Next(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StoredRow {
    id: u64,
    at_ms: u64,
    slot: u16,
    lane: Option<u16>,
    position: (u64, u8, u64),
    table: i64,
    schema: String,
    name: String,
    commit_ts: u64,
    start_ts: u64,
    by: String,
    code: String,
    message: String,
    data: StoredData,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StoredData {
    Batch { tgr1: String, version: Box<TableVersion> },
    Raw { op: RawOp, key: String, value: String, old_value: String },
}

impl Stored {
    fn of(record: &Record) -> Self {
        let kept = match record {
            Record::Dropped(id) => return Self::Dropped(*id),
            Record::Next(id) => return Self::Next(*id),
            Record::Kept(kept) => kept,
        };
        let r = &kept.row;
        Self::Row(Box::new(StoredRow {
            id: kept.id,
            at_ms: kept.at_ms,
            slot: r.slot.0,
            lane: r.lane.map(|l| l.0),
            position: (r.position.ts.get(), r.position.stage as u8, r.position.seq),
            table: r.table.0,
            schema: r.schema.clone(),
            name: r.name.clone(),
            commit_ts: r.commit_ts.get(),
            start_ts: r.start_ts.get(),
            by: r.by.clone(),
            code: r.code.clone(),
            message: r.message.clone(),
            data: StoredData::of(&r.data),
        }))
    }

    fn record(self) -> Result<Record, String> {
        let r = match self {
            Self::Dropped(id) => return Ok(Record::Dropped(id)),
            Self::Next(id) => return Ok(Record::Next(id)),
            Self::Row(row) => *row,
        };
        let (ts, stage, seq) = r.position;
        let stage = Stage::from_u8(stage).ok_or_else(|| format!("a position has no stage {stage}"))?;
        let row = BadRow {
            slot: SlotId(r.slot),
            lane: r.lane.map(LaneId),
            position: Position { ts: Ts::new(ts), stage, seq },
            table: TableId(r.table),
            schema: r.schema,
            name: r.name,
            commit_ts: Ts::new(r.commit_ts),
            start_ts: Ts::new(r.start_ts),
            by: r.by,
            code: r.code,
            message: r.message,
            data: r.data.data()?,
        };
        Ok(Record::Kept(Box::new(Kept { id: r.id, at_ms: r.at_ms, row })))
    }
}

impl StoredData {
    fn of(data: &RowData) -> Self {
        match data {
            RowData::Batch { batch, version } => Self::Batch { tgr1: STANDARD.encode(batch), version: version.clone() },
            RowData::Raw { op, key, value, old_value } => {
                let text = |b: &[u8]| STANDARD.encode(b);
                Self::Raw { op: *op, key: text(key), value: text(value), old_value: text(old_value) }
            }
        }
    }

    fn data(self) -> Result<RowData, String> {
        let bytes = |text: &str| STANDARD.decode(text).map_err(|e| e.to_string());
        Ok(match self {
            Self::Batch { tgr1, version } => RowData::Batch { batch: bytes(&tgr1)?, version },
            Self::Raw { op, key, value, old_value } => {
                RowData::Raw { op, key: bytes(&key)?, value: bytes(&value)?, old_value: bytes(&old_value)? }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{HEADER_LEN, Record, check_header, decode, encode, header};
    use crate::quarantine::row::{BadRow, Kept, RawOp, RowData};
    use tg_model::{LaneId, Position, SlotId, TableId, Ts};

    /// A record of version 1 as it was written first.
    const V1: &str = r#"{"row":{"id":7,"at-ms":5,"slot":1,"lane":2,"position":[9,1,0],"table":104,"schema":"s","name":"t","commit-ts":12,"start-ts":11,"by":"p","code":"c","message":"m","data":{"raw":{"op":"insert","key":"aw==","value":"dg==","old_value":""}}}}"#;

    fn sample() -> Kept {
        let data = RowData::Raw { op: RawOp::Insert, key: b"k".to_vec(), value: b"v".to_vec(), old_value: Vec::new() };
        let row = BadRow {
            slot: SlotId(1),
            lane: Some(LaneId(2)),
            position: Position::rows(Ts::new(9)),
            table: TableId(104),
            schema: "s".into(),
            name: "t".into(),
            commit_ts: Ts::new(12),
            start_ts: Ts::new(11),
            by: "p".into(),
            code: "c".into(),
            message: "m".into(),
            data,
        };
        Kept { id: 7, at_ms: 5, row }
    }

    #[test]
    fn version_1_is_read_and_written() {
        let bytes = encode(&Record::Kept(Box::new(sample()))).unwrap();
        assert_eq!(std::str::from_utf8(&bytes[8..]).unwrap(), V1);
        let mut file = Vec::new();
        file.extend_from_slice(&(V1.len() as u32).to_le_bytes());
        file.extend_from_slice(&crc32fast::hash(V1.as_bytes()).to_le_bytes());
        file.extend_from_slice(V1.as_bytes());
        let (record, len) = decode(&file).unwrap().unwrap();
        let Record::Kept(kept) = record else { panic!("it is a row") };
        assert_eq!((*kept, len), (sample(), file.len()));
    }

    #[test]
    fn a_row_is_the_same_on_another_node() {
        let row = sample().row;
        assert_eq!(BadRow::from_bytes(&row.to_bytes().unwrap()).unwrap(), row);
        for bad in [&b""[..], b"\0\0\0\0", &encode(&Record::Dropped(3)).unwrap()] {
            assert!(BadRow::from_bytes(bad).is_err());
        }
    }

    #[test]
    fn what_is_torn_or_foreign_is_no_record() {
        let bytes = encode(&Record::Dropped(3)).unwrap();
        assert!((0..bytes.len()).all(|n| decode(&bytes[..n]).is_none()));
        let mut bent = bytes;
        bent[9] ^= 1;
        assert!(decode(&bent).is_none());
        assert_eq!(check_header(&header()), Ok(()));
        assert!(check_header(&header()[..HEADER_LEN - 1]).is_err());
        assert!(check_header(b"TGQR\x02\0\0\0").unwrap_err().contains("version 2"));
    }
}
