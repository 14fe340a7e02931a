//! What of the upstream a changefeed replicates: table rules, ignored transactions, event filters by type,
//! by statement and by values.
//!
//! Does: decide. The syntax and the meaning of rules are those of TiCDC's `[filter]` section; the matchers
//! serve dispatchers and column selectors too.
//! Does not: decode rows (values come through [`RowValues`]), know schemas of the system (they are never fed).
//!
//! # Value expressions
//! Conditions in SQL over the columns of one row: `AND OR XOR NOT && || !`, comparisons with `<=>`,
//! `IS [NOT] NULL/TRUE/FALSE`, `[NOT] IN/BETWEEN/LIKE`, `+ - * / DIV %`, literals, parentheses, and the functions
//! `abs char_length coalesce concat if ifnull length lower upper`. Numbers are exact up to 38 digits except
//! behind `/`. Strings compare without case when a column in the comparison has a case-insensitive
//! collation; accents are always told apart. A result of NULL leaves nothing out.
//!
//! # Invariants
//! - The last rule that matches decides; what no rule matches is outside.
//! - Parsing never recurses deeper than [`EXPRESSION_DEPTH_MAX`]; matching takes time linear in name times pattern.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod codes;
mod error;
mod event_type;
mod expr;
mod filter;
mod pattern;
mod row;
mod rules;

pub use codes::CODES;
pub use error::FilterError;
pub use event_type::EventType;
pub use expr::{Bound, EXPRESSION_DEPTH_MAX, Expression, Value};
pub use filter::{EventFilterConfig, Filter, FilterConfig, Verdict};
pub use row::{RowFilter, RowValues};
pub use rules::{ColumnFilter, TableFilter};
