//! Tables in memory, as far as sinks can tell them from a server's.

use super::parse::{OnKey, Statement, TableName, Value, Where, named, parse};
use super::token::Style;
use std::collections::{BTreeMap, BTreeSet};
use tg_model::TableVersion;
use tg_plugin::grant::{SqlError, SqlErrorKind};

/// A row by the names of its columns.
pub(crate) type Row = BTreeMap<String, Value>;

#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct Table {
    rows: Vec<Row>,
    /// Columns that were added and not dropped.
    added: BTreeSet<String>,
}

/// What statements have made.
#[derive(Clone, Default, Debug)]
pub(crate) struct Tables {
    tables: BTreeMap<TableName, Table>,
    /// Unique keys by table, the primary one first.
    keys: BTreeMap<TableName, Vec<Vec<String>>>,
    /// Statements that are not understood.
    pub(crate) opaque: BTreeSet<Vec<u8>>,
}

fn refused(errno: u16, message: String) -> SqlError {
    let kind = if errno == 1062 { SqlErrorKind::Duplicate } else { SqlErrorKind::Refused };
    SqlError { kind, errno, sqlstate: "HY000".to_owned(), message }
}

impl Tables {
    /// Says which keys a table has.
    pub(crate) fn learn(&mut self, version: &TableVersion) {
        let name = |at: &u32| version.columns.get(*at as usize).map(|c| c.name.clone());
        let unique = version.indexes.iter().filter(|i| i.unique || i.primary);
        let keys = unique.map(|i| i.columns.iter().filter_map(name).collect()).collect();
        self.keys.insert((version.schema.clone(), version.name.clone()), keys);
    }

    /// Carries a statement out; the number of rows it changed.
    pub(crate) fn run(&mut self, statement: &[u8], style: Style) -> Result<u64, SqlError> {
        let Some(parsed) = parse(statement, style) else {
            self.opaque.insert(statement.to_vec());
            return Ok(0);
        };
        match parsed {
            Statement::Insert { table, columns, rows, on_key } => {
                rows.iter().try_fold(0, |n, values| Ok(n + self.insert(&table, named(&columns, values), &on_key)?))
            }
            Statement::Update { table, set, at, limit } => {
                Ok(self.each(&table, at.as_ref(), limit, |row| row.extend(set.iter().cloned())))
            }
            Statement::Delete { table, at, limit } => Ok(self.delete(&table, at.as_ref(), limit)),
            schema => self.alter(schema).map(|()| 0),
        }
    }

    fn alter(&mut self, statement: Statement) -> Result<(), SqlError> {
        match statement {
            Statement::CreateTable { table, if_not_exists } => {
                if self.tables.contains_key(&table) && !if_not_exists {
                    return Err(refused(1050, format!("Table '{}' already exists", table.1)));
                }
                self.tables.entry(table).or_default();
            }
            Statement::DropTable { table, if_exists } => {
                if self.tables.remove(&table).is_none() && !if_exists {
                    return Err(refused(1051, format!("Unknown table '{}.{}'", table.0, table.1)));
                }
            }
            Statement::Truncate { table } => self.tables.entry(table).or_default().rows.clear(),
            Statement::AlterColumn { table, column, add: true, lenient } => {
                if !self.tables.entry(table).or_default().added.insert(column.clone()) && !lenient {
                    return Err(refused(1060, format!("Duplicate column name '{column}'")));
                }
            }
            Statement::AlterColumn { table, column, add: false, .. } => {
                let table = self.tables.entry(table).or_default();
                table.added.remove(&column);
                table.rows.iter_mut().for_each(|row| {
                    row.remove(&column);
                });
            }
            Statement::Insert { .. } | Statement::Update { .. } | Statement::Delete { .. } => {}
        }
        Ok(())
    }

    fn insert(&mut self, name: &TableName, row: Row, on_key: &OnKey) -> Result<u64, SqlError> {
        let keys = self.keys.get(name).cloned().unwrap_or_default();
        let rows = &mut self.tables.entry(name.clone()).or_default().rows;
        let meets = |other: &Row| keys.iter().any(|key| same_key(key, other, &row));
        let Some(at) = rows.iter().position(&meets) else {
            rows.push(row);
            return Ok(1);
        };
        match on_key {
            OnKey::Ignore => Ok(0),
            OnKey::Conflict(columns, set) => {
                let same = |other: &Row| same_key(columns, other, &row);
                if rows.iter().any(|other| meets(other) && !same(other)) {
                    return Err(refused(1062, format!("a unique value in table '{}.{}' is taken", name.0, name.1)));
                }
                if let Some(other) = rows.iter_mut().find(|other| same(other)) {
                    other.extend(set.iter().map(|(c, _)| (c.clone(), row.get(c).cloned().unwrap_or_default())));
                }
                Ok(1)
            }
            OnKey::Refuse => Err(refused(1062, format!("Duplicate entry in table '{}.{}'", name.0, name.1))),
            OnKey::Replace => {
                rows.retain(|other| !meets(other));
                rows.push(row);
                Ok(2)
            }
            OnKey::Update(set) => {
                let set = set.iter().map(|(column, value)| {
                    let of_new = || row.get(column).cloned().unwrap_or_default();
                    (column.clone(), value.clone().unwrap_or_else(of_new))
                });
                let set: Vec<_> = set.collect();
                if let Some(other) = rows.get_mut(at) {
                    other.extend(set);
                }
                Ok(2)
            }
        }
    }

