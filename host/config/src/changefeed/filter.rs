//! `[filter]`.

section! {
    /// Which tables, events and rows are replicated.
    FilterConfig {
        /// Table rules; the last one that matches wins.
        rules: Vec<String> = vec!["*.*".to_owned()],
        /// Transactions, by start-ts, that are left out.
        ignore_txn_start_ts: Vec<u64> = Vec::new(),
        /// What is left out of matching tables.
        event_filters: Vec<EventFilter> = Vec::new(),
    }
}

section! {
    /// One `[[filter.event-filters]]`.
    EventFilter {
        /// Table rules that say which tables it is for.
        matcher: Vec<String> = Vec::new(),
        /// Names of event types (`all dml`, `truncate table`, …).
        ignore_event: Vec<String> = Vec::new(),
        /// Regular expressions on the text of a DDL.
        #[serde(alias = "ignore_sql")]
        ignore_sql: Vec<String> = Vec::new(),
        /// SQL expression on an inserted row.
        ignore_insert_value_expr: String = String::new(),
        /// SQL expression on an updated row's new values.
        ignore_update_new_value_expr: String = String::new(),
        /// SQL expression on an updated row's old values.
        ignore_update_old_value_expr: String = String::new(),
        /// SQL expression on a deleted row.
        ignore_delete_value_expr: String = String::new(),
        /// An update that changes these columns only is left out.
        ignore_update_only_columns: Vec<String> = Vec::new(),
    }
}

/// The names that `ignore-event` takes.
pub(crate) const EVENT_TYPES: &[&str] = &[
    "all dml",
    "all ddl",
    "insert",
    "update",
    "delete",
    "alter table",
    "create schema",
    "drop schema",
    "create database",
    "drop database",
    "modify schema charset and collate",
    "create table",
    "drop table",
    "truncate table",
    "rename table",
    "recover table",
    "modify table comment",
    "modify table charset and collate",
    "create view",
    "drop view",
    "add table partition",
    "drop table partition",
    "truncate table partition",
    "exchange table partition",
    "reorganize table partition",
    "alter table partitioning",
    "remove table partitioning",
    "add column",
    "drop column",
    "modify column",
    "set default value",
    "rebase auto id",
    "add primary key",
    "drop primary key",
    "create index",
    "drop index",
    "rename index",
    "alter index visibility",
    "alter ttl info",
    "alter ttl remove",
    "multi schema change",
    "add foreign key",
    "drop foreign key",
    "add fulltext index",
    "create hybrid index",
];
