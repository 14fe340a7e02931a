//! Records of one stream: appended to segments, read back, freed.
//!
//! A segment is a file; it goes when none of its records is left. Records are read back mostly in the
//! order in which they were written (a transaction commits its keys in the order it locked them), so
//! a read that follows the one before takes a window of the file at once.

use super::area::SpillFile;
use super::{SpillArea, SpillError};
use bytes::Bytes;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// A segment is closed when it has reached this size.
const SEGMENT_BYTES: u32 = 64 << 20;
/// What is gathered before it is written.
const WRITE_BYTES: usize = 256 << 10;
/// What is read at once in sequence, and out of it.
const WINDOW_BYTES: usize = 256 << 10;
const PROBE_BYTES: usize = 4 << 10;
/// Length of a record's head: the length of its body.
const HEAD_BYTES: usize = 4;

/// Where a record lies: segment and offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Location {
    pub(in super::super) segment: u32,
    pub(in super::super) offset: u32,
}

struct Segment {
    file: SpillFile,
    /// Records that are not freed.
    live: u32,
    /// Bytes in the file; what lies behind them is in the tail.
    written: u32,
    len: u32,
}

/// The part of a segment read last.
#[derive(Default)]
struct Window {
    segment: u32,
    start: usize,
    bytes: Bytes,
    /// End of the record read last.
    next: usize,
}

/// See the module.
pub(in super::super) struct Tape {
    area: Option<Arc<SpillArea>>,
    segments: HashMap<u32, Segment, RandomState>,
    /// The segment that is written; zero: none.
    current: u32,
    last: u32,
    tail: Vec<u8>,
    window: Window,
}

impl Tape {
    pub(in super::super) fn new(area: Option<Arc<SpillArea>>) -> Self {
        let (segments, window) = (HashMap::default(), Window::default());
        Self { area, segments, current: 0, last: 0, tail: Vec::new(), window }
    }

    /// Nothing is kept.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// There is a place to write to.
    pub(in super::super) fn can_spill(&self) -> bool {
        self.area.is_some()
    }

    /// Appends a record made of `parts`. On an error nothing has changed.
    pub(in super::super) fn append(&mut self, parts: &[&[u8]]) -> Result<Location, SpillError> {
        let body: usize = parts.iter().map(|p| p.len()).sum();
        let total = HEAD_BYTES + body;
        let Some(area) = self.area.clone() else {
            return Err(SpillError::Full { limit_bytes: 0 });
        };
        self.make_room(total, &area)?;
        area.reserve(total as u64)?;
        let Some(segment) = self.segments.get_mut(&self.current) else {
            unreachable!("room was made in it");
        };
        let at = Location { segment: self.current, offset: segment.len };
        self.tail.extend_from_slice(&(body as u32).to_le_bytes());
        parts.iter().for_each(|p| self.tail.extend_from_slice(p));
        segment.len += total as u32;
        segment.live += 1;
        Ok(at)
    }

