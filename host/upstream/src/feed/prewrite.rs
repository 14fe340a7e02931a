//! A prewrite that waits for its end: in its message, copied out, or on disk.

use super::spill::{Location, SpillError, Tape};
use super::wire::{Piece, RowRef};
use bytes::{Buf as _, Bytes};

/// What a prewrite is taken to cost above its bytes.
const ENTRY_BYTES: usize = 112;
/// Head of a record on disk: start-ts, generation, length of the key and of the value.
const RECORD_HEAD_BYTES: usize = 24;

/// A prewrite's content.
#[derive(Clone, Debug)]
pub(super) struct Prewrite {
    /// The message, or a copy of the row alone.
    bytes: Bytes,
    start_ts: u64,
    generation: u64,
    /// Order of arrival.
    stamp: u64,
    key: Piece,
    value: Piece,
    old_value: Piece,
}

impl Prewrite {
    /// The prewrite in a message; `stamp`: order of arrival.
    pub(super) fn new(row: &RowRef, message: &Bytes, stamp: u64) -> Self {
        Self {
            bytes: message.clone(),
            start_ts: row.start_ts,
            generation: row.generation,
            stamp,
            key: row.key,
            value: row.value,
            old_value: row.old_value,
        }
    }

    pub(super) fn start_ts(&self) -> u64 {
        self.start_ts
    }

    pub(super) fn key(&self) -> &[u8] {
        self.key.of(&self.bytes)
    }

    pub(super) fn stamp(&self) -> u64 {
        self.stamp
    }

    #[inline]
    pub(super) fn is(&self, start_ts: u64, key: &[u8]) -> bool {
        self.start_ts == start_ts && self.key.of(&self.bytes) == key
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn has_value(&self) -> bool {
        !self.value.is_empty()
    }

    pub(super) fn weight_bytes(&self) -> usize {
        ENTRY_BYTES + (self.key.len + self.value.len + self.old_value.len) as usize
    }

    /// Key, value and old value.
    pub(super) fn into_parts(mut self) -> (Bytes, Bytes, Bytes) {
        let (value, old_value) = (cut(&self.bytes, self.value), cut(&self.bytes, self.old_value));
        self.bytes.truncate(self.key.end() as usize);
        self.bytes.advance(self.key.at as usize);
        (self.bytes, value, old_value)
    }

    /// Lets go of the message.
    pub(super) fn detach(&mut self) {
        let parts = [self.key, self.value, self.old_value].map(|p| p.of(&self.bytes));
        self.bytes = Bytes::from(parts.concat());
        self.place(0);
    }

    /// Its parts lie one behind the other from `at` on.
    fn place(&mut self, at: u32) {
        self.key.at = at;
        self.value.at = self.key.end();
        self.old_value.at = self.value.end();
    }

    pub(super) fn spill(&self, tape: &mut Tape) -> Result<Location, SpillError> {
        let mut head = [0; RECORD_HEAD_BYTES];
        let words = [self.start_ts, self.generation, u64::from(self.key.len) << 32 | u64::from(self.value.len)];
        head.chunks_exact_mut(8).zip(words).for_each(|(to, word)| to.copy_from_slice(&word.to_le_bytes()));
        let [key, value, old_value] = [self.key, self.value, self.old_value].map(|p| p.of(&self.bytes));
        tape.append(&[&head, key, value, old_value])
    }

    pub(super) fn from_record(record: Bytes) -> Option<Self> {
        let word = |n: usize| Some(u64::from_le_bytes(*record.get(8 * n..)?.first_chunk::<8>()?));
        let (start_ts, generation, lens) = (word(0)?, word(1)?, word(2)?);
        let (key_len, value_len) = ((lens >> 32) as usize, (lens & u64::from(u32::MAX)) as usize);
        let old_len = record.len().checked_sub(RECORD_HEAD_BYTES + key_len + value_len)?;
        let piece = |len: usize| Piece { at: 0, len: len as u32 };
        let (key, value, old_value) = (piece(key_len), piece(value_len), piece(old_len));
        let mut row = Self { bytes: record, start_ts, generation, stamp: 0, key, value, old_value };
        row.place(RECORD_HEAD_BYTES as u32);
        Some(row)
    }
}

/// A part as a byte string that shares the whole's memory, unless it is empty.
#[inline]
pub(super) fn cut(bytes: &Bytes, part: Piece) -> Bytes {
    if part.is_empty() { Bytes::new() } else { bytes.slice(part.at as usize..part.end() as usize) }
}
