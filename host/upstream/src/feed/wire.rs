//! Reads the hot messages of the change feed where they lie.
//!
//! Rows are most of what a store sends. A generated decoder makes three shared byte strings and a
//! list entry of each before anything has looked at it; here a row is a few numbers and places in its
//! message. What it accepts and what it makes of it is what the generated decoder does (field numbers:
//! `cdcpb.proto`; encoding: the Protocol Buffers wire format), except that a part that is given twice
//! is not merged field by field: lists are joined, else the last one counts.

use bytes::Bytes;

/// A message that does not follow the format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a message of the change feed cannot be read at byte {at} of {len}")]
pub(super) struct Malformed {
    at: usize,
    len: usize,
}

impl Malformed {
    /// A part that its own decoder refuses.
    pub(super) fn new(part: Piece) -> Self {
        Self { at: part.at as usize, len: part.end() as usize }
    }
}

/// Where a byte string lies in its message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Piece {
    pub(super) at: u32,
    pub(super) len: u32,
}

impl Piece {
    /// The bytes; `message` is the one the piece was found in.
    pub(super) fn of(self, message: &[u8]) -> &[u8] {
        message.get(self.at as usize..(self.at + self.len) as usize).unwrap_or_default()
    }

    pub(super) const fn is_empty(self) -> bool {
        self.len == 0
    }

    pub(super) const fn end(self) -> u32 {
        self.at + self.len
    }
}

/// A row of a change feed, by the numbers of `cdcpb.Row`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct RowRef {
    pub(super) start_ts: u64,
    pub(super) commit_ts: u64,
    /// `cdcpb.LogType`.
    pub(super) kind: i32,
    /// `cdcpb.OpType`.
    pub(super) op: i32,
    pub(super) key: Piece,
    pub(super) value: Piece,
    pub(super) old_value: Piece,
    pub(super) generation: u64,
}

/// What an event carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Body {
    #[default]
    None,
    /// Lists of rows, put into the caller's list of places.
    Entries,
    /// A `cdcpb.Error`.
    Error(Piece),
    /// A resolved-ts of the old form.
    Resolved(u64),
}

/// An event: who it is for and what it carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct EventRef {
    pub(super) region: u64,
    pub(super) request: u64,
    pub(super) body: Body,
}

/// A field of the outermost message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Top {
    Event(Piece),
    /// A `cdcpb.ResolvedTs`.
    Resolved(Piece),
}

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

const fn tag(field: u64, wire: u64) -> u64 {
    field << 3 | wire
}

