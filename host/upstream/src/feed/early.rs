//! Commits and rollbacks that came before the end of the scan, in their order.
//!
//! They are kept as plain bytes: no message is kept for them, and full pieces of the list go to disk
//! when the memory for waiting rows is used up.

use super::budget::Share;
use super::held::HoldError;
use super::spill::{Location, Tape};
use bytes::Bytes;
use std::collections::VecDeque;

/// Size of a piece of the list.
const CHUNK_BYTES: usize = 64 << 10;
/// An entry's head: start-ts, commit-ts, operation, length of the key.
const HEAD_BYTES: usize = 8 + 8 + 4 + 4;

enum Chunk {
    Memory(Bytes),
    Disk(Location),
}

/// An entry, read back.
pub(super) struct Early {
    pub(super) start_ts: u64,
    pub(super) commit_ts: u64,
    pub(super) op: i32,
    pub(super) key: Bytes,
}

/// See the module.
#[derive(Default)]
pub(super) struct EarlyList {
    full: VecDeque<Chunk>,
    last: Vec<u8>,
    /// The piece being read, from the front.
    reading: Bytes,
    bytes: usize,
}

impl EarlyList {
    /// Memory held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn push(
        &mut self,
        (start_ts, commit_ts, op): (u64, u64, i32),
        key: &[u8],
        share: &Share,
        tape: &mut Tape,
    ) -> Result<(), HoldError> {
        let before = self.last.len();
        self.last.extend_from_slice(&start_ts.to_le_bytes());
        self.last.extend_from_slice(&commit_ts.to_le_bytes());
        self.last.extend_from_slice(&op.to_le_bytes());
        self.last.extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.last.extend_from_slice(key);
        self.bytes += self.last.len() - before;
        if self.last.len() >= CHUNK_BYTES { self.close(share, tape) } else { Ok(()) }
    }

    fn close(&mut self, share: &Share, tape: &mut Tape) -> Result<(), HoldError> {
        let budget = share.budget();
        let chunk = if !budget.is_over() {
            Chunk::Memory(std::mem::take(&mut self.last).into())
        } else if tape.can_spill() {
            let at = tape.append(&[&self.last])?;
            self.bytes -= self.last.len();
            self.last.clear();
            Chunk::Disk(at)
        } else {
            let (held_bytes, limit_bytes) = (budget.used_bytes(), budget.limit_bytes());
            return Err(HoldError::Memory { held_bytes, limit_bytes });
        };
        self.full.push_back(chunk);
        Ok(())
    }

    /// Takes the first entry out; to be called when no more are pushed.
    pub(super) fn pop(&mut self, tape: &mut Tape) -> Result<Option<Early>, HoldError> {
        if self.reading.is_empty() {
            match self.full.pop_front() {
                Some(Chunk::Memory(bytes)) => {
                    self.bytes -= bytes.len();
                    self.reading = bytes;
                }
                Some(Chunk::Disk(at)) => {
                    self.reading = tape.read(at)?;
                    tape.free(at);
                }
                None => {
                    self.reading = std::mem::take(&mut self.last).into();
                    self.bytes -= self.reading.len();
                }
            }
        }
        if self.reading.len() < HEAD_BYTES {
            return Ok(None);
        }
        let head = self.reading.split_to(HEAD_BYTES);
        let word = |at: usize| head.get(at..).and_then(|b| b.first_chunk::<8>()).map_or(0, |b| u64::from_le_bytes(*b));
        let (start_ts, commit_ts, rest) = (word(0), word(8), word(16));
        let key_len = ((rest >> 32) as usize).min(self.reading.len());
        Ok(Some(Early { start_ts, commit_ts, op: rest as u32 as i32, key: self.reading.split_to(key_len) }))
    }

    /// What lies on disk is given up.
    pub(super) fn discard(&mut self, tape: &mut Tape) {
        for chunk in self.full.drain(..) {
            if let Chunk::Disk(at) = chunk {
                tape.free(at);
            }
        }
    }
}
