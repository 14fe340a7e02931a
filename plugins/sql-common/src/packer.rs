//! Statements of the form head, items with commas, tail.

use tgr1::FormatError;
use tidegate_sdk::sql::Blocks;

/// Packs items into as few statements as the limits allow. An item that is larger than a statement may be stands alone.
pub struct Packer<'a> {
    head: &'a [u8],
    tail: &'a [u8],
    items_max: usize,
    bytes_max: usize,
    items: usize,
    start: usize,
}

impl<'a> Packer<'a> {
    /// For statements of at most so many items and bytes.
    #[must_use]
    pub const fn new(head: &'a [u8], tail: &'a [u8], items_max: usize, bytes_max: usize) -> Self {
        Self { head, tail, items_max, bytes_max, items: 0, start: 0 }
    }

    /// Appends one item; ends the statement before it when the item does not fit any more.
    ///
    /// # Errors
    /// Those of `write`; `out` is unusable then.
    #[inline]
    pub fn item(
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
    pub fn end(&mut self, out: &mut Blocks) {
        if self.items > 0 {
            out.buffer().extend_from_slice(self.tail);
            out.end();
            self.items = 0;
        }
    }
}

/// Appends `(a,b)`.
///
/// # Errors
/// Those of `push`.
#[inline]
pub fn push_tuple<C>(
    out: &mut Vec<u8>,
    columns: &[C],
    mut push: impl FnMut(&mut Vec<u8>, &C) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    out.push(b'(');
    for (i, column) in columns.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push(out, column)?;
    }
    out.push(b')');
    Ok(())
}
