//! A corpus as a file: one JSON object a line, made to be read, compared and kept beside a plugin.
//!
//! The first line names the format, `{"tidegate-corpus": 1}`. Then come tables, each named by the number it is the how-manyth of,
//! rows and DDLs in commit order. Values are texts, null is NULL, as `cell` writes them.

use super::cell::{Cell, from_text, to_text};
use super::event::{Change, Corpus, Event};
use super::table::TableDef;
use crate::KitError;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tg_model::{DdlEvent, DdlKind, TableVersion, Ts};
use tgr1::Op;

/// Version that is written.
pub const FORMAT: u32 = 1;
/// Longest line that is read.
const LINE_BYTES_MAX: usize = 64 << 20;

#[derive(Serialize, Deserialize)]
struct Head {
    #[serde(rename = "tidegate-corpus")]
    format: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Line {
    Table {
        id: i64,
        version: u64,
        database: String,
        name: String,
        columns: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        key: Vec<String>,
    },
    Row {
        table: usize,
        commit: u64,
        start: u64,
        #[serde(default, skip_serializing_if = "is_zero")]
        flags: u16,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Vec<Option<String>>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Vec<Option<String>>>,
    },
    Ddl {
        commit: u64,
        kind: String,
        query: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<usize>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
const fn is_zero(n: &u16) -> bool {
    *n == 0
}

const KINDS: [DdlKind; 26] = [
    DdlKind::CreateSchema,
    DdlKind::DropSchema,
    DdlKind::AlterSchema,
    DdlKind::CreateTable,
    DdlKind::DropTable,
    DdlKind::TruncateTable,
    DdlKind::RenameTable,
    DdlKind::RecoverTable,
    DdlKind::CreateView,
    DdlKind::DropView,
    DdlKind::AddColumn,
    DdlKind::DropColumn,
    DdlKind::ModifyColumn,
    DdlKind::AddIndex,
    DdlKind::DropIndex,
    DdlKind::AlterIndex,
    DdlKind::AddForeignKey,
    DdlKind::DropForeignKey,
    DdlKind::AddPartition,
    DdlKind::DropPartition,
    DdlKind::TruncatePartition,
    DdlKind::ExchangePartition,
    DdlKind::ReorganizePartition,
    DdlKind::AlterPartitioning,
    DdlKind::AlterTable,
    DdlKind::MultiSchemaChange,
];

fn kind_of(name: &str) -> Option<DdlKind> {
    KINDS.into_iter().find(|k| format!("{k:?}") == name)
}

impl Corpus {
    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let tables = self.tables();
        let number = |v: &Arc<TableVersion>| tables.iter().position(|t| t.table == v.table && t.since == v.since);
        let mut lines = vec![json(&Head { format: FORMAT })];
        lines.extend(tables.iter().map(|v| json(&table_line(v))));
        for event in &self.events {
            lines.push(json(&match event {
                Event::Row(row) => Line::Row {
                    table: number(&row.table).unwrap_or_default(),
                    commit: row.commit_ts,
                    start: row.start_ts,
                    flags: row.flags,
                    before: row.before.as_ref().map(|cells| texts(&row.table, cells)),
                    after: row.after.as_ref().map(|cells| texts(&row.table, cells)),
                },
                Event::Ddl(ddl) => Line::Ddl {
                    commit: ddl.commit_ts.get(),
                    kind: format!("{:?}", ddl.kind),
                    query: ddl.query.clone(),
                    before: ddl.before.as_ref().and_then(number),
                    after: ddl.after.as_ref().and_then(number),
                },
            }));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// The corpus that a file holds. `name` is the file's, for errors.
    ///
    /// # Errors
    /// [`KitError::Corpus`], with the line.
    pub fn from_text(name: &str, text: &str) -> Result<Self, KitError> {
        let bad = |line: usize, reason: String| KitError::Corpus { file: name.to_owned(), line: line + 1, reason };
        let mut lines = text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty());
        let head = lines.next().ok_or_else(|| bad(0, "the file is empty".to_owned()))?;
        let Head { format } = serde_json::from_str(head.1).map_err(|e| bad(head.0, e.to_string()))?;
        if format != FORMAT {
            return Err(bad(head.0, format!("format {format} is not known here; {FORMAT} is")));
        }
        let mut tables = Vec::new();
        let mut events: Vec<Event> = Vec::new();
        for (at, line) in lines {
            if line.len() > LINE_BYTES_MAX {
                return Err(bad(at, format!("the line has {} bytes; {LINE_BYTES_MAX} are the most", line.len())));
            }
            let line = serde_json::from_str(line).map_err(|e| bad(at, e.to_string()))?;
            if let Some(event) = read(line, &mut tables).map_err(|reason| bad(at, reason))? {
                if events.last().is_some_and(|last| last.commit_ts() > event.commit_ts()) {
                    return Err(bad(at, "it commits before the line above".to_owned()));
                }
                events.push(event);
            }
        }
        Ok(Self { events })
    }
}

fn json(line: &impl Serialize) -> String {
    // Strings, numbers and lists always have a text.
    serde_json::to_string(line).unwrap_or_default()
}

fn texts(table: &TableVersion, cells: &[Cell]) -> Vec<Option<String>> {
    table.columns.iter().zip(cells).map(|(column, cell)| to_text(column, cell)).collect()
}

fn table_line(v: &TableVersion) -> Line {
    let column = |c: &tg_model::Column| {
        let not_null = if c.flags.nullable { "" } else { " not null" };
        let alone = |i: &tg_model::Index| i.unique && !i.primary && i.columns.len() == 1;
        let over =
            |i: &tg_model::Index| i.columns.iter().any(|at| v.columns.get(*at as usize).is_some_and(|x| x.id == c.id));
        let unique = if v.indexes.iter().any(|i| alone(i) && over(i)) { " unique" } else { "" };
        format!("{} {}{not_null}{unique}", c.name, tg_mounter::source_type(&c.ty))
    };
    let primary = v.indexes.iter().find(|i| i.primary);
    let name = |at: &u32| v.columns.get(*at as usize).map(|c| c.name.clone());
    Line::Table {
        id: v.table.0,
        version: v.since.get(),
        database: v.schema.clone(),
        name: v.name.clone(),
        columns: v.columns.iter().map(column).collect(),
        key: primary.map(|i| i.columns.iter().filter_map(name).collect()).unwrap_or_default(),
    }
}

fn cells(table: &TableVersion, texts: Vec<Option<String>>) -> Result<Vec<Cell>, String> {
    if texts.len() != table.columns.len() {
        return Err(format!("{} values for the {} columns of {}", texts.len(), table.columns.len(), table.name));
    }
    let cell = |(column, text): (&tg_model::Column, Option<String>)| match text {
        None => Ok(Cell::Null),
        Some(text) => from_text(column, &text).map_err(|why| format!("column {}: {why}", column.name)),
    };
    table.columns.iter().zip(texts).map(cell).collect()
}

fn read(line: Line, tables: &mut Vec<Arc<TableVersion>>) -> Result<Option<Event>, String> {
    let known = |tables: &[Arc<TableVersion>], n: usize| {
        tables.get(n).cloned().ok_or_else(|| format!("there is no table {n}; {} are named above", tables.len()))
    };
    match line {
        Line::Table { id, version, database, name, columns, key } => {
            let def = TableDef { database, name, columns, primary_key: key };
            tables.push(def.version(id, version).map_err(|e| e.to_string())?);
            Ok(None)
        }
        Line::Row { table, commit, start, flags, before, after } => {
            let table = known(tables, table)?;
            let op = match (&before, &after) {
                (None, None) => return Err("a row has neither `before` nor `after`".to_owned()),
                (None, _) => Op::Insert,
                (_, None) => Op::Delete,
                _ => Op::Update,
            };
            let before = before.map(|texts| cells(&table, texts)).transpose()?;
            let after = after.map(|texts| cells(&table, texts)).transpose()?;
            Ok(Some(Event::Row(Change { table, commit_ts: commit, start_ts: start, op, flags, before, after })))
        }
        Line::Ddl { commit, kind, query, before, after } => {
            let kind = kind_of(&kind).ok_or_else(|| format!("there is no DDL of kind `{kind}`"))?;
            let before = before.map(|n| known(tables, n)).transpose()?;
            let after = after.map(|n| known(tables, n)).transpose()?;
            let of = after.as_ref().or(before.as_ref());
            Ok(Some(Event::Ddl(Arc::new(DdlEvent {
                commit_ts: Ts::new(commit),
                seq: 0,
                job_id: (commit % 1_000_000).cast_signed(),
                action: 0,
                kind,
                schema: of.map(|v| v.schema.clone()).unwrap_or_default(),
                table: of.map(|v| v.name.clone()).unwrap_or_default(),
                query,
                charset: "utf8mb4".to_owned(),
                collation: "utf8mb4_bin".to_owned(),
                sql_mode: 0,
                blocks: before.iter().map(|v| v.table).collect(),
                removes: Vec::new(),
                adds: Vec::new(),
                before,
                after,
            }))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Corpus;
    use crate::corpus::{Event, plain, types};

    /// Written by the first version of the format; it must load for ever.
    const FORMAT_1: &str = include_str!("../../tests/fixtures/corpus-1.jsonl");

    #[test]
    fn a_corpus_survives_its_file() {
        for corpus in [plain(5, 80).unwrap(), types(5).unwrap()] {
            let text = corpus.to_text();
            let read = Corpus::from_text("x", &text).unwrap();
            assert_eq!(read.to_text(), text);
            let rows = |c: &Corpus| c.events.iter().filter(|e| matches!(e, Event::Row(_))).cloned().collect::<Vec<_>>();
            let (wanted, found) = (rows(&corpus), rows(&read));
            assert_eq!(wanted.len(), found.len());
            for (wanted, found) in wanted.iter().zip(&found) {
                let (Event::Row(wanted), Event::Row(found)) = (wanted, found) else { panic!("rows only") };
                assert_eq!((&wanted.before, &wanted.after), (&found.before, &found.after), "{}", wanted.describe());
            }
        }
    }

    #[test]
    fn the_first_format_is_still_read() {
        let corpus = Corpus::from_text("corpus-1.jsonl", FORMAT_1).unwrap();
        assert_eq!((corpus.events.len(), corpus.rows(), corpus.tables().len()), (5, 3, 2));
        assert_eq!(corpus.to_text(), FORMAT_1);
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        for (line, part) in [
            ("{\"tidegate-corpus\": 9}", "format 9"),
            (
                "{\"tidegate-corpus\": 1}\n{\"row\": {\"table\": 4, \"commit\": 1, \"start\": 1, \"after\": []}}",
                "line 2",
            ),
            ("{\"tidegate-corpus\": 1}\n{\"view\": {}}", "line 2"),
            ("", "empty"),
        ] {
            let e = Corpus::from_text("x.jsonl", line).unwrap_err();
            assert!(e.to_string().contains(part), "{e}");
        }
    }
}
