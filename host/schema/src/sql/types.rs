//! Types of columns as SQL text, the way TiDB prints them.

use super::create::Dialect;
use super::string;
use tg_model::{ColumnType, TypeCode};

/// The type with its length, digits, sign and members; character sets are not part of it.
#[must_use]
pub fn column_type_sql(ty: &ColumnType, dialect: Dialect) -> String {
    let mut out = base(ty, dialect);
    if ty.unsigned {
        out.push_str(" unsigned");
    }
    if ty.zerofill {
        out.push_str(" zerofill");
    }
    out
}

fn base(ty: &ColumnType, dialect: Dialect) -> String {
    let binary = ty.is_binary();
    let pick = |bytes: &str, text: &str| {
        if binary { bytes.to_owned() } else { text.to_owned() }
    };
    match ty.code {
        TypeCode::TinyInt if ty.len == Some(1) => "tinyint(1)".to_owned(),
        TypeCode::TinyInt => integer("tinyint", ty),
        TypeCode::SmallInt => integer("smallint", ty),
        TypeCode::MediumInt => integer("mediumint", ty),
        TypeCode::Int => integer("int", ty),
        TypeCode::BigInt => integer("bigint", ty),
        TypeCode::Float => digits("float", ty),
        TypeCode::Double => digits("double", ty),
        TypeCode::Decimal => format!("decimal({},{})", ty.len.unwrap_or(10), ty.decimals.unwrap_or(0)),
        TypeCode::Null => "binary(0)".to_owned(),
        TypeCode::Date | TypeCode::NewDate => "date".to_owned(),
        TypeCode::Time => with_fraction("time", ty),
        TypeCode::DateTime => with_fraction("datetime", ty),
        TypeCode::Timestamp => with_fraction("timestamp", ty),
        TypeCode::Year => "year(4)".to_owned(),
        TypeCode::Bit => format!("bit({})", ty.len.unwrap_or(1)),
        TypeCode::Json => "json".to_owned(),
        TypeCode::VectorFloat32 if dialect == Dialect::MySql => "longtext".to_owned(),
        TypeCode::VectorFloat32 => ty.len.map_or_else(|| "vector".to_owned(), |n| format!("vector({n})")),
        TypeCode::Enum => format!("enum({})", members(ty)),
        TypeCode::Set => format!("set({})", members(ty)),
        TypeCode::Char => format!("{}({})", pick("binary", "char"), ty.len.unwrap_or(1)),
        TypeCode::VarChar | TypeCode::VarString => {
            format!("{}({})", pick("varbinary", "varchar"), ty.len.unwrap_or(1))
        }
        TypeCode::TinyBlob => pick("tinyblob", "tinytext"),
        TypeCode::Blob => pick("blob", "text"),
        TypeCode::MediumBlob => pick("mediumblob", "mediumtext"),
        TypeCode::LongBlob => pick("longblob", "longtext"),
    }
}

/// The display width means something with ZEROFILL only.
fn integer(name: &str, ty: &ColumnType) -> String {
    ty.len.filter(|_| ty.zerofill).map_or_else(|| name.to_owned(), |n| format!("{name}({n})"))
}

fn digits(name: &str, ty: &ColumnType) -> String {
    ty.len.zip(ty.decimals).map_or_else(|| name.to_owned(), |(len, decimals)| format!("{name}({len},{decimals})"))
}

fn with_fraction(name: &str, ty: &ColumnType) -> String {
    ty.decimals.filter(|n| *n > 0).map_or_else(|| name.to_owned(), |n| format!("{name}({n})"))
}

fn members(ty: &ColumnType) -> String {
    ty.members.iter().map(|m| string(m)).collect::<Vec<_>>().join(",")
}
