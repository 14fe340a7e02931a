//! What a column of the source becomes.

use crate::config::BitType;
use tidegate_sdk::{Column, LogicalType};

/// Digits of an unsigned 64-bit number.
const U64_TYPE: &str = "numeric(20)";
/// Fraction digits that times of PostgreSQL have at most.
const FRACTION_MAX: u32 = 6;

/// The name of the type.
pub(crate) fn pg_type(column: &Column, bits: BitType) -> String {
    let base = column.source_type.split(['(', ' ']).next().unwrap_or_default();
    let fraction = column.decimals.unwrap_or(0).min(FRACTION_MAX);
    match column.logical {
        LogicalType::Int | LogicalType::Uint => integer(base, column.logical == LogicalType::Uint).to_owned(),
        LogicalType::Year => "smallint".to_owned(),
        LogicalType::Float32 => "real".to_owned(),
        LogicalType::Float64 => "double precision".to_owned(),
        LogicalType::Decimal => match column.length {
            Some(digits) => format!("numeric({digits},{})", column.decimals.unwrap_or(0)),
            None => "numeric".to_owned(),
        },
        LogicalType::Text | LogicalType::Enumeration | LogicalType::Set => "text".to_owned(),
        LogicalType::Bytes => "bytea".to_owned(),
        LogicalType::Json => "jsonb".to_owned(),
        LogicalType::Date => "date".to_owned(),
        LogicalType::Datetime => format!("timestamp({fraction}) without time zone"),
        LogicalType::Timestamp => format!("timestamp({fraction}) with time zone"),
        LogicalType::Time => format!("interval({fraction})"),
        LogicalType::Bit => match bits {
            BitType::Numeric => U64_TYPE.to_owned(),
            BitType::Bit => format!("bit({})", bit_length(column)),
        },
        LogicalType::Vector => "real[]".to_owned(),
    }
}

/// Digits of a BIT column.
pub(crate) fn bit_length(column: &Column) -> u32 {
    column.length.unwrap_or(1).clamp(1, 64)
}

/// The smallest type that holds every value; one that is not known gets the widest.
fn integer(base: &str, unsigned: bool) -> &'static str {
    match (base, unsigned) {
        ("tinyint", _) | ("smallint", false) => "smallint",
        ("smallint", true) | ("mediumint", _) | ("int", false) => "integer",
        (_, false) | ("int", true) => "bigint",
        (_, true) => U64_TYPE,
    }
}

/// How values change their type in place: directly between numbers, by their text otherwise.
pub(crate) fn conversion(column: &str, from: &str, to: &str) -> String {
    let number = |t: &str| {
        ["smallint", "integer", "bigint", "real", "double precision"].contains(&t) || t.starts_with("numeric")
    };
    match (from, to) {
        ("text", "bytea") => format!("convert_to({column},'UTF8')"),
        ("bytea", "text") => format!("convert_from({column},'UTF8')"),
        _ if number(from) && number(to) => format!("{column}::{to}"),
        _ => format!("{column}::text::{to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{conversion, pg_type};
    use crate::config::BitType;
    use tidegate_sdk::{Column, ColumnProps, LogicalType};

    fn check(logical: LogicalType, source: &str, numbers: (Option<u32>, Option<u32>), wanted: &str) {
        let column = Column {
            id: 1,
            name: "c".into(),
            logical,
            source_type: source.into(),
            props: ColumnProps::default(),
            length: numbers.0,
            decimals: numbers.1,
            charset: String::new(),
            collation: String::new(),
            members: Vec::new(),
            default_value: None,
            attrs: Vec::new(),
        };
        assert_eq!(pg_type(&column, BitType::Numeric), wanted, "{source}");
    }

    #[test]
    fn every_type_has_one() {
        use LogicalType as L;
        let none = (None, None);
        check(L::Int, "tinyint(1)", (Some(1), None), "smallint");
        check(L::Uint, "tinyint unsigned", none, "smallint");
        check(L::Int, "smallint", none, "smallint");
        check(L::Uint, "smallint unsigned", none, "integer");
        check(L::Int, "mediumint", none, "integer");
        check(L::Int, "int", none, "integer");
        check(L::Uint, "int(6) unsigned zerofill", none, "bigint");
        check(L::Int, "bigint", none, "bigint");
        check(L::Uint, "bigint unsigned", none, "numeric(20)");
        check(L::Decimal, "decimal(65,30)", (Some(65), Some(30)), "numeric(65,30)");
        check(L::Datetime, "datetime(3)", (None, Some(3)), "timestamp(3) without time zone");
        check(L::Timestamp, "timestamp", none, "timestamp(0) with time zone");
        check(L::Time, "time(6)", (None, Some(6)), "interval(6)");
        check(L::Bit, "bit(13)", (Some(13), None), "numeric(20)");
        check(L::Set, "set('a')", none, "text");
        check(L::Vector, "vector(3)", (Some(3), None), "real[]");
    }

    #[test]
    fn values_change_their_type_by_number_or_by_text() {
        assert_eq!(conversion("c", "integer", "numeric(8,2)"), "c::numeric(8,2)");
        assert_eq!(conversion("c", "integer", "text"), "c::text::text");
        assert_eq!(conversion("c", "text", "bytea"), "convert_to(c,'UTF8')");
    }
}
