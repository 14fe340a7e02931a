//! The quarantine of one changefeed: one file, and in memory where its rows stand.

use super::error::QuarantineError;
use super::format::{self, HEADER_LEN, Record};
use super::row::{BadRow, Kept};
use crate::ports::QuarantineStore;
use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Rows of one changefeed that may be put aside.
const ROWS_MAX: usize = 100_000;
/// Bytes that they may take on disk.
const BYTES_MAX: u64 = 1 << 30;
/// Bytes of dropped rows above which the file is written anew, when they are more than the others.
const WASTE_MIN_BYTES: u64 = 1 << 20;
const HOUR_MS: u64 = 3_600_000;

/// How much may be put aside before that is an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuarantineLimits {
    /// Rows within an hour.
    pub per_hour: u32,
}

impl QuarantineLimits {
    /// Rows within an hour when the changefeed does not say.
    pub const PER_HOUR: u32 = 100;
}

/// See the module. Cheap to clone; all clones are the same quarantine.
#[derive(Clone)]
pub struct FileQuarantine(Arc<Mutex<Inner>>);

struct Inner {
    path: PathBuf,
    file: File,
    limits: QuarantineLimits,
    rows: BTreeMap<u64, Place>,
    seen: HashSet<u64>,
    next: u64,
    len: u64,
    waste: u64,
    /// When the newest rows were put aside.
    recent: VecDeque<u64>,
}

/// Where a row stands in the file.
#[derive(Clone, Copy)]
struct Place {
    at: u64,
    len: usize,
    fingerprint: u64,
}

impl FileQuarantine {
    /// Opens the quarantine in this file, or begins one. Blocks.
    ///
    /// # Errors
    /// When the file cannot be read or written, or is of a later version.
    pub fn open(path: &Path, limits: QuarantineLimits) -> Result<Self, QuarantineError> {
        Inner::open(path, limits).map(|inner| Self(Arc::new(Mutex::new(inner))))
    }

    /// Rows that are put aside.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.lock().rows.len()
    }

    /// At most `limit` rows with numbers above `after`, in order. Blocks.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn list(&self, after: u64, limit: usize) -> Result<Vec<Kept>, QuarantineError> {
        let mut inner = self.0.lock();
        let places: Vec<Place> = inner.rows.range(after.saturating_add(1)..).take(limit).map(|(_, p)| *p).collect();
        places.into_iter().map(|p| inner.read(p)).collect()
    }

    /// One row. Blocks.
    ///
    /// # Errors
    /// When there is none with this number, or the file cannot be read.
    pub fn get(&self, id: u64) -> Result<Kept, QuarantineError> {
        let mut inner = self.0.lock();
        let place = inner.rows.get(&id).copied().ok_or(QuarantineError::NoRow { id })?;
        inner.read(place)
    }

    /// Forgets a row: it was handed over again, or nobody wants it. Blocks.
    ///
    /// # Errors
    /// When there is none with this number, or the file cannot be written.
    pub fn drop_row(&self, id: u64) -> Result<(), QuarantineError> {
        self.0.lock().drop_row(id)
    }
}

impl QuarantineStore for FileQuarantine {
    fn keep(&self, rows: Vec<BadRow>) -> BoxFuture<'_, Result<u64, QuarantineError>> {
        let shared = Arc::clone(&self.0);
        async move {
            let kept = tokio::task::spawn_blocking(move || shared.lock().keep(rows, now_ms())).await;
            kept.unwrap_or_else(|e| Err(QuarantineError::Io { path: String::new(), reason: e.to_string() }))
        }
        .boxed()
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

impl Inner {
    fn open(path: &Path, limits: QuarantineLimits) -> Result<Self, QuarantineError> {
        let failed = |e: std::io::Error| io(path, &e);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        let mut head = [0; HEADER_LEN];
        if !format::fill(&mut file, &mut head).map_err(failed)? {
            begin(&mut file, path).map_err(failed)?;
            head = format::header();
        }
        let wrong = |reason| QuarantineError::Format { path: path.display().to_string(), reason };
        format::check_header(&head).map_err(wrong)?;
        let mut inner = Self {
            path: path.to_owned(),
            file,
            limits,
            rows: BTreeMap::new(),
            seen: HashSet::new(),
            next: 1,
            len: HEADER_LEN as u64,
            waste: 0,
            recent: VecDeque::new(),
        };
        let mut records = BufReader::new(inner.file.try_clone().map_err(failed)?);
        records.seek(SeekFrom::Start(inner.len)).map_err(failed)?;
        while let Some(read) = format::read_frame(&mut records).map_err(failed)?.as_deref().and_then(format::decode) {
            let (record, len) = read.map_err(wrong)?;
            inner.note(record, len);
        }
        // A torn record was never acknowledged.
        inner.file.set_len(inner.len).map_err(failed)?;
        Ok(inner)
    }

