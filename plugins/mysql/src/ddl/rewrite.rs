//! A DDL of TiDB in the words of the downstream.

use super::edit::Edit;
use super::{Server, charset, options, types};
use tidegate_sdk::sql::Dialect;
use tidegate_sdk::{DdlEvent, DdlKind};

/// What to do with a DDL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rewritten {
    /// Run this.
    Run(String),
    /// The downstream has no such thing; nothing is lost by leaving it out.
    Skip(&'static str),
    /// The downstream cannot do this, and rows that follow would be wrong without it.
    Refuse(&'static str),
}

/// Puts the statement of the event into the server's dialect. TiDB gets it as it is.
#[must_use]
pub fn rewrite(server: &Server, event: &DdlEvent) -> Rewritten {
    let mut edit = Edit::new(&event.query);
    if edit.len() == 0 {
        return Rewritten::Skip("the statement is empty");
    }
    if server.dialect == Dialect::Tidb {
        return Rewritten::Run(edit.finish());
    }
    if event.kind == DdlKind::RecoverTable {
        return Rewritten::Refuse(
            "only TiDB can bring a dropped table back; create it downstream by hand or leave the DDL out by a filter",
        );
    }
    if let Some(reason) = tidb_only(&edit) {
        return Rewritten::Skip(reason);
    }
    let specs_at = alter_specs_at(&edit);
    options::remove_tidb_parts(&mut edit, specs_at);
    types::replace_vectors(&mut edit);
    types::replace_for_mariadb(&mut edit, server.dialect, server.version);
    if server.dialect == Dialect::Mariadb || server.version < (8, 0) {
        types::remove_expression_indexes(&mut edit);
    }
    charset::add_collations(&mut edit, server);
    charset::replace_unknown(&mut edit, server);
    if specs_at > 0 && edit.nothing_from(specs_at) {
        return Rewritten::Skip("it changes only what TiDB knows");
    }
    if let Some(statement) = create_index(&edit, server) {
        return statement;
    }
    add_defaults(&mut edit, server, event);
    Rewritten::Run(edit.finish())
}

/// Statements as a whole that nobody but TiDB knows.
fn tidb_only(edit: &Edit<'_>) -> Option<&'static str> {
    let second = edit.is(0, "CREATE") || edit.is(0, "ALTER") || edit.is(0, "DROP");
    if second && (edit.are(1, &["PLACEMENT", "POLICY"]) || edit.are(1, &["RESOURCE", "GROUP"])) {
        return Some("placement policies and resource groups exist in TiDB only");
    }
    if second && edit.is(1, "SEQUENCE") {
        return Some("sequences are not replicated");
    }
    if edit.is(0, "CREATE") && edit.are(1, &["VECTOR", "INDEX"]) {
        return Some("vector indexes exist in TiDB only");
    }
    let alter = edit.are(0, &["ALTER", "TABLE"]);
    let tiflash = alter && (2..edit.len()).any(|i| edit.are(i, &["SET", "TIFLASH"]) && edit.depth(i) == 0);
    tiflash.then_some("TiFlash replicas exist in TiDB only")
}

/// Where the specifications of `ALTER TABLE [IF EXISTS] name` start; 0 for other statements.
fn alter_specs_at(edit: &Edit<'_>) -> usize {
    if !edit.are(0, &["ALTER", "TABLE"]) {
        return 0;
    }
    let name = if edit.are(2, &["IF", "EXISTS"]) { 4 } else { 2 };
    if edit.is(name + 1, ".") { name + 3 } else { name + 1 }
}

/// `CREATE INDEX` on an expression where the server has none.
fn create_index(edit: &Edit<'_>, server: &Server) -> Option<Rewritten> {
    let lacks = server.dialect == Dialect::Mariadb || server.version < (8, 0);
    let index = edit.is(0, "CREATE") && (edit.is(1, "INDEX") || edit.is(2, "INDEX"));
    let expression = (0..edit.len()).any(|i| edit.are(i, &["(", "("]));
    (lacks && index && expression).then_some(Rewritten::Skip("the server has no indexes on expressions"))
}

/// New databases and tables that name no character set get the source's, not the server's.
fn add_defaults(edit: &mut Edit<'_>, server: &Server, event: &DdlEvent) {
    let attr = |name: &str| event.attrs.iter().find(|(k, _)| k == name).map_or("", |(_, v)| v.as_str());
    if event.kind == DdlKind::CreateSchema && !charset::names_default(edit) {
        let clause = charset::default_clause(server, attr("charset"), attr("collation"));
        edit.append(edit.len() - 1, &clause);
    }
    // A copy (LIKE) has no columns of its own in parentheses and takes everything from the original.
    if event.kind == DdlKind::CreateTable && edit.is(0, "CREATE") && !charset::names_default(edit) {
        let columns = (0..edit.len()).find(|i| edit.is(*i, "("));
        let like = columns.is_none_or(|open| edit.is(open + 1, "LIKE"))
            || (0..edit.len()).any(|i| edit.depth(i) == 0 && edit.is(i, "LIKE"));
        if let (false, Some(open)) = (like, columns) {
            let (charset, collation) =
                event.after.as_ref().map_or(("", ""), |t| (t.charset.as_str(), t.collation.as_str()));
            let clause = charset::default_clause(server, charset, collation);
            edit.append(edit.behind_group(open) - 1, &clause);
        }
    }
}
