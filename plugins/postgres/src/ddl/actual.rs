//! What the downstream has of a table.

use crate::ident::{ident, quoted, table_ident};
use tidegate_sdk::sql::{Connection, SqlError, Value};

/// Columns a table can have (TiDB: 4096).
const COLUMNS_MAX: u32 = 5_000;
/// Indexes a table can have (TiDB: 512).
const INDEXES_MAX: u32 = 5_000;
/// What the comment of an index that the sink made begins with; the source's name follows. Names of indexes are the schema's here
/// and the table's there, so they cannot be the same.
pub(super) const INDEX_MARK: &str = "tidegate: ";

/// A table as the server's catalog shows it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Actual {
    /// The schema it belongs to is there.
    pub schema_exists: bool,
    /// It is there.
    pub exists: bool,
    /// Columns: name, type, NOT NULL.
    pub columns: Vec<(String, String, bool)>,
    /// Indexes: name, the source's name where the sink made it, and whether it is the primary key.
    pub indexes: Vec<(String, Option<String>, bool)>,
}

impl Actual {
    /// Reads the catalog.
    pub(super) fn read(connection: &Connection, database: &str, name: &str) -> Result<Self, SqlError> {
        let table = quoted(&table_ident(database, name));
        let columns = format!(
            "SELECT attname::text,format_type(atttypid,atttypmod),attnotnull FROM pg_catalog.pg_attribute \
             WHERE attrelid=to_regclass({table}) AND attnum>0 AND NOT attisdropped ORDER BY attnum"
        );
        let indexes = format!(
            "SELECT c.relname::text,obj_description(c.oid,'pg_class'),i.indisprimary FROM pg_catalog.pg_index i \
             JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid WHERE i.indrelid=to_regclass({table}) ORDER BY c.relname"
        );
        let schema = quoted(&ident(database));
        let look = format!("SELECT to_regnamespace({schema}) IS NOT NULL,to_regclass({table}) IS NOT NULL");
        let found = connection.query(&look, 1)?.rows;
        let [schema_exists, exists] = [0, 1].map(|i| found.first().and_then(|r| r.get(i)) == Some(&Value::Int(1)));
        if !exists {
            return Ok(Self { schema_exists, ..Self::default() });
        }
        let columns = connection.query(&columns, COLUMNS_MAX)?.rows;
        let indexes = connection.query(&indexes, INDEXES_MAX)?.rows;
        Ok(Self {
            schema_exists,
            exists,
            columns: columns.into_iter().filter_map(|row| triple(row, text)).collect(),
            indexes: indexes.into_iter().filter_map(|row| triple(row, |mark| Some(mark_of(mark)))).collect(),
        })
    }

    /// Whether a column is there.
    pub(super) fn has_column(&self, name: &str) -> bool {
        self.columns.iter().any(|(n, ..)| n == name)
    }

    /// The index that has this name in the source; the primary key goes by what it is.
    pub(super) fn index(&self, source_name: &str, primary: bool) -> Option<&str> {
        let meant = |(_, of, is_primary): &&(String, Option<String>, bool)| {
            if primary { *is_primary } else { of.as_deref() == Some(source_name) }
        };
        self.indexes.iter().find(meant).map(|(name, ..)| name.as_str())
    }
}

fn triple<T>(row: Vec<Value>, middle: impl Fn(Value) -> Option<T>) -> Option<(String, T, bool)> {
    let mut row = row.into_iter();
    Some((text(row.next()?)?, middle(row.next()?)?, matches!(row.next()?, Value::Int(1))))
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn mark_of(comment: Value) -> Option<String> {
    text(comment)?.strip_prefix(INDEX_MARK).map(str::to_owned)
}
