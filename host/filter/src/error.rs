//! What can be wrong with filters.

use tg_model::{Code, Coded, Ts};

/// An error in a filter's text, or one that a filter finds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// A rule cannot be read.
    #[error("filter rule {index} ({rule:?}) is wrong at column {column}: {reason}")]
    Rule {
        /// Position in the list, from 0.
        index: usize,
        /// The rule.
        rule: String,
        /// Character in the rule, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A regular expression of `ignore-sql` cannot be read.
    #[error("the ignore-sql expression {pattern:?} is not a regular expression: {reason}")]
    Regex {
        /// The expression.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// `ignore-event` names something that is no event type.
    #[error("{name:?} is not an event type{}", near.as_ref().map(|n| format!(", did you mean {n:?}?")).unwrap_or_default())]
    EventType {
        /// The name.
        name: String,
        /// A known name that resembles it.
        near: Option<String>,
    },
    /// A value expression cannot be read.
    #[error("the filter expression {text:?} is wrong at column {column}: {reason}")]
    Expression {
        /// The expression.
        text: String,
        /// Character, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// A value expression names a column that the table does not have.
    #[error("the filter expression {text:?} names column {column:?}, which table {schema}.{table} does not have")]
    ColumnNotFound {
        /// The expression.
        text: String,
        /// The column.
        column: String,
        /// Schema of the table.
        schema: String,
        /// The table.
        table: String,
    },
    /// A table outside the filter is renamed to one inside.
    #[error(
        "at ts {commit_ts} table {old} outside the filter was renamed to {new} inside: its earlier rows were never replicated"
    )]
    RenameIntoScope {
        /// Commit-ts of the rename.
        commit_ts: Ts,
        /// Full name before.
        old: String,
        /// Full name after.
        new: String,
    },
}

impl Coded for FilterError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Rule { .. } => 1501,
            Self::Regex { .. } => 1502,
            Self::EventType { .. } => 1503,
            Self::Expression { .. } => 1504,
            Self::ColumnNotFound { .. } => 1505,
            Self::RenameIntoScope { .. } => 1506,
        })
    }
}
