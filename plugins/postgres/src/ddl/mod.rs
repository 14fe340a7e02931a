//! DDL: what a statement of the source did, done here. Read from the schemas before and after; the source's text is only shown.

mod actual;
mod alter;
mod create;
mod defaults;
mod index;
mod rename;

pub use actual::Actual;

use crate::config::Config;
use crate::ident::{ident, table_ident, too_long};
use crate::sink::name_failure;
use tidegate_sdk::sql::{Connection, SqlError};
use tidegate_sdk::{DdlEvent, DdlKind, Failure, TableSchema, log};

/// What a DDL comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ddl {
    /// These statements, as one transaction; none: the downstream is as it should be.
    Run(Vec<String>),
    /// Nothing is done, for this reason.
    Pass(&'static str),
    /// It cannot be done, for this reason.
    Refuse(String),
}

/// How the statements look at the downstream.
pub(crate) type Look<'a> = dyn FnMut(&str, &str) -> Result<Actual, SqlError> + 'a;

/// Runs one DDL.
pub(crate) fn run(connection: &Connection, config: &Config, event: &DdlEvent) -> Result<(), Failure> {
    let named = |f: Failure| f.context(&format!("DDL at {} on {}.{}", event.at.ts, event.database, event.table));
    if let Some((schema, name)) = event.after.iter().find_map(|t| too_long(t).map(|n| (t, n))) {
        return Err(named(name_failure(schema, name)));
    }
    let mut look = |database: &str, name: &str| Actual::read(connection, database, name);
    match ddl_statements(config, event, &mut look).map_err(|e| named(e.into()))? {
        Ddl::Pass(reason) => {
            log::warn("a DDL is passed over", &[("reason", reason), ("query", &event.query)]);
            Ok(())
        }
        Ddl::Refuse(reason) => Err(named(Failure::unsupported("ddl", reason))),
        Ddl::Run(statements) if statements.is_empty() => {
            log::info("a DDL changes nothing here, or is done", &[("query", &event.query)]);
            Ok(())
        }
        Ddl::Run(statements) => {
            // Statements of one text are one transaction: what a crash leaves is all or nothing.
            let text = statements.join(";");
            connection.execute(&text).map(|_| ()).map_err(|e| named(Failure::from(e).context(&text)))
        }
    }
}

/// The statements that do what the event says, given what the downstream has. All may be run again.
///
/// # Errors
/// When the downstream cannot be asked.
pub fn ddl_statements(
    config: &Config,
    event: &DdlEvent,
    look: &mut dyn FnMut(&str, &str) -> Result<Actual, SqlError>,
) -> Result<Ddl, SqlError> {
    use DdlKind as K;
    let (before, after) = (event.before.as_ref(), event.after.as_ref());
    Ok(match event.kind {
        K::CreateSchema => Ddl::Run(vec![format!("CREATE SCHEMA IF NOT EXISTS {}", ident(&event.database))]),
        K::DropSchema => Ddl::Run(vec![format!("DROP SCHEMA IF EXISTS {} CASCADE", ident(&event.database))]),
        K::AlterSchema => Ddl::Pass("schemas here have no character set"),
        K::CreateView | K::DropView => Ddl::Pass("views are not replicated to PostgreSQL"),
        K::AddForeignKey | K::DropForeignKey => {
            Ddl::Pass("foreign keys are not replicated: rows may come in another order")
        }
        K::AddPartition | K::ReorganizePartition | K::AlterPartitioning => Ddl::Pass("the table is one table here"),
        K::DropPartition | K::TruncatePartition | K::ExchangePartition => {
            Ddl::Pass("the table is one table here: rows that left the source with their partition stay")
        }
        K::RecoverTable => {
            Ddl::Refuse("rows of a table that is recovered are not sent; copy the table and resume".to_owned())
        }
        K::CreateTable => match after {
            None => Ddl::Pass("it makes no table with rows"),
            Some(table) => create::create(config, table, look)?,
        },
        K::DropTable => Ddl::Run(vec![format!("DROP TABLE IF EXISTS {}", old_name(event, before))]),
        K::TruncateTable => Ddl::Run(vec![format!("TRUNCATE TABLE {}", old_name(event, after.or(before)))]),
        K::RenameTable => match (before, after) {
            (Some(before), Some(after)) => rename::rename(before, after, look)?,
            _ => Ddl::Refuse("the names before and after are not known".to_owned()),
        },
        K::AddColumn
        | K::DropColumn
        | K::ModifyColumn
        | K::AddIndex
        | K::DropIndex
        | K::AlterIndex
        | K::AlterTable
        | K::MultiSchemaChange => match (before, after) {
            (Some(before), Some(after)) => alter::alter(config, event, before, after, look)?,
            _ => Ddl::Pass("it changes no table with rows"),
        },
    })
}

/// The table that is meant; events about tables that are gone may have no schema.
fn old_name(event: &DdlEvent, table: Option<&TableSchema>) -> String {
    table.map_or_else(|| table_ident(&event.database, &event.table), |t| table_ident(&t.database, &t.name))
}
