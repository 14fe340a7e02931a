//! Tables from a few words.

use super::types::parse_type;
use crate::KitError;
use std::collections::BTreeMap;
use std::sync::Arc;
use tg_model::{Column, ColumnFlags, Index, TableId, TableKey, TableVersion, Ts};

/// A table as a person writes it.
#[derive(Clone, Debug)]
pub(crate) struct TableDef {
    /// Schema (database).
    pub(crate) database: String,
    /// Name.
    pub(crate) name: String,
    /// Like `id bigint primary key` or `c varchar(20) not null unique`.
    pub(crate) columns: Vec<String>,
    /// Columns of the primary key, when it has several.
    pub(crate) primary_key: Vec<String>,
}

impl TableDef {
    pub(crate) fn new(database: &str, name: &str, columns: &[&str]) -> Self {
        Self {
            database: database.to_owned(),
            name: name.to_owned(),
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            primary_key: Vec::new(),
        }
    }

    pub(crate) fn key(mut self, columns: &[&str]) -> Self {
        self.primary_key = columns.iter().map(|c| (*c).to_owned()).collect();
        self
    }

    /// The version of the table that begins above `since`.
    pub(crate) fn version(&self, table: i64, since: u64) -> Result<Arc<TableVersion>, KitError> {
        let bad = |column: &str, why: &str| KitError::Table {
            table: format!("{}.{}", self.database, self.name),
            reason: format!("column `{column}`: {why}"),
        };
        let mut columns = Vec::with_capacity(self.columns.len());
        let mut primary: Vec<u32> = Vec::new();
        let mut unique = Vec::new();
        for (i, text) in self.columns.iter().enumerate() {
            let parsed = parse_column(text, i).map_err(|why| bad(text, &why))?;
            if parsed.primary {
                primary.push(i as u32);
            }
            if parsed.unique {
                unique.push(i as u32);
            }
            columns.push(parsed.column);
        }
        for name in &self.primary_key {
            let at =
                columns.iter().position(|c| c.name == *name).ok_or_else(|| bad(name, "there is no such column"))?;
            primary.push(at as u32);
        }
        for at in &primary {
            if let Some(c) = columns.get_mut(*at as usize) {
                c.flags = ColumnFlags { nullable: false, primary_key: true, ..c.flags };
            }
        }
        let indexes = indexes(&columns, &primary, &unique);
        let row_key = row_key(&columns, &indexes);
        for (i, column) in columns.iter_mut().enumerate() {
            let of = |index: &Index| index.columns.contains(&(i as u32));
            column.flags.row_key = row_key.and_then(|k| indexes.get(k as usize)).is_some_and(of);
            column.flags.unique = indexes.iter().any(|x| x.unique && of(x));
        }
        Ok(Arc::new(TableVersion {
            table: TableId(table),
            since: Ts::new(since),
            update_ts: Ts::new(since),
            schema_id: 2,
            schema: self.database.clone(),
            name: self.name.clone(),
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_bin".to_owned(),
            by_id: columns.iter().enumerate().map(|(i, c)| (c.id, i as u32)).collect::<BTreeMap<_, _>>(),
            handle: if primary.is_empty() { TableKey::RowId } else { TableKey::Common(primary) },
            columns,
            indexes,
            row_key,
            partitions: Vec::new(),
            is_view: false,
            is_sequence: false,
        }))
    }

    /// The statement that makes the table.
    pub(crate) fn create_sql(&self) -> String {
        let mut parts: Vec<String> = self
            .columns
            .iter()
            .map(|c| match c.trim().split_once(char::is_whitespace) {
                Some((name, rest)) => format!("`{name}` {}", rest.trim()),
                None => format!("`{}`", c.trim()),
            })
            .collect();
        if !self.primary_key.is_empty() {
            let names: Vec<_> = self.primary_key.iter().map(|c| format!("`{c}`")).collect();
            parts.push(format!("PRIMARY KEY ({})", names.join(", ")));
        }
        format!("CREATE TABLE `{}`.`{}` ({})", self.database, self.name, parts.join(", "))
    }
}

