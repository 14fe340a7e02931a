//! A file that is being written: row groups that are done, as bytes, and the rows of the next one, by column.

use crate::kind::Kind;
use crate::values::{Item, Values};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::TypePtr;
use tg_format_common::EncodeError;

/// Bytes of rows from which a row group is written.
pub const GROUP_BYTES_MAX: usize = 16 << 20;
/// Rows of a row group.
pub const GROUP_ROWS_MAX: usize = 1 << 20;

/// A file without its end.
pub struct File {
    columns: Vec<Values>,
    /// Rows, and their bytes, in `columns`.
    pending: Mark,
    writer: SerializedFileWriter<Vec<u8>>,
}

/// How much of the next row group there is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Mark {
    rows: usize,
    bytes: usize,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").field("pending", &self.pending).finish_non_exhaustive()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn refused(e: ParquetError) -> EncodeError {
    EncodeError::Config(format!("the file cannot be written: {e}"))
}

impl File {
    pub(crate) fn new(
        schema: TypePtr,
        properties: WriterPropertiesPtr,
        kinds: &[(Kind, bool)],
    ) -> Result<Self, EncodeError> {
        let columns = kinds.iter().map(|(kind, nullable)| Values::new(kind, *nullable)).collect();
        let writer = SerializedFileWriter::new(Vec::new(), schema, properties).map_err(refused)?;
        Ok(Self { columns, pending: Mark::default(), writer })
    }

    /// Bytes that are held: of row groups as they are in the file, of rows that wait as they are in memory.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.writer.bytes_written() + self.pending.bytes
    }

    pub(crate) const fn mark(&self) -> Mark {
        self.pending
    }

    /// Takes back rows, and a part of one, that came after the mark.
    pub(crate) fn take_back(&mut self, mark: Mark) {
        self.columns.iter_mut().for_each(|values| values.truncate(mark.rows));
        self.pending = mark;
    }

    pub(crate) fn begin_row(&mut self) -> OpenRow<'_> {
        OpenRow { columns: self.columns.iter_mut(), pending: &mut self.pending, bytes: 0 }
    }

    /// Writes the row group if it is large enough.
    pub(crate) fn write_full_group(&mut self) -> Result<(), EncodeError> {
        if self.pending.bytes < GROUP_BYTES_MAX && self.pending.rows < GROUP_ROWS_MAX {
            return Ok(());
        }
        self.write_group()
    }

    fn write_group(&mut self) -> Result<(), EncodeError> {
        if self.pending.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group().map_err(refused)?;
        let mut columns = self.columns.iter_mut();
        while let Some(mut column) = group.next_column().map_err(refused)? {
            if let Some(values) = columns.next() {
                values.write(&mut column).map_err(refused)?;
            }
            column.close().map_err(refused)?;
        }
        group.close().map_err(refused)?;
        self.pending = Mark::default();
        Ok(())
    }

    /// Ends the file: its bytes. It may be called once.
    ///
    /// # Errors
    /// When the library refuses; the rows are gone then, and what is called after that fails too.
    pub fn finish(&mut self) -> Result<Vec<u8>, EncodeError> {
        self.write_group()?;
        self.writer.finish().map_err(refused)?;
        Ok(std::mem::take(self.writer.inner_mut()))
    }
}

/// A row on its way into the columns. Without [`end`](Self::end) it is to be taken back.
pub(crate) struct OpenRow<'a> {
    columns: std::slice::IterMut<'a, Values>,
    pending: &'a mut Mark,
    bytes: usize,
}

impl OpenRow<'_> {
    /// The value of the next column.
    pub(crate) fn push(&mut self, item: Option<Item<'_>>) -> Result<(), &'static str> {
        let values = self.columns.next().ok_or("there is no such column")?;
        self.bytes += values.push(item)?;
        Ok(())
    }

    pub(crate) fn end(self) {
        self.pending.rows += 1;
        self.pending.bytes += self.bytes;
    }
}