    /// Sees to a segment that takes so much, and to a tail that is not too long.
    fn make_room(&mut self, bytes: usize, area: &SpillArea) -> Result<(), SpillError> {
        if self.tail.len() + bytes > WRITE_BYTES {
            self.flush()?;
        }
        let fits = |s: &Segment| s.len == 0 || s.len as usize + bytes <= SEGMENT_BYTES as usize;
        if !self.segments.get(&self.current).is_some_and(fits) {
            self.flush()?;
            let file = area.file()?;
            self.last += 1;
            self.current = self.last;
            self.segments.insert(self.current, Segment { file, live: 0, written: 0, len: 0 });
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SpillError> {
        let Some(segment) = self.segments.get_mut(&self.current).filter(|_| !self.tail.is_empty()) else {
            return Ok(());
        };
        let file = &segment.file;
        file.file.write_all_at(&self.tail, u64::from(segment.written)).map_err(|e| file.error(&e))?;
        segment.written = segment.len;
        self.tail.clear();
        self.tail.shrink_to(WRITE_BYTES);
        Ok(())
    }

    /// A record's body.
    pub(in super::super) fn read(&mut self, at: Location) -> Result<Bytes, SpillError> {
        let follows = at.segment == self.window.segment && at.offset as usize == self.window.next;
        if let Some(bytes) = self.in_window(at) {
            // Of a window that is not read through, a record shall not keep the rest.
            return Ok(if follows { bytes } else { Bytes::copy_from_slice(&bytes) });
        }
        let Some(segment) = self.segments.get(&at.segment) else {
            unreachable!("a segment stays while a record of it is not freed");
        };
        let offset = at.offset as usize;
        if let Some(in_tail) = offset.checked_sub(segment.written as usize) {
            let tail = self.tail.get(in_tail..).unwrap_or_default();
            return body_in(tail).map(Bytes::copy_from_slice).ok_or_else(|| short(segment));
        }
        let bytes = read_at(segment, offset, if follows { WINDOW_BYTES } else { PROBE_BYTES })?;
        let body = body_in(&bytes).map(|b| b.len()).ok_or_else(|| short(segment))?;
        let record = bytes.slice(HEAD_BYTES..HEAD_BYTES + body);
        let (record, bytes) = if follows { (record, bytes) } else { (Bytes::copy_from_slice(&record), Bytes::new()) };
        self.window = Window { segment: at.segment, start: offset, bytes, next: offset + HEAD_BYTES + body };
        Ok(record)
    }

    fn in_window(&mut self, at: Location) -> Option<Bytes> {
        let window = &mut self.window;
        let from = (at.offset as usize).checked_sub(window.start).filter(|_| window.segment == at.segment)?;
        let body = body_in(window.bytes.get(from..)?)?.len();
        window.next = window.start + from + HEAD_BYTES + body;
        Some(window.bytes.slice(from + HEAD_BYTES..from + HEAD_BYTES + body))
    }

    /// Gives a record up; its location must not be used again.
    pub(in super::super) fn free(&mut self, at: Location) {
        let Some(segment) = self.segments.get_mut(&at.segment) else {
            return;
        };
        segment.live = segment.live.saturating_sub(1);
        if segment.live == 0 {
            self.remove(at.segment);
        }
    }

    fn remove(&mut self, number: u32) {
        if let (Some(segment), Some(area)) = (self.segments.remove(&number), &self.area) {
            area.release(u64::from(segment.len));
        }
        if self.current == number {
            self.current = 0;
            self.tail = Vec::new();
        }
        if self.window.segment == number {
            self.window = Window::default();
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        let all: Vec<u32> = self.segments.keys().copied().collect();
        all.into_iter().for_each(|n| self.remove(n));
    }
}

/// The body of the record that `bytes` begins with, if it is there whole.
fn body_in(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    rest.get(..u32::from_le_bytes(*head) as usize)
}

/// At least the record at `offset`, and up to `least` bytes.
fn read_at(segment: &Segment, offset: usize, least: usize) -> Result<Bytes, SpillError> {
    let there = segment.written as usize - offset;
    let mut bytes = vec![0; least.min(there)];
    let read = |bytes: &mut [u8], at: usize| {
        segment.file.file.read_exact_at(bytes, at as u64).map_err(|e| segment.file.error(&e))
    };
    read(&mut bytes, offset)?;
    let whole = bytes.first_chunk::<HEAD_BYTES>().map_or(0, |h| HEAD_BYTES + u32::from_le_bytes(*h) as usize);
    let have = bytes.len();
    if whole > have && whole <= there {
        bytes.resize(whole, 0);
        read(bytes.get_mut(have..).unwrap_or_default(), offset + have)?;
    }
    Ok(bytes.into())
}

fn short(segment: &Segment) -> SpillError {
    segment.file.error(&std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "a record is cut short"))
}

#[cfg(test)]
#[path = "tape_tests.rs"]
mod tests;
