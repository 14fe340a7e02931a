//! A table as both encodings describe it.

use tg_format_common::MysqlType;
use tidegate_sdk::{Column, TableSchema};

/// Character set and collation of types that have none.
const BINARY: &str = "binary";
/// Type of a view's columns.
pub(crate) const UNSPECIFIED: &str = "unspecified";

/// Why the table is described; lengths that the upstream left open differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reason {
    /// As the DDL job says: what is open is -1.
    Ddl,
    /// As it is: what is open has its default.
    Bootstrap,
}

/// The facts about a column's type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DataType<'a> {
    pub(crate) name: &'static str,
    pub(crate) charset: &'a str,
    pub(crate) collate: &'a str,
    pub(crate) length: i64,
    pub(crate) decimal: Option<i64>,
    pub(crate) elements: &'a [String],
    /// `None`: the type is no number.
    pub(crate) unsigned: Option<bool>,
    pub(crate) zerofill: Option<bool>,
}

/// An index, as messages list it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Index<'a> {
    pub(crate) name: &'a str,
    pub(crate) unique: bool,
    pub(crate) primary: bool,
    pub(crate) nullable: bool,
    pub(crate) columns: Vec<&'a str>,
}

pub(crate) fn data_type<'a>(column: &'a Column, reason: Reason) -> DataType<'a> {
    let ty = MysqlType::parse(&column.source_type).unwrap_or(MysqlType::Null);
    let open = |default| if reason == Reason::Ddl { -1 } else { default };
    let is_time = matches!(ty, MysqlType::DateTime | MysqlType::Timestamp | MysqlType::Time);
    let decimal = match ty {
        MysqlType::Decimal => Some(column.decimals.map_or(0, i64::from)),
        _ if is_time => Some(column.decimals.map_or_else(|| open(0), i64::from)),
        _ => None,
    };
    let is_number = ty.is_integer()
        || matches!(ty, MysqlType::Float | MysqlType::Double | MysqlType::Decimal | MysqlType::Bit | MysqlType::Year);
    let unsigned = column.props.unsigned || matches!(ty, MysqlType::Bit | MysqlType::Year);
    let zerofill = ty == MysqlType::Year || column.source_type.ends_with(" zerofill");
    // Columns of views have no type.
    let none = if ty == MysqlType::Null { "" } else { BINARY };
    let or_none = |text: &'a str| if text.is_empty() { none } else { text };
    DataType {
        name: if ty == MysqlType::Null { UNSPECIFIED } else { ty.name() },
        charset: or_none(&column.charset),
        collate: or_none(&column.collation),
        length: column.length.map_or_else(|| open(default_length(ty)), i64::from),
        decimal,
        elements: &column.members,
        unsigned: is_number.then_some(unsigned),
        zerofill: is_number.then_some(zerofill),
    }
}

/// The length a type has when nobody says one.
const fn default_length(ty: MysqlType) -> i64 {
    match ty {
        MysqlType::Year => 4,
        MysqlType::Date | MysqlType::Time | MysqlType::Decimal => 10,
        MysqlType::DateTime | MysqlType::Timestamp => 19,
        MysqlType::Float => 12,
        MysqlType::Double => 22,
        MysqlType::Bit | MysqlType::Char | MysqlType::Binary => 1,
        MysqlType::Json | MysqlType::LongText | MysqlType::LongBlob => 4_294_967_295,
        _ => 0,
    }
}

/// The indexes in the upstream's order. Where rows are found by an integer key or by a unique index, the upstream keeps no
/// primary index, and one named `primary` is added at the end.
pub(crate) fn indexes(table: &TableSchema) -> Vec<Index<'_>> {
    let column = |position: &u32| table.columns.get(*position as usize);
    let names = |positions: &[u32]| positions.iter().filter_map(column).map(|c| c.name.as_str()).collect();
    let by_integer = |index: &tidegate_sdk::Index| {
        let integer = |c: &Column| MysqlType::parse(&c.source_type).is_some_and(MysqlType::is_integer);
        index.primary && matches!(index.columns[..], [only] if column(&only).is_some_and(integer))
    };
    let kept = table.indexes.iter().filter(|index| !by_integer(index));
    let mut all: Vec<Index<'_>> = kept
        .map(|index| Index {
            name: &index.name,
            unique: index.unique,
            primary: index.primary,
            nullable: index.columns.iter().filter_map(column).any(|c| c.props.nullable),
            columns: names(&index.columns),
        })
        .collect();
    let key = table.row_key_columns();
    if !key.is_empty() && !all.iter().any(|index| index.primary) {
        all.push(Index { name: "primary", unique: true, primary: true, nullable: false, columns: names(key) });
    }
    all
}

/// DEFAULT as text.
pub(crate) fn default_text(column: &Column) -> Option<std::borrow::Cow<'_, str>> {
    column.default_value.as_deref().map(String::from_utf8_lossy)
}
