//! Statements of the form head, items with commas, tail.

use tidegate_sdk::sql::Blocks;

/// Packs items into as few statements as the limits allow. An item that is larger than a statement may be stands alone.
pub(crate) struct Lists<'a> {
    head: &'a [u8],
    tail: &'a [u8],
    items_max: usize,
    bytes_max: usize,
    /// In the statement in progress.
    items: usize,
    bytes: usize,
}

impl<'a> Lists<'a> {
    pub(crate) const fn new(head: &'a [u8], tail: &'a [u8], items_max: usize, bytes_max: usize) -> Self {
        Self { head, tail, items_max, bytes_max, items: 0, bytes: 0 }
    }

    pub(crate) fn item(&mut self, out: &mut Blocks, item: &[u8]) {
        let full = self.items >= self.items_max || self.bytes + 1 + item.len() + self.tail.len() > self.bytes_max;
        if full {
            self.end(out);
        }
        let opening: &[u8] = if self.items == 0 { self.head } else { b"," };
        out.buffer().extend_from_slice(opening);
        out.buffer().extend_from_slice(item);
        self.bytes += opening.len() + item.len();
        self.items += 1;
    }

    /// Ends the statement in progress, if there is one.
    pub(crate) fn end(&mut self, out: &mut Blocks) {
        if self.items > 0 {
            out.buffer().extend_from_slice(self.tail);
            out.end();
            (self.items, self.bytes) = (0, 0);
        }
    }
}
