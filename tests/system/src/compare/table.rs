//! Reading a table.

use super::Row;
use super::value::{Cell, Kind};
use crate::sql::Sql;

/// A column of the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// The columns in order.
pub(super) async fn columns(sql: &mut Sql, db: &str, table: &str) -> anyhow::Result<Vec<Column>> {
    let query = format!(
        "SELECT column_name, data_type FROM information_schema.columns \
         WHERE table_schema = '{db}' AND table_name = '{table}' ORDER BY ordinal_position"
    );
    let found: Vec<(String, String)> = sql.rows(&query).await?;
    Ok(found.into_iter().map(|(name, ty)| Column { name, kind: Kind::of(&ty) }).collect())
}

/// Positions of the columns of the primary key, or of the first unique index whose columns cannot be NULL.
pub(super) async fn key(sql: &mut Sql, db: &str, table: &str, columns: &[Column]) -> anyhow::Result<Vec<usize>> {
    let query = format!(
        "SELECT index_name, column_name, nullable FROM information_schema.statistics WHERE table_schema = '{db}' \
         AND table_name = '{table}' AND non_unique = 0 AND column_name IS NOT NULL \
         ORDER BY index_name = 'PRIMARY' DESC, index_name, seq_in_index"
    );
    let found: Vec<(String, String, String)> = sql.rows(&query).await?;
    let unusable: Vec<&str> = found.iter().filter(|(_, _, null)| null == "YES").map(|(n, _, _)| n.as_str()).collect();
    let usable = |name: &str| !unusable.contains(&name);
    let Some(first) = found.iter().map(|(name, _, _)| name).find(|name| usable(name)) else { return Ok(Vec::new()) };
    let of_key = found.iter().filter(|(name, _, _)| name == first).map(|(_, column, _)| column);
    Ok(of_key.filter_map(|c| columns.iter().position(|known| known.name.eq_ignore_ascii_case(c))).collect())
}

/// All rows, sorted.
pub(super) async fn rows(sql: &mut Sql, db: &str, table: &str, columns: &[Column]) -> anyhow::Result<Vec<Row>> {
    let list: Vec<String> = columns.iter().map(|c| c.kind.expression(&c.name)).collect();
    let query = format!("SELECT {} FROM `{db}`.`{table}`", list.join(", "));
    let found: Vec<mysql_async::Row> = sql.rows(&query).await?;
    let mut rows: Vec<Row> = Vec::with_capacity(found.len());
    for row in found {
        let cells = row.unwrap().into_iter().zip(columns).map(|(value, column)| {
            let bytes = match value {
                mysql_async::Value::NULL => None,
                mysql_async::Value::Bytes(bytes) => Some(bytes),
                other => Some(other.as_sql(true).into_bytes()),
            };
            Cell::new(column.kind, bytes)
        });
        rows.push(cells.collect());
    }
    rows.sort();
    Ok(rows)
}
