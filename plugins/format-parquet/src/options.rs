//! Choices of a changefeed.

/// What becomes of dates that no calendar has: zero parts, a 31st of a shorter month.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ZeroDates {
    /// The row is refused.
    #[default]
    Refuse,
    /// They are NULL; where NULL is not allowed the row is refused.
    Null,
}

/// Choices of a changefeed, named as csv names them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// `include-commit-ts`.
    pub include_commit_ts: bool,
    /// `output-old-value`: an update is a deleted and an inserted row, and rows say so.
    pub output_old_value: bool,
    /// `output-column-id`: columns carry their ids as field ids.
    pub column_ids: bool,
    /// `zero-dates`.
    pub zero_dates: ZeroDates,
}
