//! Changes of one table version, reduced to the last state of each row key, as the text that statements are made of.

use crate::key::{hash_bytes, hash_is_key, hash_one};
use crate::literal::{push_row, push_value};
use crate::table::Table;
use hashbrown::HashTable;
use tg_sql_common::{Effect, push_key, touch};
use tgr1::{Batch, FormatError, Image};

/// Bytes of a window's text that are worth keeping for the next one.
const KEPT_BYTES_MAX: usize = 2 << 20;
/// Bytes an entry takes besides its texts, index included.
const ENTRY_BYTES: usize = size_of::<Entry>() + 5;

/// What becomes of a key; each kind has its texts one behind the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The row goes: the text is its key.
    Gone,
    /// The row stays and the downstream may have it.
    Known,
    /// The row stays, and the first change in the window made it.
    Fresh,
}

/// The last state of one key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    hash: u64,
    at: u32,
    len: u32,
    key_at: u32,
    key_len: u32,
    pub(crate) effect: Effect,
}

impl Entry {
    #[inline]
    pub(crate) const fn kind(&self) -> Kind {
        match (self.effect.put, self.effect.fresh) {
            (false, _) => Kind::Gone,
            (true, false) => Kind::Known,
            (true, true) => Kind::Fresh,
        }
    }

    /// Where the text is among those of its kind. A comma follows it.
    #[inline]
    pub(crate) const fn text(&self) -> (usize, usize) {
        (self.at as usize, self.at as usize + self.len as usize)
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct Keyed {
    index: HashTable<u32>,
    pub(crate) entries: Vec<Entry>,
    /// Keys of the entries, unless the hash alone is the key.
    keys: Vec<u8>,
    gone: Vec<u8>,
    known: Vec<u8>,
    fresh: Vec<u8>,
}

impl Keyed {
    /// The texts of a kind.
    pub(crate) fn texts(&self, kind: Kind) -> &[u8] {
        match kind {
            Kind::Gone => &self.gone,
            Kind::Known => &self.known,
            Kind::Fresh => &self.fresh,
        }
    }

    fn texts_mut(&mut self, kind: Kind) -> &mut Vec<u8> {
        match kind {
            Kind::Gone => &mut self.gone,
            Kind::Known => &mut self.known,
            Kind::Fresh => &mut self.fresh,
        }
    }

    /// Bytes held.
    pub(crate) fn len_bytes(&self) -> usize {
        let texts = self.gone.len() + self.known.len() + self.fresh.len();
        texts + self.keys.len() + self.entries.len() * ENTRY_BYTES
    }

    /// Empties it for another window; `None` when its memory is more than is worth keeping.
    pub(crate) fn recycled(mut self) -> Option<Self> {
        let held = [&self.gone, &self.known, &self.fresh, &self.keys].iter().map(|v| v.capacity()).sum::<usize>();
        if held + self.entries.capacity() * ENTRY_BYTES > KEPT_BYTES_MAX {
            return None;
        }
        self.index.clear();
        self.entries.clear();
        for texts in [&mut self.gone, &mut self.known, &mut self.fresh, &mut self.keys] {
            texts.clear();
        }
        Some(self)
    }

    /// Takes the rows of a batch.
    pub(crate) fn apply(&mut self, table: &Table, batch: &Batch<'_>) -> Result<(), FormatError> {
        self.entries.reserve(batch.len());
        let entries = &self.entries;
        self.index.reserve(batch.len(), |i| entries.get(*i as usize).map_or(0, |e| e.hash));
        batch.iter().try_for_each(|row| touch(row, &table.key, |image, effect| self.set(table, image, effect)))
    }

    #[inline]
    fn set(&mut self, table: &Table, image: &Image<'_>, effect: Effect) -> Result<(), FormatError> {
        let (found, mut entry) = self.look_up(table, image, effect)?;
        if let Some(before) = found.and_then(|i| self.entries.get(i as usize).copied()) {
            entry.effect.fresh = before.effect.fresh;
            self.forget_text(before);
        }
        let texts = self.texts_mut(entry.kind());
        let at = texts.len();
        match table.key.as_slice() {
            _ if effect.put => push_row(texts, image, &table.written)?,
            [one] => push_value(texts, image, one.at, one.literal)?,
            several => push_row(texts, image, several)?,
        }
        (entry.at, entry.len) = (at as u32, (texts.len() - at) as u32);
        texts.push(b',');
        match found {
            Some(i) => {
                if let Some(place) = self.entries.get_mut(i as usize) {
                    *place = entry;
                }
            }
            None => {
                let next = self.entries.len() as u32;
                self.entries.push(entry);
                let entries = &self.entries;
                let hash_of = |i: &u32| entries.get(*i as usize).map_or(0, |e| e.hash);
                self.index.insert_unique(entry.hash, next, hash_of);
            }
        }
        Ok(())
    }

    /// The entry of the image's key, and one without text to take its place. The key's bytes are kept if they are new.
    #[inline]
    fn look_up(
        &mut self,
        table: &Table,
        image: &Image<'_>,
        effect: Effect,
    ) -> Result<(Option<u32>, Entry), FormatError> {
        let entries = &self.entries;
        let at = |i: &u32| entries.get(*i as usize);
        let entry = |hash| Entry { hash, at: 0, len: 0, key_at: 0, key_len: 0, effect };
        if hash_is_key(&table.key) {
            let hash = hash_one(image, &table.key)?;
            let found = self.index.find(hash, |i| at(i).is_some_and(|e| e.hash == hash));
            return Ok((found.copied(), entry(hash)));
        }
        let start = self.keys.len();
        push_key(&mut self.keys, image, &table.key)?;
        let (before, own) = self.keys.split_at(start);
        let hash = hash_bytes(own);
        let key_of = |e: &Entry| before.get(e.key_at as usize..(e.key_at + e.key_len) as usize);
        let same = |i: &u32| at(i).is_some_and(|e| e.hash == hash && key_of(e) == Some(own));
        let mut entry = entry(hash);
        (entry.key_at, entry.key_len) = (start as u32, own.len() as u32);
        let found = self.index.find(hash, same).copied();
        if let Some(known) = found.and_then(|i| entries.get(i as usize)) {
            (entry.key_at, entry.key_len) = (known.key_at, known.key_len);
            self.keys.truncate(start);
        }
        Ok((found, entry))
    }

    /// The last text of its kind makes room at once, so that a row that changes all the time does not fill the window.
    fn forget_text(&mut self, entry: Entry) {
        let texts = self.texts_mut(entry.kind());
        let (at, end) = entry.text();
        if end + 1 == texts.len() {
            texts.truncate(at);
        }
    }
}
