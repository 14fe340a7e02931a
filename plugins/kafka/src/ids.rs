//! Ids of changes, and where messages carry them.

use crate::config::{Config, EventId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_format_common::{EVENT_ID_BYTES_MAX, EncodeError, Messages, Table, ddl_id, row_id};
use tgr1::Row;
use tidegate_sdk::{DdlEvent, TableRef, TableSchema};

/// Name of the header of a record.
pub(crate) const HEADER: &str = "tidegate-event-id";
/// Bytes that a record's limit has less when one change's id is in its header: the name, the id and the lengths of both.
pub(crate) const HEADER_BYTES: usize = HEADER.len() + EVENT_ID_BYTES_MAX + 14;
/// Bytes that each change of a record with several adds to its header: its id and a comma.
pub(crate) const LISTED_BYTES: usize = EVENT_ID_BYTES_MAX + 1;
/// Between the ids of a record with several changes.
const BETWEEN: char = ',';

/// Gives changes their ids.
pub(crate) struct Ids {
    in_message: bool,
    in_header: bool,
    /// With at least the columns of their keys.
    tables: BTreeMap<TableRef, Table>,
    /// Of the change in hand.
    current: String,
    /// Headers of the messages that were made, one each; empty: that message has none.
    headers: Vec<String>,
}

impl Ids {
    /// `None`: changes have no ids.
    pub(crate) fn new(config: &Config) -> Option<Self> {
        let (in_message, in_header) = match config.event_id {
            EventId::None => return None,
            EventId::Message => (true, false),
            EventId::Header => (false, true),
            EventId::Both => (true, true),
        };
        Some(Self { in_message, in_header, tables: BTreeMap::new(), current: String::new(), headers: Vec::new() })
    }

    /// Prepares a table version. Answers the columns that images are to have: those that are sent, and behind them what is missing of
    /// the key.
    pub(crate) fn table(
        &mut self,
        schema: &Arc<TableSchema>,
        sent: Option<Vec<u32>>,
    ) -> Result<Option<Vec<u32>>, EncodeError> {
        let wanted = sent.map(|mut columns| {
            let of_key = (0..).zip(&schema.columns).filter(|(_, column)| column.props.row_key);
            let missing: Vec<u32> = of_key.map(|(at, _)| at).filter(|at| !columns.contains(at)).collect();
            columns.extend(missing);
            columns
        });
        self.tables.insert(schema.id, Table::new(Arc::clone(schema), wanted.as_deref())?);
        Ok(wanted)
    }

    pub(crate) fn drop_table(&mut self, id: TableRef) {
        self.tables.remove(&id);
    }

    /// Messages of another call are made from here on.
    pub(crate) fn clear(&mut self) {
        self.headers.clear();
    }

    /// This row is encoded next.
    pub(crate) fn row(&mut self, id: TableRef, row: &Row<'_>, made: &mut Messages) -> Result<(), EncodeError> {
        self.current.clear();
        if let Some(table) = self.tables.get(&id) {
            row_id(&mut self.current, table, row)?;
        }
        self.tell(made);
        Ok(())
    }

    /// This statement is encoded next.
    pub(crate) fn ddl(&mut self, ddl: &DdlEvent, made: &mut Messages) {
        self.current.clear();
        ddl_id(&mut self.current, ddl);
        self.tell(made);
    }

    fn tell(&self, made: &mut Messages) {
        made.event_id.clear();
        if self.in_message {
            made.event_id.push_str(&self.current);
        }
    }

    /// What was made since the last call is of the change in hand.
    pub(crate) fn made(&mut self, made: &Messages) {
        let header = if self.in_header { self.current.as_str() } else { "" };
        self.headers.resize_with(made.len(), || header.to_owned());
    }

    /// The header of message `i`.
    pub(crate) fn header(&self, i: usize) -> Option<&str> {
        self.headers.get(i).map(String::as_str).filter(|header| !header.is_empty())
    }

    /// The header of a record that joins these messages: their ids in order.
    pub(crate) fn joined(&self, numbers: &[u32]) -> Option<String> {
        let mut out = String::new();
        for id in numbers.iter().filter_map(|n| self.header(*n as usize)) {
            if !out.is_empty() {
                out.push(BETWEEN);
            }
            out.push_str(id);
        }
        Some(out).filter(|out| !out.is_empty())
    }
}
