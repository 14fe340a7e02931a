//! The little SQL that is needed: quoting, naming objects in full, writing out a table.

mod create;
mod qualify;
mod tidb;
mod token;
mod types;

pub use create::{Dialect, create_table_sql};
pub(crate) use qualify::{has_or_replace, names_table, qualify, split, with_charset};
pub(crate) use tidb::comment_out;
pub use types::column_type_sql;

/// A name in backticks.
#[must_use]
pub fn ident(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A schema's object by its full name, in backticks.
#[must_use]
pub fn full(schema: &str, name: &str) -> String {
    format!("{}.{}", ident(schema), ident(name))
}

/// A string literal that means the same with and without backslash escapes switched on,
/// unless it has backslashes: those are doubled, as is right by default.
#[must_use]
pub fn string(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
