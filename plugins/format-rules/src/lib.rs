//! The rules of `[[sink.dispatchers]]` and `[[sink.column-selectors]]`, for the plugins that act on them.
//!
//! Does: find the first rule that matches a table, by the matchers of TiCDC's files; name a table's and a DDL's topic; say
//! which columns are sent.
//! Does not: compute partitions (`tg-format-partition`), know topics beyond their names.
//!
//! Invariants:
//! - A table that no rule matches has the default topic and the partition rule `table`.
//! - A table keeps a key: a selection without one is refused.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod columns;
mod config;
mod rules;

pub use config::{DispatchRule, RulesConfig, SelectRule};
pub use rules::{Rules, RulesError};