    fn each(
        &mut self,
        table: &TableName,
        at: Option<&Where>,
        limit: Option<usize>,
        mut change: impl FnMut(&mut Row),
    ) -> u64 {
        let rows = self.tables.get_mut(table).map(|t| &mut t.rows[..]).unwrap_or_default();
        let found = rows.iter_mut().filter(|row| at.is_none_or(|at| holds(at, row)));
        found.take(limit.unwrap_or(usize::MAX)).map(&mut change).count() as u64
    }

    fn delete(&mut self, table: &TableName, at: Option<&Where>, limit: Option<usize>) -> u64 {
        let Some(table) = self.tables.get_mut(table) else { return 0 };
        let (mut left, before) = (limit.unwrap_or(usize::MAX), table.rows.len());
        table.rows.retain(|row| {
            let gone = left > 0 && at.is_none_or(|at| holds(at, row));
            left -= usize::from(gone);
            !gone
        });
        (before - table.rows.len()) as u64
    }

    /// Every row of every table, sorted, for comparison.
    pub(crate) fn content(&self) -> BTreeMap<String, Vec<String>> {
        let text = |(column, value): (&String, &Value)| match value {
            Some(v) => format!("{column}={:?}", String::from_utf8_lossy(v)),
            None => format!("{column}=NULL"),
        };
        let of = |table: &Table| {
            let mut rows: Vec<String> =
                table.rows.iter().map(|row| row.iter().map(text).collect::<Vec<_>>().join(" ")).collect();
            rows.sort();
            rows
        };
        self.tables.iter().map(|((d, t), table)| (format!("{d}.{t}"), of(table))).collect()
    }
}

/// Whether both have the same values in the key, none of them NULL.
fn same_key(key: &[String], a: &Row, b: &Row) -> bool {
    !key.is_empty()
        && key.iter().all(|column| {
            let (a, b) = (a.get(column).and_then(Option::as_ref), b.get(column).and_then(Option::as_ref));
            a.is_some() && a == b
        })
}

fn holds(at: &Where, row: &Row) -> bool {
    match at {
        Where::And(parts) => parts.iter().all(|p| holds(p, row)),
        Where::Or(parts) => parts.iter().any(|p| holds(p, row)),
        Where::In(columns, lists) => lists
            .iter()
            .any(|values| columns.iter().zip(values).all(|(column, value)| row.get(column).unwrap_or(&None) == value)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Style, Tables};
    use crate::corpus::TableDef;

    fn run(tables: &mut Tables, statements: &[&str]) {
        for s in statements {
            tables.run(s.as_bytes(), Style::Mysql).unwrap();
        }
    }

    #[test]
    fn rows_end_as_a_server_would_have_them() {
        let mut tables = Tables::default();
        let def = TableDef::new("d", "t", &["a int primary key", "u int unique", "v text"]);
        tables.learn(&def.version(1, 1).unwrap());
        run(
            &mut tables,
            &[
                "CREATE TABLE d.t (a int)",
                "INSERT INTO d.t (a,u,v) VALUES (1,10,'x'),(2,20,'y'),(3,NULL,'z'),(4,NULL,'w')",
                "INSERT INTO d.t (a,u,v) VALUES (1,11,'new') ON DUPLICATE KEY UPDATE v=VALUES(v)",
                "INSERT IGNORE INTO d.t (a,u,v) VALUES (2,99,'no')",
                "REPLACE INTO d.t (a,u,v) VALUES (5,20,'took 20 from row 2')",
                "UPDATE d.t SET v='changed' WHERE a=3 AND u IS NULL",
                "DELETE FROM d.t WHERE (a,v) IN ((4,'w'),(9,'w'))",
            ],
        );
        let rows = tables.content()["d.t"].clone();
        assert_eq!(
            rows,
            [r#"a="1" u="10" v="new""#, r#"a="3" u=NULL v="changed""#, r#"a="5" u="20" v="took 20 from row 2""#,]
        );
        assert_eq!(tables.run(b"INSERT INTO d.t (a) VALUES (1)", Style::Mysql).unwrap_err().errno, 1062);
        assert_eq!(tables.run(b"CREATE TABLE d.t (a int)", Style::Mysql).unwrap_err().errno, 1050);
        run(&mut tables, &["ALTER TABLE d.t ADD COLUMN c int"]);
        assert_eq!(tables.run(b"ALTER TABLE d.t ADD COLUMN c int", Style::Mysql).unwrap_err().errno, 1060);
        run(&mut tables, &["TRUNCATE d.t", "DROP TABLE d.t", "CALL something()"]);
        assert!(tables.content().is_empty() && tables.opaque.len() == 1);
        assert_eq!(tables.run(b"DROP TABLE d.t", Style::Mysql).unwrap_err().errno, 1051);
    }
}
