//! Prewrites that wait for their end: where they lie, and how they grow old.
//!
//! A prewrite begins young: a slice of the message it came in. Most end there. One that has outlived two
//! sweeps would keep its whole message from being freed, so it becomes old: a copy of its own; or cold,
//! a record on disk, when the memory for waiting rows is used up. A prewrite is in one place only.

use super::budget::{INDEX_MAX_BYTES, Share};
use super::prewrite::Prewrite;
use super::spill::{Location, SpillError, Tape};
use super::wire::RowRef;
use bytes::Bytes;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use std::hash::{BuildHasher as _, Hasher as _};

/// Room kept in a table that was larger.
const ROOM_MIN: usize = 256;

/// Why prewrites cannot be held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HoldError {
    #[error("rows that wait for their commit take {held_bytes} bytes of memory, above the limit of {limit_bytes}")]
    Memory { held_bytes: usize, limit_bytes: usize },
    #[error(transparent)]
    Spill(#[from] SpillError),
}

/// A spilled prewrite: part of its hash, and where it lies.
#[derive(Clone, Copy)]
struct Cold {
    hash: u32,
    at: Location,
}

impl Cold {
    /// A hash for the table, which wants good bits at both ends.
    const fn spread(hash: u64) -> u64 {
        (hash as u32 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// See the module.
pub(super) struct Held {
    young: HashTable<Prewrite>,
    old: HashTable<Prewrite>,
    cold: HashTable<Cold>,
    state: RandomState,
    /// Memory of the tables' content and of the index of what is on disk.
    bytes: usize,
    stamp: u64,
    /// Stamps below this have lived through a sweep.
    mark: u64,
}

impl Held {
    pub(super) fn new() -> Self {
        let (young, old, cold) = (HashTable::new(), HashTable::new(), HashTable::new());
        Self { young, old, cold, state: RandomState::default(), bytes: 0, stamp: 0, mark: 0 }
    }

    /// Memory held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.cold.allocation_size()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len() + self.cold.len()
    }

    #[cfg(test)]
    pub(super) fn places(&self) -> [usize; 3] {
        [self.young.len(), self.old.len(), self.cold.len()]
    }

    pub(super) fn has_young(&self) -> bool {
        !self.young.is_empty()
    }

    /// What lies on disk is given up.
    pub(super) fn discard(&mut self, tape: &mut Tape) {
        self.cold.drain().for_each(|c| tape.free(c.at));
    }

    /// Takes a prewrite in; one that comes again replaces the other if it is not worse.
    #[inline]
    pub(super) fn put(&mut self, row: &RowRef, message: &Bytes, tape: &mut Tape) -> Result<(), HoldError> {
        let (start_ts, key) = (row.start_ts, row.key.of(message));
        let hash = hash_of(&self.state, start_ts, key);
        let only_young = self.old.is_empty() && self.cold.is_empty();
        if !only_young && !self.replaces_settled(hash, row, key, tape)? {
            return Ok(());
        }
        self.stamp += 1;
        let new = Prewrite::new(row, message, self.stamp);
        let state = &self.state;
        let rehash = |p: &Prewrite| hash_of(state, p.start_ts(), p.key());
        match self.young.entry(hash, |p| p.is(start_ts, key), rehash) {
            Entry::Vacant(slot) => {
                self.bytes += new.weight_bytes();
                slot.insert(new);
            }
            Entry::Occupied(mut slot) if is_better(row, slot.get()) => {
                self.bytes += new.weight_bytes();
                self.bytes -= std::mem::replace(slot.get_mut(), new).weight_bytes();
            }
            Entry::Occupied(_) => {}
        }
        Ok(())
    }

    /// Whether `row` may be put among the young: what it is better than has been taken out.
    #[cold]
    fn replaces_settled(&mut self, hash: u64, row: &RowRef, key: &[u8], tape: &mut Tape) -> Result<bool, HoldError> {
        self.take_settled(hash, row.start_ts, key, |held| is_better(row, held), tape).map(|found| match found {
            Found::Nothing | Found::Taken(_) => true,
            Found::Left => false,
        })
    }

    /// Takes a prewrite out if `wanted` says so.
    #[inline]
    pub(super) fn take(
        &mut self,
        start_ts: u64,
        key: &[u8],
        wanted: impl Fn(&Prewrite) -> bool,
        tape: &mut Tape,
    ) -> Result<Found, HoldError> {
        let hash = hash_of(&self.state, start_ts, key);
        if let Ok(slot) = self.young.find_entry(hash, |p| p.is(start_ts, key)) {
            if !wanted(slot.get()) {
                return Ok(Found::Left);
            }
            let found = slot.remove().0;
            self.bytes -= found.weight_bytes();
            return Ok(Found::Taken(found));
        }
        if self.old.is_empty() && self.cold.is_empty() {
            return Ok(Found::Nothing);
        }
        self.take_settled(hash, start_ts, key, wanted, tape)
    }

    #[cold]
    fn take_settled(
        &mut self,
        hash: u64,
        start_ts: u64,
        key: &[u8],
        wanted: impl Fn(&Prewrite) -> bool,
        tape: &mut Tape,
    ) -> Result<Found, HoldError> {
        if let Ok(slot) = self.old.find_entry(hash, |p| p.is(start_ts, key)) {
            if !wanted(slot.get()) {
                return Ok(Found::Left);
            }
            let found = slot.remove().0;
            self.bytes -= found.weight_bytes();
            shrink(&mut self.old, |p| hash_of(&self.state, p.start_ts(), p.key()));
            return Ok(Found::Taken(found));
        }
        let Some((at, found)) = self.read_cold(hash, start_ts, key, tape)? else {
            return Ok(Found::Nothing);
        };
        if !wanted(&found) {
            return Ok(Found::Left);
        }
        if let Ok(slot) = self.cold.find_entry(Cold::spread(hash), |c| c.at == at) {
            slot.remove();
        }
        tape.free(at);
        shrink(&mut self.cold, |c| Cold::spread(u64::from(c.hash)));
        Ok(Found::Taken(found))
    }

    /// The spilled prewrite, if there is one. Others whose hashes look the same are read too.
    fn read_cold(
        &self,
        hash: u64,
        start_ts: u64,
        key: &[u8],
        tape: &mut Tape,
    ) -> Result<Option<(Location, Prewrite)>, SpillError> {
        for cold in self.cold.iter_hash(Cold::spread(hash)).filter(|c| c.hash == hash as u32) {
            let row = Prewrite::from_record(tape.read(cold.at)?);
            if let Some(row) = row.filter(|r| r.is(start_ts, key)) {
                return Ok(Some((cold.at, row)));
            }
        }
        Ok(None)
    }

    /// Settles what has lived through a sweep already. On an error the prewrites are not complete any more.
    /// `more_bytes`: what the matcher holds besides.
    pub(super) fn sweep(&mut self, share: &mut Share, more_bytes: usize, tape: &mut Tape) -> Result<(), HoldError> {
        let mark = std::mem::replace(&mut self.mark, self.stamp);
        let mut aged: Vec<Prewrite> = self.young.extract_if(|p| p.stamp() <= mark).collect();
        // In order of arrival on disk: commits come in that order too.
        aged.sort_unstable_by_key(Prewrite::stamp);
        for row in aged {
            share.set(self.bytes() + more_bytes);
            self.settle(row, share, tape)?;
        }
        shrink(&mut self.young, |p| hash_of(&self.state, p.start_ts(), p.key()));
        share.set(self.bytes() + more_bytes);
        Ok(())
    }

    fn settle(&mut self, mut row: Prewrite, share: &Share, tape: &mut Tape) -> Result<(), HoldError> {
        let hash = hash_of(&self.state, row.start_ts(), row.key());
        let (budget, index_bytes) = (share.budget(), self.cold.allocation_size());
        if !budget.is_over() {
            row.detach();
            let state = &self.state;
            self.old.insert_unique(hash, row, |p| hash_of(state, p.start_ts(), p.key()));
            return Ok(());
        }
        if !tape.can_spill() || index_bytes > INDEX_MAX_BYTES {
            let (held_bytes, limit_bytes) = (budget.used_bytes(), budget.limit_bytes());
            return Err(HoldError::Memory { held_bytes, limit_bytes });
        }
        let cold = Cold { hash: hash as u32, at: row.spill(tape)? };
        self.bytes -= row.weight_bytes();
        self.cold.insert_unique(Cold::spread(hash), cold, |c| Cold::spread(u64::from(c.hash)));
        Ok(())
    }
}

/// What came of looking for a prewrite.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    /// It is there and was not wanted.
    Left,
    Taken(Prewrite),
}

/// A lock that is merely rewritten comes again without its value.
fn is_better(row: &RowRef, held: &Prewrite) -> bool {
    !row.value.is_empty() && row.generation >= held.generation()
}

#[inline]
fn hash_of(state: &RandomState, start_ts: u64, key: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write_u64(start_ts);
    hasher.write(key);
    hasher.finish()
}

/// Gives memory back that a table does not need any more.
fn shrink<T>(table: &mut HashTable<T>, hash: impl Fn(&T) -> u64) {
    if table.capacity() > ROOM_MIN && table.capacity() / 8 > table.len() {
        table.shrink_to(2 * table.len(), hash);
    }
}
