//! What every encoder does.

use crate::{EncodeError, Messages};
use std::sync::Arc;
use tgr1::{FormatError, Image, Op, Row};
use tidegate_sdk::{DdlEvent, TableRef, TableSchema};

/// Milliseconds since 1970, for the build times in messages.
pub type Now = u64;

/// Rows, DDL and watermarks to messages. What a format has no message for appends nothing.
pub trait Encoder {
    /// Prepares a table version. `selected`: positions of the columns that images hold; `None`: all.
    ///
    /// # Errors
    /// When the format cannot carry such a table.
    fn table(&mut self, schema: Arc<TableSchema>, selected: Option<&[u32]>) -> Result<(), EncodeError>;

    /// Forgets a table version.
    fn drop_table(&mut self, id: TableRef);

    /// Appends the message of one row.
    ///
    /// # Errors
    /// As [`EncodeError`] says; the messages are as before then.
    fn row(&mut self, table: TableRef, row: &Row<'_>, now: Now, out: &mut Messages) -> Result<(), EncodeError>;

    /// Appends the message of a DDL.
    ///
    /// # Errors
    /// As [`EncodeError`] says; the messages are as before then.
    fn ddl(&mut self, ddl: &DdlEvent, now: Now, out: &mut Messages) -> Result<(), EncodeError>;

    /// Appends the message that says: everything up to `ts` has been sent.
    ///
    /// # Errors
    /// As [`EncodeError`] says; the messages are as before then.
    fn watermark(&mut self, ts: u64, now: Now, out: &mut Messages) -> Result<(), EncodeError>;

    /// Appends the message that describes a prepared table for consumers who come late.
    ///
    /// # Errors
    /// As [`EncodeError`] says; the messages are as before then.
    fn bootstrap(&mut self, table: TableRef, now: Now, out: &mut Messages) -> Result<(), EncodeError> {
        let _ = (table, now, out);
        Ok(())
    }

    /// Whether several messages of one partition may be joined by [`pack`](Self::pack).
    fn packs(&self) -> bool {
        false
    }

    /// Joins the messages with these numbers, which go to one partition, and appends the result.
    ///
    /// # Errors
    /// As [`EncodeError`] says.
    fn pack(&self, events: &Messages, numbers: &[u32], out: &mut Messages) -> Result<(), EncodeError> {
        let _ = (events, numbers, out);
        Err(EncodeError::Config("this format has one change in a message".to_owned()))
    }
}

/// The images of a row, as its operation says.
#[derive(Clone, Copy, Debug)]
pub enum Images<'a> {
    /// The new row.
    Insert(Image<'a>),
    /// The new row and the old one.
    Update(Image<'a>, Image<'a>),
    /// The old row.
    Delete(Image<'a>),
}

impl<'a> Images<'a> {
    /// The row as it is: the new one, the old one for a delete.
    #[must_use]
    pub const fn current(&self) -> &Image<'a> {
        match self {
            Self::Insert(image) | Self::Update(image, _) | Self::Delete(image) => image,
        }
    }
}

/// The images of a row of the table of this name.
///
/// # Errors
/// [`EncodeError::Batch`] for a row that lacks an image its operation needs.
#[inline]
pub fn images<'a>(row: &Row<'a>, table: &str) -> Result<Images<'a>, EncodeError> {
    let found = match row.op() {
        Op::Insert => row.after().map(Images::Insert),
        Op::Update => row.after().zip(row.before()).map(|(after, before)| Images::Update(after, before)),
        Op::Delete => row.before().map(Images::Delete),
    };
    found.ok_or_else(|| EncodeError::Batch {
        table: table.to_owned(),
        commit_ts: row.commit_ts(),
        source: FormatError::Bounds("image"),
    })
}
