//! What files hold: lines of text, or columns.

use std::sync::Arc;
use tg_format_canal_json::CanalJson;
use tg_format_common::{EncodeError, Encoder, Messages};
use tg_format_csv::Csv;
use tg_format_parquet::{File, Parquet};
use tgr1::Row;
use tidegate_sdk::{TableRef, TableSchema};

/// How rows are written.
pub(crate) enum Format {
    Csv(Csv),
    Canal(CanalJson),
    Parquet(Parquet),
}

/// A file that is not closed yet.
pub(crate) enum Content {
    Text(Vec<u8>),
    Columns(Box<File>),
}

impl Content {
    /// Bytes that are held.
    pub(crate) fn len_bytes(&self) -> usize {
        match self {
            Self::Text(data) => data.len(),
            Self::Columns(file) => file.len_bytes(),
        }
    }

    /// Ends the file; it is empty then.
    pub(crate) fn finish(&mut self) -> Result<Vec<u8>, EncodeError> {
        match self {
            Self::Text(data) => Ok(std::mem::take(data)),
            Self::Columns(file) => file.finish(),
        }
    }
}

/// A format, and what its rows pass through.
pub(crate) struct Rows {
    format: Format,
    /// After each message.
    terminator: Vec<u8>,
    messages: Messages,
}

impl Rows {
    pub(crate) fn new(format: Format, terminator: &str) -> Self {
        Self { format, terminator: terminator.as_bytes().to_vec(), messages: Messages::new() }
    }

    pub(crate) fn table(&mut self, schema: Arc<TableSchema>) -> Result<(), EncodeError> {
        match &mut self.format {
            Format::Csv(csv) => csv.table(schema, None),
            Format::Canal(canal) => canal.table(schema, None),
            Format::Parquet(parquet) => parquet.table(schema),
        }
    }

    pub(crate) fn drop_table(&mut self, table: TableRef) {
        match &mut self.format {
            Format::Csv(csv) => csv.drop_table(table),
            Format::Canal(canal) => canal.drop_table(table),
            Format::Parquet(parquet) => parquet.drop_table(table),
        }
    }

    /// A file without rows.
    pub(crate) fn open(&self, table: TableRef) -> Result<Content, EncodeError> {
        let mut text = Vec::new();
        match &self.format {
            Format::Csv(csv) => csv.header(table, &mut text)?,
            Format::Canal(_) => {}
            Format::Parquet(parquet) => return Ok(Content::Columns(Box::new(parquet.open(table)?))),
        }
        Ok(Content::Text(text))
    }

    /// Appends a row to a file that [`open`](Self::open) made for its table. One that is refused leaves it as it was.
    pub(crate) fn row(
        &mut self,
        table: TableRef,
        row: &Row<'_>,
        now: u64,
        content: &mut Content,
    ) -> Result<(), EncodeError> {
        self.messages.clear();
        let (text, terminator): (_, &[u8]) = match (&mut self.format, content) {
            (Format::Csv(csv), Content::Text(text)) => {
                csv.row(table, row, now, &mut self.messages)?;
                (text, &[])
            }
            (Format::Canal(canal), Content::Text(text)) => {
                canal.row(table, row, now, &mut self.messages)?;
                (text, &self.terminator)
            }
            (Format::Parquet(parquet), Content::Columns(file)) => return parquet.row(table, row, file),
            _ => return Err(EncodeError::Config("the file is of another format".to_owned())),
        };
        for message in self.messages.iter() {
            text.extend_from_slice(message.value.unwrap_or_default());
            text.extend_from_slice(terminator);
        }
        Ok(())
    }
}
