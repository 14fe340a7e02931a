//! Statements of the form head, items with commas, tail.

use crate::keyed::{Entry, Keyed, Kind};
use crate::literal::push_value;
use crate::table::ImageColumn;
use tgr1::{FormatError, Image};
use tidegate_sdk::sql::Blocks;

/// Builds statements of the form head, items with commas, tail.
pub(crate) struct Packer<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) tail: &'a [u8],
    pub(crate) items_max: usize,
    pub(crate) bytes_max: usize,
    items: usize,
    start: usize,
}

impl<'a> Packer<'a> {
    pub(crate) const fn new(head: &'a [u8], tail: &'a [u8], items_max: usize, bytes_max: usize) -> Self {
        Self { head, tail, items_max, bytes_max, items: 0, start: 0 }
    }

    /// Appends one item; ends the statement before it when the item does not fit any more.
    #[inline]
    pub(crate) fn item(
        &mut self,
        out: &mut Blocks,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        if self.items == self.items_max {
            self.end(out);
        }
        let buf = out.buffer();
        if self.items == 0 {
            self.start = buf.len();
            buf.extend_from_slice(self.head);
        } else {
            buf.push(b',');
        }
        let at = buf.len();
        write(buf)?;
        self.items += 1;
        if self.items > 1 && buf.len() - self.start + self.tail.len() > self.bytes_max {
            self.carry(out, at);
        }
        Ok(())
    }

    /// Moves the item that starts at `at` to a statement of its own.
    fn carry(&mut self, out: &mut Blocks, at: usize) {
        let buf = out.buffer();
        let item = buf.split_off(at);
        buf.pop();
        buf.extend_from_slice(self.tail);
        out.end();
        let buf = out.buffer();
        self.start = buf.len();
        buf.extend_from_slice(self.head);
        buf.extend_from_slice(&item);
        self.items = 1;
    }

    /// Ends the statement in progress, if there is one.
    pub(crate) fn end(&mut self, out: &mut Blocks) {
        if self.items > 0 {
            out.buffer().extend_from_slice(self.tail);
            out.end();
            self.items = 0;
        }
    }
}

/// Appends `(v1,v2)`.
#[inline]
pub(crate) fn push_row(out: &mut Vec<u8>, image: &Image<'_>, columns: &[ImageColumn]) -> Result<(), FormatError> {
    out.push(b'(');
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push_value(out, image, column.at, column.literal)?;
    }
    out.push(b')');
    Ok(())
}

/// As [`Packer`] for texts that are there already: neighbours are copied in one piece.
pub(crate) struct Runs<'a> {
    keyed: &'a Keyed,
    head: &'a [u8],
    tail: &'a [u8],
    items_max: usize,
    bytes_max: usize,
    items: usize,
    bytes: usize,
    /// Not copied yet: texts of one kind, from and to.
    run: Option<(Kind, usize, usize)>,
}

impl<'a> Runs<'a> {
    pub(crate) const fn new(
        keyed: &'a Keyed,
        head: &'a [u8],
        tail: &'a [u8],
        items_max: usize,
        bytes_max: usize,
    ) -> Self {
        Self { keyed, head, tail, items_max, bytes_max, items: 0, bytes: 0, run: None }
    }

    /// Adds an entry's text; ends the statement before it when it does not fit any more.
    #[inline]
    pub(crate) fn item(&mut self, out: &mut Blocks, entry: &Entry) {
        let (at, end) = entry.text();
        let full = self.bytes + 1 + (end - at) + self.tail.len() > self.bytes_max;
        if self.items == self.items_max || (full && self.items > 0) {
            self.end(out);
        }
        if self.items == 0 {
            out.buffer().extend_from_slice(self.head);
            self.bytes = self.head.len();
        } else {
            self.bytes += 1;
        }
        self.bytes += end - at;
        self.items += 1;
        let kind = entry.kind();
        self.run = Some(match self.run {
            Some((of, from, to)) if of == kind && to + 1 == at => (kind, from, end),
            _ => {
                self.copy(out, true);
                (kind, at, end)
            }
        });
    }

    fn copy(&mut self, out: &mut Blocks, more: bool) {
        if let Some((kind, from, to)) = self.run.take() {
            // The comma behind the last text is there as well.
            let texts = self.keyed.texts(kind).get(from..to + usize::from(more));
            out.buffer().extend_from_slice(texts.unwrap_or_default());
        }
    }

    /// Ends the statement in progress, if there is one.
    pub(crate) fn end(&mut self, out: &mut Blocks) {
        if self.items > 0 {
            self.copy(out, false);
            out.buffer().extend_from_slice(self.tail);
            out.end();
            self.items = 0;
        }
    }
}
