//! Tables.

use tidegate_sdk::{Column, ColumnProps, Index, LogicalType, TableRef, TableSchema};

/// A nullable column of a type, spelled as the host spells it.
fn column(id: i64, name: &str, source_type: &str, logical: LogicalType, length: u32, decimals: Option<u32>) -> Column {
    let text = matches!(logical, LogicalType::Text | LogicalType::Enumeration | LogicalType::Set);
    let charset = if text { "utf8mb4" } else { "binary" };
    Column {
        id,
        name: name.to_owned(),
        logical,
        source_type: source_type.to_owned(),
        props: ColumnProps { nullable: true, unsigned: source_type.contains("unsigned"), ..ColumnProps::default() },
        length: Some(length),
        decimals,
        charset: charset.to_owned(),
        collation: if text { "utf8mb4_bin" } else { "binary" }.to_owned(),
        members: Vec::new(),
        default_value: None,
        attrs: Vec::new(),
    }
}

/// One column of every type; the first two, `id` and `k`, are the primary key.
#[must_use]
pub fn columns() -> Vec<Column> {
    use LogicalType as L;
    let list: &[(&str, &str, L, u32, Option<u32>)] = &[
        ("id", "bigint", L::Int, 20, Some(0)),
        ("k", "varchar(64)", L::Text, 64, None),
        ("ti", "tinyint", L::Int, 4, Some(0)),
        ("tu", "tinyint unsigned", L::Uint, 3, Some(0)),
        ("si", "smallint", L::Int, 6, Some(0)),
        ("su", "smallint unsigned", L::Uint, 5, Some(0)),
        ("mi", "mediumint", L::Int, 9, Some(0)),
        ("mu", "mediumint unsigned", L::Uint, 8, Some(0)),
        ("ii", "int", L::Int, 11, Some(0)),
        ("iu", "int unsigned", L::Uint, 10, Some(0)),
        ("bu", "bigint unsigned", L::Uint, 20, Some(0)),
        ("f", "float", L::Float32, 12, None),
        ("d", "double", L::Float64, 22, None),
        ("de", "decimal(20,4)", L::Decimal, 20, Some(4)),
        ("bit1", "bit(1)", L::Bit, 1, Some(0)),
        ("bit9", "bit(9)", L::Bit, 9, Some(0)),
        ("y", "year", L::Year, 4, Some(0)),
        ("da", "date", L::Date, 10, Some(0)),
        ("dt", "datetime", L::Datetime, 19, Some(0)),
        ("dt6", "datetime(6)", L::Datetime, 26, Some(6)),
        ("ts", "timestamp", L::Timestamp, 19, Some(0)),
        ("ts3", "timestamp(3)", L::Timestamp, 23, Some(3)),
        ("tm", "time(6)", L::Time, 17, Some(6)),
        ("c", "char(20)", L::Text, 20, None),
        ("tx", "text", L::Text, 65_535, None),
        ("bi", "binary(8)", L::Bytes, 8, None),
        ("vb", "varbinary(64)", L::Bytes, 64, None),
        ("bl", "blob", L::Bytes, 65_535, None),
        ("e", "enum('a','b,c','含')", L::Enumeration, 3, None),
        ("st", "set('x','y','z')", L::Set, 5, None),
        ("j", "json", L::Json, u32::MAX, None),
        ("ve", "vector(3)", L::Vector, 3, None),
    ];
    let make = |(i, (name, ty, logical, length, decimals)): (usize, &(&str, &str, L, u32, Option<u32>))| {
        column(i as i64 + 1, name, ty, *logical, *length, *decimals)
    };
    let mut all: Vec<Column> = list.iter().enumerate().map(make).collect();
    for key in &mut all[..2] {
        key.props = ColumnProps { nullable: false, primary_key: true, row_key: true, ..key.props };
    }
    for (name, members) in [("e", ["a", "b,c", "含"]), ("st", ["x", "y", "z"])] {
        let column = all.iter_mut().find(|c| c.name == name).unwrap();
        column.members = members.iter().map(|&m| m.to_owned()).collect();
    }
    all
}

/// A table of these columns; the primary key is what they say.
#[must_use]
pub fn table(name: &str, columns: Vec<Column>) -> TableSchema {
    let of_key = |c: &Column| c.props.primary_key;
    let key: Vec<u32> = columns.iter().enumerate().filter(|(_, c)| of_key(c)).map(|(i, _)| i as u32).collect();
    let primary = Index { name: "PRIMARY".to_owned(), columns: key, unique: true, primary: true };
    let has_key = !primary.columns.is_empty();
    TableSchema {
        id: TableRef { table: 77, version: 400 },
        database: "shop".to_owned(),
        name: name.to_owned(),
        columns,
        indexes: if has_key { vec![primary] } else { Vec::new() },
        row_key: has_key.then_some(0),
        charset: "utf8mb4".to_owned(),
        collation: "utf8mb4_bin".to_owned(),
        attrs: vec![("update-ts".to_owned(), "399".to_owned())],
    }
}

/// `shop.all`: [`columns`].
#[must_use]
pub fn all_types() -> TableSchema {
    table("all", columns())
}

/// `shop.orders`: the table that is measured; a row has about 200 bytes.
#[must_use]
pub fn plain_table() -> TableSchema {
    use LogicalType as L;
    let mut columns = vec![
        column(1, "id", "bigint", L::Int, 20, Some(0)),
        column(2, "customer", "varchar(64)", L::Text, 64, None),
        column(3, "amount", "decimal(12,2)", L::Decimal, 12, Some(2)),
        column(4, "state", "int", L::Int, 11, Some(0)),
        column(5, "created", "datetime", L::Datetime, 19, Some(0)),
        column(6, "note", "varchar(200)", L::Text, 200, None),
    ];
    columns[0].props = ColumnProps { primary_key: true, row_key: true, ..ColumnProps::default() };
    table("orders", columns)
}
