//! Statements of the form head, items with commas, tail, made of texts that are there already.

use crate::keyed::{Entry, Keyed, Kind};
use tidegate_sdk::sql::Blocks;

/// As `tg_sql_common::Packer` for texts of entries: neighbours are copied in one piece.
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
