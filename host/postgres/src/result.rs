//! Answers of the server.

use crate::rows::TextRow;
use tg_sql::{Cell, ResultRows};
use tokio_postgres::Column;
use tokio_postgres::types::Type;

/// Rows as plugins see them. The server sends text; numbers and bytes become what they are again.
pub(crate) fn result_rows(columns: &[Column], rows: Vec<TextRow>) -> ResultRows {
    let cells = |row: TextRow| row.into_iter().zip(columns).map(|(v, c)| cell(v, c.type_())).collect();
    ResultRows {
        columns: columns.iter().map(|c| c.name().to_owned()).collect(),
        rows: rows.into_iter().map(cells).collect(),
    }
}

fn cell(value: Option<String>, ty: &Type) -> Cell {
    let Some(text) = value else { return Cell::Null };
    let read = match *ty {
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID => text.parse().ok().map(Cell::Int),
        Type::FLOAT4 | Type::FLOAT8 => text.parse().ok().map(Cell::Float),
        Type::BOOL => Some(Cell::Int((text == "t").into())),
        Type::BYTEA => text.strip_prefix("\\x").and_then(|digits| hex::decode(digits).ok()).map(Cell::Bytes),
        _ => None,
    };
    read.unwrap_or(Cell::Text(text))
}

#[cfg(test)]
mod tests {
    use super::cell;
    use tg_sql::Cell;
    use tokio_postgres::types::Type;

    #[test]
    fn text_becomes_what_it_says() {
        for (text, ty, wanted) in [
            ("-7", Type::INT8, Cell::Int(-7)),
            ("1e-05", Type::FLOAT8, Cell::Float(1e-5)),
            ("\\x00ff", Type::BYTEA, Cell::Bytes(vec![0, 255])),
            ("t", Type::BOOL, Cell::Int(1)),
            ("18446744073709551615", Type::NUMERIC, Cell::Text("18446744073709551615".into())),
            ("é", Type::TEXT, Cell::Text("é".into())),
        ] {
            assert_eq!(cell(Some(text.into()), &ty), wanted);
        }
        assert_eq!(cell(None, &Type::INT4), Cell::Null);
    }
}