    /// A record stands at the end of what is known.
    fn note(&mut self, record: Record, len: usize) {
        match record {
            Record::Kept(kept) => {
                let place = Place { at: self.len, len, fingerprint: kept.row.fingerprint() };
                self.seen.insert(place.fingerprint);
                self.recent.push_back(kept.at_ms);
                self.next = self.next.max(kept.id + 1);
                self.rows.insert(kept.id, place);
            }
            Record::Dropped(id) => {
                let dropped = self.rows.remove(&id);
                self.waste += len as u64 + dropped.map_or(0, |p| p.len as u64);
                dropped.iter().for_each(|p| _ = self.seen.remove(&p.fingerprint));
            }
            Record::Next(id) => self.next = self.next.max(id),
        }
        self.len += len as u64;
    }

    /// Durable when it returns. How many of the rows are new.
    fn keep(&mut self, rows: Vec<BadRow>, now_ms: u64) -> Result<u64, QuarantineError> {
        while self.recent.front().is_some_and(|at| at.saturating_add(HOUR_MS) <= now_ms) {
            self.recent.pop_front();
        }
        let mut fresh = HashSet::new();
        let rows: Vec<BadRow> = rows
            .into_iter()
            .filter(|r| !self.seen.contains(&r.fingerprint()) && fresh.insert(r.fingerprint()))
            .collect();
        if self.recent.len() + rows.len() > self.limits.per_hour as usize && !rows.is_empty() {
            return Err(QuarantineError::TooMany { limit: self.limits.per_hour });
        }
        let count = rows.len() as u64;
        let mut bytes = Vec::new();
        let mut records = Vec::new();
        for row in rows {
            let record = Record::Kept(Box::new(Kept { id: self.next + records.len() as u64, at_ms: now_ms, row }));
            let encoded = self.encode(&record)?;
            bytes.extend_from_slice(&encoded);
            records.push((record, encoded.len()));
        }
        if self.rows.len() + records.len() > ROWS_MAX || self.len + bytes.len() as u64 > BYTES_MAX {
            return Err(QuarantineError::Full { rows: self.rows.len(), bytes: self.len });
        }
        self.append(&bytes, records)?;
        Ok(count)
    }

    fn drop_row(&mut self, id: u64) -> Result<(), QuarantineError> {
        if !self.rows.contains_key(&id) {
            return Err(QuarantineError::NoRow { id });
        }
        let record = Record::Dropped(id);
        let bytes = self.encode(&record)?;
        let len = bytes.len();
        self.append(&bytes, vec![(record, len)])?;
        if self.waste > WASTE_MIN_BYTES && self.waste > self.len / 2 { self.rewrite() } else { Ok(()) }
    }

    fn append(&mut self, bytes: &[u8], records: Vec<(Record, usize)>) -> Result<(), QuarantineError> {
        let written = self.file.seek(SeekFrom::Start(self.len)).and_then(|_| self.file.write_all(bytes));
        // What is behind `len` counts as never written: a failure half-way is written over.
        written.and_then(|()| self.file.sync_data()).map_err(|e| io(&self.path, &e))?;
        records.into_iter().for_each(|(record, len)| self.note(record, len));
        Ok(())
    }

    /// Writes the rows that are left into a new file, which then takes the old one's place.
    fn rewrite(&mut self) -> Result<(), QuarantineError> {
        let fresh = self.path.with_extension("new");
        let _ = std::fs::remove_file(&fresh);
        let mut new = Self::open(&fresh, self.limits)?;
        let next = Record::Next(self.next);
        let bytes = self.encode(&next)?;
        let len = bytes.len();
        new.append(&bytes, vec![(next, len)])?;
        for place in self.rows.values().copied().collect::<Vec<_>>() {
            let record = Record::Kept(Box::new(self.read(place)?));
            let bytes = self.encode(&record)?;
            let len = bytes.len();
            new.append(&bytes, vec![(record, len)])?;
        }
        std::fs::rename(&fresh, &self.path).and_then(|()| sync_folder(&self.path)).map_err(|e| io(&self.path, &e))?;
        (new.path, new.recent) = (self.path.clone(), std::mem::take(&mut self.recent));
        *self = new;
        Ok(())
    }

    fn encode(&self, record: &Record) -> Result<Vec<u8>, QuarantineError> {
        format::encode(record).map_err(|reason| self.wrong(reason))
    }

    fn wrong(&self, reason: String) -> QuarantineError {
        QuarantineError::Format { path: self.path.display().to_string(), reason }
    }

    fn read(&mut self, place: Place) -> Result<Kept, QuarantineError> {
        let mut bytes = vec![0; place.len];
        let read = self.file.seek(SeekFrom::Start(place.at)).and_then(|_| self.file.read_exact(&mut bytes));
        read.map_err(|e| io(&self.path, &e))?;
        match format::decode(&bytes) {
            Some(Ok((Record::Kept(kept), _))) => Ok(*kept),
            Some(Err(reason)) => Err(self.wrong(reason)),
            _ => Err(self.wrong("a record has changed on disk".to_owned())),
        }
    }
}

fn begin(file: &mut File, path: &Path) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&format::header())?;
    file.sync_all()?;
    sync_folder(path)
}

/// A new name is durable when its folder is.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn io(path: &Path, e: &std::io::Error) -> QuarantineError {
    QuarantineError::Io { path: path.display().to_string(), reason: e.to_string() }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
