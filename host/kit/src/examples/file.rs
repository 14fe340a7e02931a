//! The form of an example's file.

use super::expect::Expect;
use super::given::{Given, Step};
use crate::corpus::{Cell, Change, Event, TableDef, from_text};
use crate::settings::json_of;
use crate::world::Reply;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::{DdlEvent, DdlKind, TableVersion, Ts};
use tgr1::Op;

/// Timestamp of the first step; each later one is one more.
const FIRST_TS: u64 = 459_000_000_000_000_001;
/// Id of the first table.
const FIRST_TABLE: i64 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// For people.
    #[serde(default, rename = "about")]
    _about: String,
    config: Option<toml::Table>,
    table: Vec<Table>,
    given: Vec<Item>,
    #[serde(default)]
    answer: Vec<Answer>,
    #[serde(default)]
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// `schema.table`.
    name: String,
    columns: Vec<String>,
    #[serde(default)]
    key: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    insert: Option<String>,
    update: Option<String>,
    delete: Option<String>,
    row: Option<toml::Table>,
    before: Option<toml::Table>,
    ddl: Option<String>,
    /// Of a DDL: the table concerned.
    table: Option<String>,
    #[serde(default)]
    flush: bool,
}

/// What an HTTP endpoint answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    path: Option<String>,
    status: u16,
    #[serde(default)]
    body: String,
    #[serde(default = "once")]
    times: u32,
}

const fn once() -> u32 {
    1
}

type Tables = BTreeMap<String, Arc<TableVersion>>;

impl File {
    /// What goes in, and what must come out.
    pub(super) fn split(self) -> Result<(Given, Expect), String> {
        let tables = tables(&self.table)?;
        let mut steps = Vec::with_capacity(self.given.len());
        for (n, item) in self.given.iter().enumerate() {
            let step = step(item, FIRST_TS + n as u64, &tables);
            steps.push(step.map_err(|why| format!("[[given]] number {}: {why}", n + 1))?);
        }
        let replies = self.answer.into_iter().map(|a| Reply {
            path: a.path,
            status: a.status,
            body: a.body.into_bytes(),
            times: a.times,
        });
        let config = self.config.as_ref().map(|c| json_of(Some(c)));
        Ok((Given { config, steps, replies: replies.collect() }, self.expect))
    }
}

fn tables(defs: &[Table]) -> Result<Tables, String> {
    let mut out = Tables::new();
    for (n, t) in defs.iter().enumerate() {
        let (database, name) =
            t.name.split_once('.').ok_or_else(|| format!("the table `{}` is not named like `schema.table`", t.name))?;
        let def = TableDef {
            database: database.to_owned(),
            name: name.to_owned(),
            columns: t.columns.clone(),
            primary_key: t.key.clone(),
        };
        let version = def.version(FIRST_TABLE + n as i64, 1).map_err(|e| e.to_string())?;
        out.insert(t.name.clone(), version);
    }
    Ok(out)
}

fn find<'a>(tables: &'a Tables, name: &str) -> Result<&'a Arc<TableVersion>, String> {
    let known = || tables.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    tables.get(name).ok_or_else(|| format!("there is no table `{name}`; there are: {}", known()))
}

fn step(item: &Item, ts: u64, tables: &Tables) -> Result<Step, String> {
    let ops = [(Op::Insert, &item.insert), (Op::Update, &item.update), (Op::Delete, &item.delete)];
    let mut named = ops.iter().filter_map(|(op, name)| name.as_ref().map(|n| (*op, n)));
    match (named.next(), named.next(), &item.ddl, item.flush) {
        (Some((op, name)), None, None, false) => change(item, op, find(tables, name)?, ts),
        (None, None, Some(query), false) => {
            let version = item.table.as_ref().map(|name| find(tables, name)).transpose()?;
            Ok(Step::Event(Event::Ddl(Arc::new(ddl(query, version, ts)))))
        }
        (None, None, None, true) => Ok(Step::Flush),
        _ => Err("it is one of `insert`, `update`, `delete` (of a table), `ddl` or `flush = true`".to_owned()),
    }
}

fn change(item: &Item, op: Op, table: &Arc<TableVersion>, ts: u64) -> Result<Step, String> {
    let image = |values: &Option<toml::Table>| values.as_ref().map(|v| cells(table, v)).transpose();
    let (row, before) = (image(&item.row)?, image(&item.before)?);
    let (before, after) = match (op, before, row) {
        (Op::Insert, None, Some(row)) => (None, Some(row)),
        (Op::Delete, None, Some(row)) => (Some(row), None),
        (Op::Update, Some(before), Some(row)) => (Some(before), Some(row)),
        (Op::Update, ..) => return Err("an update has `before` and `row`".to_owned()),
        _ => return Err("it has `row`, and no `before`".to_owned()),
    };
    let table = Arc::clone(table);
    Ok(Step::Event(Event::Row(Change { table, commit_ts: ts, start_ts: ts - 1, op, flags: 0, before, after })))
}

/// Columns that are not named are NULL.
fn cells(table: &TableVersion, values: &toml::Table) -> Result<Vec<Cell>, String> {
    if let Some(unknown) = values.keys().find(|k| !table.columns.iter().any(|c| c.name == **k)) {
        return Err(format!("table `{}.{}` has no column `{unknown}`", table.schema, table.name));
    }
    let cell = |c: &tg_model::Column| match values.get(&c.name) {
        None => Ok(Cell::Null),
        Some(value) => from_text(c, &plain(value)).map_err(|why| format!("column `{}`: {why}", c.name)),
    };
    table.columns.iter().map(cell).collect()
}

/// A value as SQL would write it.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(s) => s.clone(),
        toml::Value::Boolean(b) => u8::from(*b).to_string(),
        toml::Value::Datetime(d) => d.to_string().replace('T', " "),
        other => other.to_string(),
    }
}

fn ddl(query: &str, table: Option<&Arc<TableVersion>>, ts: u64) -> DdlEvent {
    let kind = match query.split_whitespace().next().unwrap_or_default().to_ascii_uppercase().as_str() {
        "CREATE" => DdlKind::CreateTable,
        "DROP" => DdlKind::DropTable,
        "TRUNCATE" => DdlKind::TruncateTable,
        _ => DdlKind::AlterTable,
    };
    DdlEvent {
        commit_ts: Ts::new(ts),
        seq: 0,
        job_id: 1,
        action: 0,
        kind,
        schema: table.map(|v| v.schema.clone()).unwrap_or_default(),
        table: table.map(|v| v.name.clone()).unwrap_or_default(),
        query: query.to_owned(),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        sql_mode: 0,
        before: table.filter(|_| kind != DdlKind::CreateTable).cloned(),
        after: table.filter(|_| kind != DdlKind::DropTable).cloned(),
        blocks: Vec::new(),
        removes: Vec::new(),
        adds: Vec::new(),
    }
}
