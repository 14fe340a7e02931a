//! Help pages of the error codes.

use tg_model::{Code, CodePage};

/// The pages of this crate's codes.
pub const CODES: &[CodePage] = &[
    CodePage {
        code: Code(1501),
        title: "a filter rule cannot be read",
        cause: "A rule is not of the form `schema.table`, or has a special character that is neither quoted nor escaped.",
        action: "Correct the rule at the column given; put unusual names in backticks or write a backslash before the character.",
    },
    CodePage {
        code: Code(1502),
        title: "an ignore-sql expression is not a regular expression",
        cause: "The expression does not follow the syntax of RE2.",
        action: "Correct the expression.",
    },
    CodePage {
        code: Code(1503),
        title: "an event type is not known",
        cause: "ignore-event names something that is no event type.",
        action: "Use one of the documented names, such as `all dml`, `delete` or `drop table`.",
    },
    CodePage {
        code: Code(1504),
        title: "a filter expression cannot be read",
        cause: "The expression is not a condition over columns, or uses a function that filters do not have.",
        action: "Correct the expression at the column given.",
    },
    CodePage {
        code: Code(1505),
        title: "a filter expression names an unknown column",
        cause: "The expression is applied to a table without that column, maybe since a DDL.",
        action: "Correct the name, or narrow the event filter's matcher to tables that have the column.",
    },
    CodePage {
        code: Code(1506),
        title: "a table was renamed into the filter",
        cause: "The table was outside the filter, so its earlier rows are not downstream; from the rename on it would be inside.",
        action: "Copy the table by hand and let the changefeed go on from a ts behind the rename, or exclude the new name.",
    },
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::FilterError;
    use tg_model::{Code, Coded, Ts};

    #[test]
    fn every_error_has_a_page() {
        let s = String::new;
        let errors = [
            FilterError::Rule { index: 0, rule: s(), column: 1, reason: s() },
            FilterError::Regex { pattern: s(), reason: s() },
            FilterError::EventType { name: s(), near: None },
            FilterError::Expression { text: s(), column: 1, reason: s() },
            FilterError::ColumnNotFound { text: s(), column: s(), schema: s(), table: s() },
            FilterError::RenameIntoScope { commit_ts: Ts::ZERO, old: s(), new: s() },
        ];
        assert_eq!(
            errors.iter().map(Coded::code).collect::<Vec<Code>>(),
            CODES.iter().map(|p| p.code).collect::<Vec<_>>()
        );
    }
}
