//! Files to events.

use crate::error::ConsumeError;
use tg_format_common::{ChangeEvent, DdlChange, Table};
use tg_format_csv::Options;
use tg_format_storage::{Definition, table_schema};

/// What files hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// csv, with the options it was written with.
    Csv(Options),
    /// canal-json; the text after each message.
    CanalJson(String),
    /// parquet; its files say how they were written.
    Parquet,
}

impl Protocol {
    /// The extension of its files.
    #[must_use]
    pub const fn extension(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::CanalJson(_) => "json",
            Self::Parquet => "parquet",
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "made for map_err")]
fn damaged(path: &str, reason: impl ToString) -> ConsumeError {
    ConsumeError::Damaged { path: path.to_owned(), reason: reason.to_string() }
}

/// The rows of a data file.
pub(crate) fn rows(
    protocol: &Protocol,
    table: &Definition,
    path: &str,
    content: &[u8],
) -> Result<Vec<ChangeEvent>, ConsumeError> {
    match protocol {
        Protocol::Csv(options) => {
            let schema = table_schema(table).map_err(|e| damaged(path, e))?;
            let table = Table::new(schema.into(), None).map_err(|e| damaged(path, e))?;
            tg_format_csv::Decoder::new(options, &table).file(content).map_err(|e| damaged(path, e))
        }
        Protocol::CanalJson(terminator) => {
            let text = std::str::from_utf8(content).map_err(|e| damaged(path, e))?;
            // JSON has no line breaks but those that are escaped.
            let messages = text.split(terminator.as_str()).filter(|m| !m.trim().is_empty());
            messages.map(|m| tg_format_canal_json::decode(m.as_bytes()).map_err(|e| damaged(path, e))).collect()
        }
        Protocol::Parquet => tg_format_parquet::decode(content).map_err(|e| damaged(path, e)),
    }
}

/// A schema file.
pub(crate) fn definition(path: &str, content: &[u8]) -> Result<Definition, ConsumeError> {
    Definition::parse(content).map_err(|e| damaged(path, e))
}

/// The statement of a schema file; `None`: it describes what was there at the start.
pub(crate) fn statement(definition: &Definition) -> Option<ChangeEvent> {
    (!definition.query.is_empty()).then(|| {
        ChangeEvent::Ddl(DdlChange {
            database: definition.schema.clone(),
            table: definition.table.clone(),
            query: definition.query.clone(),
            commit_ts: Some(definition.table_version),
            kind: definition.kind.to_string(),
            after: None,
            before: None,
        })
    })
}
