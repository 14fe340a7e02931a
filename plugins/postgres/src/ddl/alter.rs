//! Changed tables: the difference of two schemas, as far as the downstream does not have it yet.

mod columns;
mod indexes;
mod pairs;

use super::{Ddl, Look, rename};
use crate::config::Config;
use tidegate_sdk::sql::SqlError;
use tidegate_sdk::{DdlEvent, TableSchema};

/// Brings a table from one schema to the next.
pub(super) fn alter(
    config: &Config,
    event: &DdlEvent,
    before: &TableSchema,
    after: &TableSchema,
    look: &mut Look<'_>,
) -> Result<Ddl, SqlError> {
    let pairs = match pairs::pair(event, before, after) {
        Ok(pairs) => pairs,
        Err(why) => return Ok(Ddl::Refuse(why)),
    };
    let mut statements = match rename::rename(before, after, look)? {
        Ddl::Run(statements) => statements,
        other => return Ok(other),
    };
    let there = look(&after.database, &after.name)?;
    let actual = if there.exists { there } else { look(&before.database, &before.name)? };
    let (dropped, made) = indexes::change(before, after, &pairs, &actual);
    let columns = match columns::change(config, event, before, after, &pairs, &actual) {
        Ok(columns) => columns,
        Err(why) => return Ok(Ddl::Refuse(why)),
    };
    // Indexes of columns that go, go first; those of columns that come, come last.
    statements.extend(dropped.into_iter().chain(columns).chain(made));
    Ok(Ddl::Run(statements))
}
