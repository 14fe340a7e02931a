//! The statement that an event carries: one, with its objects named in full.

use crate::info::{DbInfo, TableInfo, ViewInfo};
use crate::job::Job;
use crate::{action, sql};
use tg_model::TableVersion;

pub(crate) fn create_schema(db: &DbInfo) -> String {
    format!("CREATE DATABASE {}{}", sql::ident(&db.db_name.original), charset_clause(&db.charset, &db.collate))
}

pub(crate) fn alter_schema(db: &DbInfo) -> String {
    format!("ALTER DATABASE {}{}", sql::ident(&db.db_name.original), charset_clause(&db.charset, &db.collate))
}

fn charset_clause(charset: &str, collation: &str) -> String {
    let clause = |word: &str, name: &str| {
        if name.is_empty() { String::new() } else { format!(" {word} {name}") }
    };
    clause("CHARACTER SET", charset) + &clause("COLLATE", collation)
}

/// The user's statement with schema names put in.
pub(crate) fn qualified(job: &Job, schema: &str) -> String {
    let text = sql::qualify(&job.info.query, schema, job.info.sql_mode);
    sql::comment_out(&text, job.info.sql_mode)
}

/// A statement that makes a table or view.
pub(crate) fn create(job: &Job, info: &TableInfo, version: &TableVersion, text: &str) -> String {
    if let Some(view) = &info.view {
        return create_view(view, version, sql::has_or_replace(text, job.info.sql_mode));
    }
    if job.info.action == action::RECOVER_TABLE {
        return recover(job, version, text);
    }
    if text.trim().is_empty() {
        return sql::create_table_sql(version, sql::Dialect::TiDb);
    }
    let text = sql::qualify(text, &version.schema, job.info.sql_mode);
    let text = sql::comment_out(&text, job.info.sql_mode);
    sql::with_charset(&text, &version.charset, &version.collation, job.info.sql_mode)
}

/// `BY JOB` names a job of the upstream: the table's name takes its place.
fn recover(job: &Job, version: &TableVersion, text: &str) -> String {
    if sql::names_table(text, job.info.sql_mode) {
        return sql::qualify(text, &version.schema, job.info.sql_mode);
    }
    format!("RECOVER TABLE {}", sql::full(&version.schema, &version.name))
}

/// Upstream keeps the SELECT with full names, so the rest is written anew. The definer is whoever runs
/// it, since upstream's users need not exist downstream.
fn create_view(view: &ViewInfo, version: &TableVersion, or_replace: bool) -> String {
    let replace = if or_replace { "OR REPLACE " } else { "" };
    let algorithm = match view.view_algorithm {
        1 => "MERGE",
        2 => "TEMPTABLE",
        _ => "UNDEFINED",
    };
    let security = if view.view_security == 1 { "INVOKER" } else { "DEFINER" };
    let columns: Vec<String> = view.view_cols.iter().map(|c| sql::ident(&c.original)).collect();
    let columns = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
    let name = sql::full(&version.schema, &version.name);
    let select = &view.view_select;
    format!(
        "CREATE {replace}ALGORITHM = {algorithm} DEFINER = CURRENT_USER SQL SECURITY {security} VIEW {name}{columns} AS {select}"
    )
}
