//! A changefeed's whole filter.

use crate::event_type::EventType;
use crate::expr::Expression;
use crate::row::RowFilter;
use crate::{FilterError, TableFilter};
use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tg_model::{DdlEvent, DdlKind, TableVersion, Ts};

/// The `[filter]` section of a changefeed's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct FilterConfig {
    /// Table rules; the last that matches decides.
    pub rules: Vec<String>,
    /// Transactions to leave out, by start-ts.
    pub ignore_txn_start_ts: Vec<u64>,
    /// Filters of events.
    pub event_filters: Vec<EventFilterConfig>,
}

impl Default for FilterConfig {
    fn default() -> Self {
        Self { rules: vec!["*.*".to_owned()], ignore_txn_start_ts: Vec::new(), event_filters: Vec::new() }
    }
}

/// One `[[filter.event-filters]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct EventFilterConfig {
    /// The tables it is for, by table rules.
    pub matcher: Vec<String>,
    /// Types of events to leave out.
    pub ignore_event: Vec<String>,
    /// DDL to leave out whose text one of these regular expressions matches.
    pub ignore_sql: Vec<String>,
    /// Inserts to leave out, by a condition on the new row.
    pub ignore_insert_value_expr: String,
    /// Updates to leave out, by a condition on the new row.
    pub ignore_update_new_value_expr: String,
    /// Updates to leave out, by a condition on the old row.
    pub ignore_update_old_value_expr: String,
    /// Deletes to leave out, by a condition on the old row.
    pub ignore_delete_value_expr: String,
    /// Updates to leave out that change none but these columns.
    pub ignore_update_only_columns: Vec<String>,
}

/// What becomes of a DDL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is replicated.
    Keep,
    /// An event filter leaves it out: the table stays in the feed, the statement does not run.
    Ignore,
    /// Its tables are not in the feed.
    Discard,
}

/// A compiled filter.
#[derive(Debug)]
pub struct Filter {
    tables: TableFilter,
    ignored_txns: BTreeSet<Ts>,
    events: Vec<EventFilter>,
    force_replicate: bool,
}

#[derive(Debug)]
pub(crate) struct EventFilter {
    matcher: TableFilter,
    pub(crate) types: Vec<EventType>,
    sql: Vec<Regex>,
    /// On inserts, new rows of updates, old rows of updates, deletes.
    pub(crate) expressions: [Option<Expression>; 4],
    pub(crate) only_columns: Vec<String>,
}

impl Filter {
    /// Compiles a configuration. With `force_replicate` tables without a usable key are eligible too.
    ///
    /// # Errors
    /// For the first text that cannot be read.
    pub fn new(config: &FilterConfig, case_sensitive: bool, force_replicate: bool) -> Result<Self, FilterError> {
        Ok(Self {
            tables: TableFilter::parse(&config.rules, case_sensitive)?,
            ignored_txns: config.ignore_txn_start_ts.iter().copied().map(Ts::new).collect(),
            events: config
                .event_filters
                .iter()
                .map(|c| EventFilter::new(c, case_sensitive))
                .collect::<Result<_, _>>()?,
            force_replicate,
        })
    }

    /// Whether the rules take a table in.
    #[must_use]
    pub fn matches(&self, schema: &str, table: &str) -> bool {
        self.tables.matches(schema, table)
    }

    /// Whether the rows of a table can be replicated: it has a key that identifies them, or that is forced.
    /// Views and sequences have no rows.
    #[must_use]
    pub const fn is_eligible(&self, table: &TableVersion) -> bool {
        !table.is_view && !table.is_sequence && (self.force_replicate || table.row_key.is_some())
    }

    /// Whether the rows of a table are replicated.
    #[must_use]
    pub fn replicates(&self, table: &TableVersion) -> bool {
        self.is_eligible(table) && self.matches(&table.schema, &table.name)
    }

    /// Whether everything of a transaction is to be left out.
    #[must_use]
    pub fn ignores_txn(&self, start_ts: Ts) -> bool {
        !self.ignored_txns.is_empty() && self.ignored_txns.contains(&start_ts)
    }

    /// Whether no transaction is to be left out, which spares asking for each.
    #[must_use]
    pub fn ignores_no_txn(&self) -> bool {
        self.ignored_txns.is_empty()
    }

    /// What becomes of a DDL of a transaction with `start_ts`.
    ///
    /// # Errors
    /// When a table outside is renamed to one inside.
    pub fn ddl(&self, event: &DdlEvent, start_ts: Ts) -> Result<Verdict, FilterError> {
        if !self.takes_in(event)? {
            return Ok(Verdict::Discard);
        }
        let ignored = self.ignores_txn(start_ts) || self.events.iter().any(|f| f.ignores_ddl(event));
        Ok(if ignored { Verdict::Ignore } else { Verdict::Keep })
    }

    fn takes_in(&self, event: &DdlEvent) -> Result<bool, FilterError> {
        if event.table.is_empty() {
            return Ok(self.tables.matches_schema(&event.schema));
        }
        let new = self.matches(&event.schema, &event.table);
        let (DdlKind::RenameTable, Some(before)) = (event.kind, &event.before) else {
            return Ok(new);
        };
        let old = self.matches(&before.schema, &before.name);
        if new && !old {
            return Err(FilterError::RenameIntoScope {
                commit_ts: event.commit_ts,
                old: format!("{}.{}", before.schema, before.name),
                new: format!("{}.{}", event.schema, event.table),
            });
        }
        Ok(old || new)
    }

    /// What event filters leave out of the rows of a table version; `None`: nothing.
    ///
    /// # Errors
    /// When an expression names a column that the table does not have.
    pub fn rows(&self, table: &TableVersion) -> Result<Option<RowFilter>, FilterError> {
        let filters = self.events.iter().filter(|f| f.matcher.matches(&table.schema, &table.name));
        RowFilter::new(filters, table)
    }
}

impl EventFilter {
    fn new(c: &EventFilterConfig, case_sensitive: bool) -> Result<Self, FilterError> {
        let regex =
            |p: &String| Regex::new(p).map_err(|e| FilterError::Regex { pattern: p.clone(), reason: e.to_string() });
        let expression = |t: &String| {
            if t.trim().is_empty() { Ok(None) } else { Expression::parse(t).map(Some) }
        };
        Ok(Self {
            matcher: TableFilter::parse(&c.matcher, case_sensitive)?,
            types: c.ignore_event.iter().map(|n| EventType::parse(n)).collect::<Result<_, _>>()?,
            sql: c.ignore_sql.iter().map(regex).collect::<Result<_, _>>()?,
            expressions: [
                expression(&c.ignore_insert_value_expr)?,
                expression(&c.ignore_update_new_value_expr)?,
                expression(&c.ignore_update_old_value_expr)?,
                expression(&c.ignore_delete_value_expr)?,
            ],
            only_columns: c.ignore_update_only_columns.clone(),
        })
    }

    fn ignores_ddl(&self, event: &DdlEvent) -> bool {
        let concerned = if event.table.is_empty() {
            self.matcher.matches_schema(&event.schema)
        } else {
            let old = event.before.as_ref().is_some_and(|b| self.matcher.matches(&b.schema, &b.name));
            old || self.matcher.matches(&event.schema, &event.table)
        };
        concerned
            && (self.types.iter().any(|t| t.covers_ddl(event.action))
                || self.sql.iter().any(|r| r.is_match(&event.query)))
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