struct Parsed {
    column: Column,
    primary: bool,
    unique: bool,
}

fn parse_column(text: &str, position: usize) -> Result<Parsed, String> {
    let (name, rest) = text.trim().split_once(char::is_whitespace).ok_or("it has no type")?;
    let (ty, rest) = parse_type(rest).ok_or_else(|| format!("`{}` is no type that is known", rest.trim()))?;
    let words: Vec<String> = rest.split_whitespace().map(str::to_ascii_lowercase).collect();
    let (mut nullable, mut primary, mut unique) = (true, false, false);
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        match (word, words.peek().copied()) {
            ("not", Some("null")) => nullable = false,
            ("primary", Some("key")) => primary = true,
            ("unique", _) => {
                unique = true;
                if words.peek() == Some(&"key") {
                    words.next();
                }
                continue;
            }
            ("null", _) => continue,
            (other, _) => return Err(format!("`{other}` is not understood (NOT NULL, PRIMARY KEY, UNIQUE are)")),
        }
        words.next();
    }
    let column = Column {
        id: position as i64 + 1,
        name: name.to_owned(),
        ty,
        flags: ColumnFlags { nullable, ..ColumnFlags::default() },
        origin_default: None,
        default: None,
        default_is_expr: false,
        generated_expr: String::new(),
        comment: String::new(),
        meta_version: 2,
    };
    Ok(Parsed { column, primary, unique })
}

fn indexes(columns: &[Column], primary: &[u32], unique: &[u32]) -> Vec<Index> {
    let index = |id: i64, name: String, over: Vec<u32>, primary: bool| Index {
        id,
        name,
        prefix_len: vec![None; over.len()],
        columns: over,
        unique: true,
        primary,
    };
    let first = (!primary.is_empty()).then(|| index(1, "PRIMARY".to_owned(), primary.to_vec(), true));
    let others = unique.iter().filter_map(|at| {
        let name = &columns.get(*at as usize)?.name;
        Some(index(i64::from(*at) + 2, format!("u_{name}"), vec![*at], false))
    });
    first.into_iter().chain(others).collect()
}

/// The primary key, else the first unique index over columns that are never NULL.
fn row_key(columns: &[Column], indexes: &[Index]) -> Option<u32> {
    let usable = |i: &Index| i.columns.iter().all(|c| columns.get(*c as usize).is_some_and(|c| !c.flags.nullable));
    indexes.iter().position(usable).map(|i| i as u32)
}

#[cfg(test)]
mod tests {
    use super::TableDef;

    #[test]
    fn a_table_has_the_keys_it_was_written_with() {
        let def =
            TableDef::new("shop", "orders", &["id bigint primary key", "code varchar(8) not null unique", "n int"]);
        let table = def.version(7, 3).unwrap();
        assert_eq!(table.row_key_columns(), [0]);
        let flags: Vec<_> = table.columns.iter().map(|c| (c.flags.nullable, c.flags.row_key, c.flags.unique)).collect();
        assert_eq!(flags, [(false, true, true), (false, false, true), (true, false, false)]);
        assert_eq!(
            def.create_sql(),
            "CREATE TABLE `shop`.`orders` (`id` bigint primary key, `code` varchar(8) not null unique, `n` int)"
        );
        let pair = TableDef::new("s", "p", &["a int", "b int", "c int"]).key(&["a", "b"]).version(8, 3).unwrap();
        assert_eq!(pair.row_key_columns(), [0, 1]);
        assert!(TableDef::new("s", "k", &["a int"]).version(9, 3).unwrap().row_key.is_none());
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (column, part) in [("id", "no type"), ("id money", "`money`"), ("id int default 3", "`default`")] {
            let e = TableDef::new("s", "t", &[column]).version(1, 1).unwrap_err();
            assert!(e.to_string().contains(part), "{e}");
        }
        assert!(TableDef::new("s", "t", &["a int"]).key(&["b"]).version(1, 1).is_err());
    }
}
