//! DDL with the names that tables have downstream.

use crate::config::{Config, Target};
use crate::statement::{self, Named, ident};
use tidegate_sdk::{DdlEvent, DdlKind, Failure, TableSchema};

fn sql_mode(ddl: &DdlEvent) -> u64 {
    ddl.attrs.iter().find(|(k, _)| k == "sql-mode").and_then(|(_, v)| v.parse().ok()).unwrap_or(0)
}

fn refused(ddl: &DdlEvent, why: &str) -> Failure {
    let doing = format!("{:?} of {}.{}", ddl.kind, ddl.database, ddl.table);
    Failure::unsupported(
        "route",
        format!("{doing} cannot be given other names: {why}; filter this DDL out, or change the rules"),
    )
}

/// The DDL as everyone behind sees it; `None`: it is left out.
pub(crate) fn route(
    config: &Config,
    ddl: &DdlEvent,
    schema: impl Fn(&TableSchema) -> Option<TableSchema>,
) -> Result<Option<DdlEvent>, Failure> {
    let Some(mut seen) = (match ddl.kind {
        DdlKind::CreateSchema | DdlKind::DropSchema | DdlKind::AlterSchema => database(config, ddl)?,
        DdlKind::CreateView => view(config, ddl)?,
        _ => tables(config, ddl)?,
    }) else {
        return Ok(None);
    };
    let side = |s: Option<&TableSchema>| match s.map(&schema) {
        Some(None) => Err(refused(ddl, "it moves a table between those that are left out and those that are not")),
        Some(routed) => Ok(routed),
        None => Ok(None),
    };
    seen.before = side(ddl.before.as_ref())?;
    seen.after = side(ddl.after.as_ref())?;
    if let (Target::To(database, table), false) = (config.table(&ddl.database, &ddl.table), ddl.table.is_empty()) {
        seen.database = database;
        seen.table = table;
    }
    Ok(Some(seen))
}

fn database(config: &Config, ddl: &DdlEvent) -> Result<Option<DdlEvent>, Failure> {
    match config.database(&ddl.database) {
        Some(Target::Same) => Ok(Some(ddl.clone())),
        Some(Target::Nowhere) => Ok(None),
        Some(Target::To(to, _)) => {
            let found = statement::database(&ddl.query, sql_mode(ddl));
            let (span, _) = found.ok_or_else(|| refused(ddl, "its statement is not understood"))?;
            let query = statement::replace(&ddl.query, vec![(span, ident(&to))]);
            Ok(Some(DdlEvent { query, database: to, ..ddl.clone() }))
        }
        // Some of its tables may stay in it.
        None if ddl.kind != DdlKind::DropSchema => Ok(Some(ddl.clone())),
        None => Err(refused(ddl, "its tables go to different places")),
    }
}

/// The text of a view may name tables in ways that only a parser of SQL tells from columns.
fn view(config: &Config, ddl: &DdlEvent) -> Result<Option<DdlEvent>, Failure> {
    let touched = |(a, b): &(String, String)| config.table(a, b) != Target::Same;
    if config.table(&ddl.database, &ddl.table) == Target::Nowhere {
        return Ok(None);
    }
    if statement::pairs(&ddl.query, sql_mode(ddl)).iter().any(touched) {
        return Err(refused(ddl, "it is a view, whose text may name tables that have other names downstream"));
    }
    Ok(Some(ddl.clone()))
}

fn tables(config: &Config, ddl: &DdlEvent) -> Result<Option<DdlEvent>, Failure> {
    let named = statement::tables(&ddl.query, sql_mode(ddl), &ddl.database);
    let named = named.ok_or_else(|| refused(ddl, "its statement is not understood"))?;
    let targets: Vec<(&Named, Target)> = named.iter().map(|n| (n, config.table(&n.database, &n.table))).collect();
    match targets.iter().filter(|(_, t)| *t == Target::Nowhere).count() {
        0 => {}
        n if n == targets.len() => return Ok(None),
        // What is left out may name what is not; a rename is both.
        _ if targets.first().is_some_and(|(_, t)| *t == Target::Nowhere) && ddl.kind != DdlKind::RenameTable => {
            return Ok(None);
        }
        _ => return Err(refused(ddl, "it names a table that is left out")),
    }
    let renamed = |(n, t): (&Named, Target)| match t {
        Target::To(database, table) => Some((n.span, format!("{}.{}", ident(&database), ident(&table)))),
        Target::Same | Target::Nowhere => None,
    };
    let edits = targets.into_iter().filter_map(renamed).collect();
    Ok(Some(DdlEvent { query: statement::replace(&ddl.query, edits), ..ddl.clone() }))
}
