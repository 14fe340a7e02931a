//! A row that is put aside.

use super::error::QuarantineError;
use super::format::{FRAME_LEN, RECORD_MAX_BYTES, Record, decode, encode};
use serde::{Deserialize, Serialize};
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use tg_model::{ChangeOp, LaneId, Position, RawChange, SlotId, TableId, TableVersion, Ts};
use tgr1::{Batch, Row, Value};

/// What is kept of the row itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowData {
    /// A TGR1 batch of this one row, as the plugin got it, and its table.
    Batch {
        /// The bytes.
        batch: Vec<u8>,
        /// The table version they are of.
        version: Box<TableVersion>,
    },
    /// The upstream's bytes, which could not be mounted.
    Raw {
        /// What happened.
        op: RawOp,
        /// Raw key.
        key: Vec<u8>,
        /// New value.
        value: Vec<u8>,
        /// Value before.
        old_value: Vec<u8>,
    },
}

/// What happened to a raw row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RawOp {
    /// The key is gone.
    Delete,
    /// The key has a new value and had one before.
    Update,
    /// The key is new.
    Insert,
}

/// A row and why it is put aside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow {
    /// Slot it was in.
    pub slot: SlotId,
    /// Lane it was in; `None`: it did not get that far.
    pub lane: Option<LaneId>,
    /// Everything of the slot below this was handed on.
    pub position: Position,
    /// Logical table.
    pub table: TableId,
    /// Name of its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Commit-ts of the row.
    pub commit_ts: Ts,
    /// Start-ts of its transaction.
    pub start_ts: Ts,
    /// Who refused it: a plugin's name, or `mounter`.
    pub by: String,
    /// The reason's name: the plugin's own, or an error code of ours.
    pub code: String,
    /// The reason.
    pub message: String,
    /// The row.
    pub data: RowData,
}

/// A row in the quarantine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Names it within its changefeed; never used again.
    pub id: u64,
    /// When it was put aside, in Unix milliseconds.
    pub at_ms: u64,
    /// The row.
    pub row: BadRow,
}

impl BadRow {
    /// Most that [`BadRow::to_bytes`] gives.
    pub const BYTES_MAX: usize = RECORD_MAX_BYTES + FRAME_LEN;

    /// The row as a record of a quarantine, to be kept in one elsewhere.
    ///
    /// # Errors
    /// When it is too large.
    pub fn to_bytes(&self) -> Result<Vec<u8>, QuarantineError> {
        let kept = Kept { id: 0, at_ms: 0, row: self.clone() };
        encode(&Record::Kept(Box::new(kept))).map_err(unreadable)
    }

    /// Reads what [`BadRow::to_bytes`] wrote.
    ///
    /// # Errors
    /// When it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, QuarantineError> {
        match decode(bytes).transpose().map_err(unreadable)? {
            Some((Record::Kept(kept), _)) => Ok(kept.row),
            _ => Err(unreadable("these bytes are no row".to_owned())),
        }
    }

    /// The same row, put aside again after a restart, has the same fingerprint: marks and routes do not count.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut h = foldhash::quality::FixedState::with_seed(0).build_hasher();
        (self.table, self.commit_ts, self.start_ts).hash(&mut h);
        match &self.data {
            RowData::Batch { batch, .. } => {
                if let Ok(batch) = Batch::parse(batch) {
                    batch.row(0).iter().for_each(|row| hash_row(&batch, row, &mut h));
                }
            }
            RowData::Raw { op, key, .. } => (op, key).hash(&mut h),
        }
        h.finish()
    }
}

fn unreadable(reason: String) -> QuarantineError {
    QuarantineError::Format { path: "a row on its way".to_owned(), reason }
}

/// What happened and every value; not the header, which carries marks and routes.
fn hash_row(batch: &Batch<'_>, row: &Row<'_>, h: &mut impl std::hash::Hasher) {
    (row.op() as u8).hash(h);
    for image in [row.before(), row.after()] {
        image.is_some().hash(h);
        for (i, spec) in batch.columns().enumerate() {
            match image.as_ref().map(|image| image.value(i, spec)) {
                Some(Ok(Value::Int(v))) => v.hash(h),
                Some(Ok(Value::UInt(v))) => v.hash(h),
                Some(Ok(Value::Float(v))) => v.to_bits().hash(h),
                Some(Ok(Value::Bytes(v))) => v.hash(h),
                Some(Ok(Value::Null) | Err(_)) | None => {}
            }
        }
    }
}

impl RowData {
    /// Of a change that could not be mounted.
    #[must_use]
    pub fn raw(change: &RawChange) -> Self {
        Self::Raw {
            op: match change.op {
                ChangeOp::Delete => RawOp::Delete,
                ChangeOp::Update => RawOp::Update,
                ChangeOp::Insert => RawOp::Insert,
            },
            key: change.key.to_vec(),
            value: change.value.to_vec(),
            old_value: change.old_value.to_vec(),
        }
    }
}
