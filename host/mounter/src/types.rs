//! Column types as batches and schemas name them.

use tg_model::{ColumnType, TypeCode};
use tgr1::Logical;

/// What values of a column mean in a batch.
#[must_use]
pub fn logical(ty: &ColumnType) -> Logical {
    match ty.code {
        TypeCode::TinyInt | TypeCode::SmallInt | TypeCode::MediumInt | TypeCode::Int | TypeCode::BigInt => {
            if ty.unsigned { Logical::UInt } else { Logical::Int }
        }
        TypeCode::Float => Logical::Float32,
        TypeCode::Double => Logical::Float64,
        TypeCode::Decimal => Logical::Decimal,
        TypeCode::Date | TypeCode::NewDate => Logical::Date,
        TypeCode::DateTime => Logical::DateTime,
        TypeCode::Timestamp => Logical::Timestamp,
        TypeCode::Time => Logical::Time,
        TypeCode::Year => Logical::Year,
        TypeCode::Enum => Logical::Enum,
        TypeCode::Set => Logical::Set,
        TypeCode::Bit => Logical::Bit,
        TypeCode::Json => Logical::Json,
        TypeCode::VectorFloat32 => Logical::Vector,
        TypeCode::Null => Logical::Bytes,
        _ if ty.is_binary() => Logical::Bytes,
        _ => Logical::Text,
    }
}

/// The type as SQL spells it, in lower case: `decimal(18,4) unsigned`, `varchar(16)`, `enum('a','b')`.
///
/// Integers have no display width, but for `tinyint(1)` (the boolean) and ZEROFILL, where it changes what a client shows.
#[must_use]
pub fn source_type(ty: &ColumnType) -> String {
    let mut out = base_name(ty).to_owned();
    let len = ty.len.map(|n| n.to_string());
    let decimals = ty.decimals.filter(|n| *n > 0).map(|n| n.to_string());
    let digits = |out: &mut String, parts: &[String]| {
        if !parts.is_empty() {
            out.push('(');
            out.push_str(&parts.join(","));
            out.push(')');
        }
    };
    match ty.code {
        TypeCode::TinyInt if ty.len == Some(1) => digits(&mut out, &["1".to_owned()]),
        code if code.is_integer() && ty.zerofill => digits(&mut out, len.as_slice()),
        TypeCode::Decimal => digits(&mut out, &[len.unwrap_or_default(), ty.decimals.unwrap_or(0).to_string()]),
        TypeCode::Float | TypeCode::Double => {
            if let (Some(len), Some(decimals)) = (len, ty.decimals) {
                digits(&mut out, &[len, decimals.to_string()]);
            }
        }
        TypeCode::DateTime | TypeCode::Timestamp | TypeCode::Time => digits(&mut out, decimals.as_slice()),
        TypeCode::Char | TypeCode::VarChar | TypeCode::VarString | TypeCode::Bit | TypeCode::VectorFloat32 => {
            digits(&mut out, len.as_slice());
        }
        TypeCode::Enum | TypeCode::Set => digits(&mut out, &quoted(&ty.members)),
        _ => {}
    }
    if ty.unsigned {
        out.push_str(" unsigned");
    }
    if ty.zerofill {
        out.push_str(" zerofill");
    }
    out
}

fn quoted(members: &[String]) -> Vec<String> {
    members.iter().map(|member| format!("'{}'", member.replace('\'', "''"))).collect()
}

fn base_name(ty: &ColumnType) -> &'static str {
    let text_or = |text, binary| if ty.is_binary() { binary } else { text };
    match ty.code {
        TypeCode::TinyInt => "tinyint",
        TypeCode::SmallInt => "smallint",
        TypeCode::Int => "int",
        TypeCode::Float => "float",
        TypeCode::Double => "double",
        TypeCode::Null => "null",
        TypeCode::Timestamp => "timestamp",
        TypeCode::BigInt => "bigint",
        TypeCode::MediumInt => "mediumint",
        TypeCode::Date | TypeCode::NewDate => "date",
        TypeCode::Time => "time",
        TypeCode::DateTime => "datetime",
        TypeCode::Year => "year",
        TypeCode::VarChar | TypeCode::VarString => text_or("varchar", "varbinary"),
        TypeCode::Bit => "bit",
        TypeCode::VectorFloat32 => "vector",
        TypeCode::Json => "json",
        TypeCode::Decimal => "decimal",
        TypeCode::Enum => "enum",
        TypeCode::Set => "set",
        TypeCode::TinyBlob => text_or("tinytext", "tinyblob"),
        TypeCode::MediumBlob => text_or("mediumtext", "mediumblob"),
        TypeCode::LongBlob => text_or("longtext", "longblob"),
        TypeCode::Blob => text_or("text", "blob"),
        TypeCode::Char => text_or("char", "binary"),
    }
}

#[cfg(test)]
mod tests {
    use super::source_type;
    use tg_model::{ColumnType, TypeCode};

    fn check(
        code: TypeCode,
        len: Option<u32>,
        decimals: Option<u32>,
        change: impl Fn(&mut ColumnType),
        expected: &str,
    ) {
        let mut ty = ColumnType {
            code,
            len,
            decimals,
            unsigned: false,
            zerofill: false,
            charset: "utf8mb4".to_owned(),
            collation: "utf8mb4_bin".to_owned(),
            members: Vec::new(),
        };
        change(&mut ty);
        assert_eq!(source_type(&ty), expected);
    }

    #[test]
    fn types_are_spelled_as_in_sql() {
        let binary = |ty: &mut ColumnType| ty.charset = "binary".to_owned();
        check(TypeCode::Int, Some(11), Some(0), |_| {}, "int");
        check(TypeCode::TinyInt, Some(1), Some(0), |_| {}, "tinyint(1)");
        check(TypeCode::Int, Some(5), Some(0), |t| (t.unsigned, t.zerofill) = (true, true), "int(5) unsigned zerofill");
        check(TypeCode::Decimal, Some(18), Some(4), |t| t.unsigned = true, "decimal(18,4) unsigned");
        check(TypeCode::Decimal, Some(10), Some(0), |_| {}, "decimal(10,0)");
        check(TypeCode::Float, Some(12), None, |_| {}, "float");
        check(TypeCode::Float, Some(10), Some(3), |_| {}, "float(10,3)");
        check(TypeCode::DateTime, Some(23), Some(3), |_| {}, "datetime(3)");
        check(TypeCode::Timestamp, Some(19), Some(0), |_| {}, "timestamp");
        check(TypeCode::VarChar, Some(16), None, |_| {}, "varchar(16)");
        check(TypeCode::VarChar, Some(16), None, binary, "varbinary(16)");
        check(TypeCode::Char, Some(4), None, binary, "binary(4)");
        check(TypeCode::Blob, Some(65535), None, |_| {}, "text");
        check(TypeCode::LongBlob, None, None, binary, "longblob");
        check(TypeCode::Bit, Some(9), Some(0), |_| {}, "bit(9)");
        check(TypeCode::Year, Some(4), None, |_| {}, "year");
        check(TypeCode::VectorFloat32, Some(3), None, |_| {}, "vector(3)");
        check(TypeCode::Enum, None, None, |t| t.members = vec!["a".to_owned(), "it's".to_owned()], "enum('a','it''s')");
    }
}
