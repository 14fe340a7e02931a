//! Answers of the server.

use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::{Column, Row, Value};
use tg_sql::{Cell, ResultRows};

/// Number of the character set that means bytes.
const BINARY_CHARSET: u16 = 63;

/// Rows as plugins see them.
pub(crate) fn result_rows(columns: &[Column], rows: Vec<Row>) -> ResultRows {
    let cells = |row: Row| row.unwrap().into_iter().zip(columns).map(|(v, c)| cell(v, c)).collect();
    ResultRows {
        columns: columns.iter().map(|c| c.name_str().into_owned()).collect(),
        rows: rows.into_iter().map(cells).collect(),
    }
}

/// The text protocol sends everything as text; integers and floating point numbers become numbers again.
fn cell(value: Value, column: &Column) -> Cell {
    use ColumnType as T;
    let bytes = match value {
        Value::NULL => return Cell::Null,
        Value::Bytes(bytes) => bytes,
        Value::Int(n) => return Cell::Int(n),
        Value::UInt(n) => return Cell::Uint(n),
        Value::Float(n) => return Cell::Float(n.into()),
        Value::Double(n) => return Cell::Float(n),
        other @ (Value::Date(..) | Value::Time(..)) => return Cell::Text(other.as_sql(false)),
    };
    let text = std::str::from_utf8(&bytes);
    let number = match (column.column_type(), text) {
        (
            T::MYSQL_TYPE_TINY
            | T::MYSQL_TYPE_SHORT
            | T::MYSQL_TYPE_INT24
            | T::MYSQL_TYPE_LONG
            | T::MYSQL_TYPE_LONGLONG
            | T::MYSQL_TYPE_YEAR,
            Ok(text),
        ) => {
            if column.flags().contains(ColumnFlags::UNSIGNED_FLAG) {
                text.parse().ok().map(Cell::Uint)
            } else {
                text.parse().ok().map(Cell::Int)
            }
        }
        (T::MYSQL_TYPE_FLOAT | T::MYSQL_TYPE_DOUBLE, Ok(text)) => text.parse().ok().map(Cell::Float),
        _ => None,
    };
    let stringy = matches!(
        column.column_type(),
        T::MYSQL_TYPE_VARCHAR
            | T::MYSQL_TYPE_VAR_STRING
            | T::MYSQL_TYPE_STRING
            | T::MYSQL_TYPE_TINY_BLOB
            | T::MYSQL_TYPE_MEDIUM_BLOB
            | T::MYSQL_TYPE_LONG_BLOB
            | T::MYSQL_TYPE_BLOB
            | T::MYSQL_TYPE_BIT
    );
    number.unwrap_or_else(|| {
        if stringy && column.character_set() == BINARY_CHARSET {
            Cell::Bytes(bytes)
        } else {
            String::from_utf8(bytes).map_or_else(|e| Cell::Bytes(e.into_bytes()), Cell::Text)
        }
    })
}
