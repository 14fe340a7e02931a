//! Column types from the way SQL spells them, as `tg_mounter::source_type` writes it.

use crate::bindings::api::types::Column;
use tg_model::{ColumnType, TypeCode};

/// Names and what they store; `true`: bytes, not text.
const NAMES: &[(&str, TypeCode, bool)] = &[
    ("tinyint", TypeCode::TinyInt, false),
    ("smallint", TypeCode::SmallInt, false),
    ("mediumint", TypeCode::MediumInt, false),
    ("int", TypeCode::Int, false),
    ("bigint", TypeCode::BigInt, false),
    ("float", TypeCode::Float, false),
    ("double", TypeCode::Double, false),
    ("decimal", TypeCode::Decimal, false),
    ("date", TypeCode::Date, false),
    ("time", TypeCode::Time, false),
    ("datetime", TypeCode::DateTime, false),
    ("timestamp", TypeCode::Timestamp, false),
    ("year", TypeCode::Year, false),
    ("bit", TypeCode::Bit, false),
    ("json", TypeCode::Json, false),
    ("vector", TypeCode::VectorFloat32, false),
    ("enum", TypeCode::Enum, false),
    ("set", TypeCode::Set, false),
    ("char", TypeCode::Char, false),
    ("varchar", TypeCode::VarChar, false),
    ("tinytext", TypeCode::TinyBlob, false),
    ("text", TypeCode::Blob, false),
    ("mediumtext", TypeCode::MediumBlob, false),
    ("longtext", TypeCode::LongBlob, false),
    ("binary", TypeCode::Char, true),
    ("varbinary", TypeCode::VarChar, true),
    ("tinyblob", TypeCode::TinyBlob, true),
    ("blob", TypeCode::Blob, true),
    ("mediumblob", TypeCode::MediumBlob, true),
    ("longblob", TypeCode::LongBlob, true),
];

/// The type of a column that a transform made.
pub(crate) fn column_type(c: &Column) -> Result<ColumnType, String> {
    let unknown = || format!("the type {:?} of its column {:?} is not known", c.source_type, c.name);
    let text = c.source_type.trim();
    let name = text.split(['(', ' ']).next().unwrap_or_default();
    let (_, code, binary) = *NAMES.iter().find(|(n, ..)| *n == name).ok_or_else(unknown)?;
    let rest = text.strip_prefix(name).unwrap_or_default();
    let (digits, words) = match rest.strip_prefix('(') {
        Some(inner) => inner.rsplit_once(')').ok_or_else(unknown)?,
        None => ("", rest),
    };
    let (mut unsigned, mut zerofill) = (false, false);
    for word in words.split_whitespace() {
        match word {
            "unsigned" => unsigned = true,
            "zerofill" => zerofill = true,
            _ => return Err(unknown()),
        }
    }
    let listed = matches!(code, TypeCode::Enum | TypeCode::Set);
    if listed && c.members.is_empty() {
        return Err(unknown());
    }
    let (len, decimals) = if listed { (None, None) } else { numbers(code, digits).ok_or_else(unknown)? };
    Ok(ColumnType {
        code,
        len,
        decimals,
        unsigned,
        zerofill,
        charset: if binary { "binary".to_owned() } else { c.charset.clone() },
        collation: if binary { "binary".to_owned() } else { c.collation.clone() },
        members: c.members.clone(),
    })
}

/// Length and fraction digits between the brackets; times have only the latter.
fn numbers(code: TypeCode, digits: &str) -> Option<(Option<u32>, Option<u32>)> {
    let mut numbers = Vec::new();
    for part in digits.split(',').filter(|p| !p.trim().is_empty()) {
        numbers.push(part.trim().parse::<u32>().ok()?);
    }
    let time = matches!(code, TypeCode::DateTime | TypeCode::Timestamp | TypeCode::Time);
    Some(match (numbers.as_slice(), time) {
        ([], _) => (None, None),
        ([fraction], true) => (None, Some(*fraction)),
        ([len], false) => (Some(*len), None),
        ([len, decimals], false) => (Some(*len), Some(*decimals)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::column_type;
    use crate::bindings::api::types::{Column, ColumnProps, LogicalType};

    fn typed(source_type: &str) -> Result<String, String> {
        let listed = source_type.contains('\'');
        let column = Column {
            id: 1,
            name: "c".to_owned(),
            logical: LogicalType::Int,
            source_type: source_type.to_owned(),
            props: ColumnProps::empty(),
            length: None,
            decimals: None,
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_bin".to_owned(),
            members: if listed { vec!["a".to_owned(), "b,)".to_owned()] } else { Vec::new() },
            default_value: None,
            attrs: Vec::new(),
        };
        column_type(&column).map(|t| tg_mounter::source_type(&t))
    }

    #[test]
    fn a_spelling_becomes_a_type_of_the_same_spelling() {
        for t in [
            "tinyint(1)",
            "int",
            "int(10) unsigned zerofill",
            "bigint unsigned",
            "double",
            "double(10,2)",
            "decimal(18,4) unsigned",
            "datetime",
            "datetime(6)",
            "time(3)",
            "year",
            "bit(8)",
            "json",
            "vector(3)",
            "enum('a','b,)')",
            "char(64)",
            "varchar(255)",
            "varbinary(16)",
            "longtext",
            "tinyblob",
        ] {
            assert_eq!(typed(t), Ok(t.to_owned()));
        }
        for t in ["", "varchar(", "varchar(x)", "int signed", "decimal(1,2,3)", "rainbow", "enum"] {
            assert!(typed(t).is_err(), "{t}");
        }
    }
}