/// A place in a part of a message.
pub(super) struct Reader<'a> {
    message: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// Reads the bytes of `part`; an end beyond the message counts as the message's.
    pub(super) fn new(message: &'a [u8], part: Piece) -> Self {
        let end = (part.end() as usize).min(message.len());
        Self { message, at: (part.at as usize).min(end), end }
    }

    /// Where it stands: the rest of its part.
    pub(super) fn rest(&self) -> Piece {
        Piece { at: self.at as u32, len: (self.end - self.at) as u32 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.end
    }

    fn malformed(&self) -> Malformed {
        Malformed { at: self.at, len: self.message.len() }
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Malformed> {
        // Tags and most lengths.
        if self.at < self.end
            && let Some(byte) = self.message.get(self.at).filter(|b| **b < 0x80)
        {
            self.at += 1;
            return Ok(u64::from(*byte));
        }
        self.long_varint()
    }

    fn long_varint(&mut self) -> Result<u64, Malformed> {
        let bytes = self.message.get(self.at..self.end).unwrap_or_default();
        let (mut value, mut from) = (0, 0);
        if let Some(eight) = bytes.first_chunk::<8>() {
            let word = u64::from_le_bytes(*eight);
            let ends = !word & 0x8080_8080_8080_8080;
            if ends != 0 {
                self.at += ends.trailing_zeros() as usize / 8 + 1;
                // What lies up to and with the first byte that is an end.
                return Ok(sevens(word & (ends ^ (ends - 1))));
            }
            (value, from) = (sevens(word), 8);
        }
        for (n, byte) in bytes.iter().enumerate().take(10).skip(from) {
            value |= u64::from(byte & 0x7f) << (7 * n);
            if *byte < 0x80 {
                // The tenth byte has room for one bit.
                if n == 9 && *byte > 1 {
                    break;
                }
                self.at += n + 1;
                return Ok(value);
            }
        }
        Err(self.malformed())
    }

    #[inline]
    fn piece(&mut self) -> Result<Piece, Malformed> {
        let len = self.varint()?;
        if len > (self.end - self.at) as u64 {
            return Err(self.malformed());
        }
        let piece = Piece { at: self.at as u32, len: len as u32 };
        self.at += len as usize;
        Ok(piece)
    }

    fn skip(&mut self, tag: u64) -> Result<(), Malformed> {
        let len = match tag & 7 {
            _ if tag >> 3 == 0 || tag > u64::from(u32::MAX) => return Err(self.malformed()),
            VARINT => return self.varint().map(drop),
            BYTES => return self.piece().map(drop),
            FIXED64 => 8,
            FIXED32 => 4,
            _ => return Err(self.malformed()),
        };
        if self.end - self.at < len {
            return Err(self.malformed());
        }
        self.at += len;
        Ok(())
    }

    /// A known field with another type than its own is an error; an unknown one is skipped.
    fn other(&mut self, tag: u64, known: &[u64]) -> Result<(), Malformed> {
        if known.contains(&(tag >> 3)) { Err(self.malformed()) } else { self.skip(tag) }
    }

    /// The next field of the outermost message; `None` at its end.
    pub(super) fn top(&mut self) -> Result<Option<Top>, Malformed> {
        const EVENTS: u64 = tag(1, BYTES);
        const RESOLVED: u64 = tag(2, BYTES);
        while !self.is_done() {
            match self.varint()? {
                EVENTS => return self.piece().map(|p| Some(Top::Event(p))),
                RESOLVED => return self.piece().map(|p| Some(Top::Resolved(p))),
                other => self.other(other, &[1, 2])?,
            }
        }
        Ok(None)
    }

    /// The event this reader stands before; lists of rows are appended to `lists`.
    pub(super) fn event(&mut self, lists: &mut Vec<Piece>) -> Result<EventRef, Malformed> {
        const REGION: u64 = tag(1, VARINT);
        const INDEX: u64 = tag(2, VARINT);
        const ENTRIES: u64 = tag(3, BYTES);
        const ERROR: u64 = tag(5, BYTES);
        const RESOLVED: u64 = tag(6, VARINT);
        const REQUEST: u64 = tag(7, VARINT);
        let mut event = EventRef::default();
        while !self.is_done() {
            match self.varint()? {
                REGION => event.region = self.varint()?,
                INDEX => drop(self.varint()?),
                REQUEST => event.request = self.varint()?,
                ENTRIES => {
                    lists.push(self.piece()?);
                    event.body = Body::Entries;
                }
                ERROR => event.body = Body::Error(self.piece()?),
                RESOLVED => event.body = Body::Resolved(self.varint()?),
                other => self.other(other, &[1, 2, 3, 5, 6, 7])?,
            }
        }
        Ok(event)
    }

    /// The next row of a list; `None` at its end.
    #[inline]
    pub(super) fn row(&mut self) -> Result<Option<RowRef>, Malformed> {
        const ROW: u64 = tag(1, BYTES);
        while !self.is_done() {
            match self.varint()? {
                ROW => {
                    let part = self.piece()?;
                    return Reader::new(self.message, part).fields_of_row().map(Some);
                }
                other => self.other(other, &[1])?,
            }
        }
        Ok(None)
    }

    #[inline]
    fn fields_of_row(&mut self) -> Result<RowRef, Malformed> {
        const START_TS: u64 = tag(1, VARINT);
        const COMMIT_TS: u64 = tag(2, VARINT);
        const TYPE: u64 = tag(3, VARINT);
        const OP: u64 = tag(4, VARINT);
        const KEY: u64 = tag(5, BYTES);
        const VALUE: u64 = tag(6, BYTES);
        const OLD_VALUE: u64 = tag(7, BYTES);
        const TXN_SOURCE: u64 = tag(9, VARINT);
        const GENERATION: u64 = tag(10, VARINT);
        let mut row = RowRef::default();
        while !self.is_done() {
            match self.varint()? {
                START_TS => row.start_ts = self.varint()?,
                COMMIT_TS => row.commit_ts = self.varint()?,
                TYPE => row.kind = self.varint()? as i32,
                OP => row.op = self.varint()? as i32,
                KEY => row.key = self.piece()?,
                VALUE => row.value = self.piece()?,
                OLD_VALUE => row.old_value = self.piece()?,
                TXN_SOURCE => drop(self.varint()?),
                GENERATION => row.generation = self.varint()?,
                other => self.other(other, &[1, 2, 3, 4, 5, 6, 7, 9, 10])?,
            }
        }
        Ok(row)
    }
}

/// The lower seven bits of eight bytes, joined.
const fn sevens(word: u64) -> u64 {
    let pairs = (word & 0x007f_007f_007f_007f) | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let fours = (pairs & 0x0000_3fff_0000_3fff) | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    (fours & 0x0fff_ffff) | (fours & 0x0fff_ffff_0000_0000) >> 4
}

/// The whole of a message or list.
pub(super) fn whole(bytes: &Bytes) -> Piece {
    Piece { at: 0, len: bytes.len() as u32 }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
pub(super) mod tests;
