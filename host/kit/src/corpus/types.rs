//! Column types from the words of SQL.

use tg_model::{ColumnType, TypeCode};

/// Display length of a type that is not told one.
const DECIMAL_LEN: u32 = 10;
const YEAR_LEN: u32 = 4;

/// Name, storage type, and whether the value is bytes.
const NAMES: &[(&str, TypeCode, bool)] = &[
    ("tinyint", TypeCode::TinyInt, false),
    ("smallint", TypeCode::SmallInt, false),
    ("mediumint", TypeCode::MediumInt, false),
    ("int", TypeCode::Int, false),
    ("integer", TypeCode::Int, false),
    ("bigint", TypeCode::BigInt, false),
    ("bool", TypeCode::TinyInt, false),
    ("boolean", TypeCode::TinyInt, false),
    ("float", TypeCode::Float, false),
    ("double", TypeCode::Double, false),
    ("decimal", TypeCode::Decimal, false),
    ("numeric", TypeCode::Decimal, false),
    ("char", TypeCode::Char, false),
    ("varchar", TypeCode::VarChar, false),
    ("binary", TypeCode::Char, true),
    ("varbinary", TypeCode::VarChar, true),
    ("tinytext", TypeCode::TinyBlob, false),
    ("text", TypeCode::Blob, false),
    ("mediumtext", TypeCode::MediumBlob, false),
    ("longtext", TypeCode::LongBlob, false),
    ("tinyblob", TypeCode::TinyBlob, true),
    ("blob", TypeCode::Blob, true),
    ("mediumblob", TypeCode::MediumBlob, true),
    ("longblob", TypeCode::LongBlob, true),
    ("json", TypeCode::Json, false),
    ("date", TypeCode::Date, false),
    ("datetime", TypeCode::DateTime, false),
    ("timestamp", TypeCode::Timestamp, false),
    ("time", TypeCode::Time, false),
    ("year", TypeCode::Year, false),
    ("enum", TypeCode::Enum, false),
    ("set", TypeCode::Set, false),
    ("bit", TypeCode::Bit, false),
    ("vector", TypeCode::VectorFloat32, false),
];

/// A type like `decimal(10,2) unsigned` or `enum('a','b')`, and what stands behind it. `None`: no such type.
pub(crate) fn parse_type(text: &str) -> Option<(ColumnType, &str)> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let (_, code, binary) = NAMES.iter().find(|(n, ..)| n.eq_ignore_ascii_case(name))?;
    let (arguments, rest) = match rest.strip_prefix('(') {
        Some(inner) => arguments(inner)?,
        None => (Vec::new(), rest),
    };
    let unsigned_at = rest.trim_start();
    let (unsigned, rest) = match unsigned_at.get(..8).filter(|w| w.eq_ignore_ascii_case("unsigned")) {
        Some(_) => (true, unsigned_at.get(8..)?),
        None => (false, rest),
    };
    let with_members = matches!(code, TypeCode::Enum | TypeCode::Set);
    let numbers: Vec<u32> = if with_members { Vec::new() } else { parse_all(&arguments)? };
    let (len, decimals) = sizes(*code, name, &numbers);
    let has_charset = code.is_string() || with_members;
    let (charset, collation) = match (has_charset, *binary) {
        (true, true) => ("binary", "binary"),
        (true, false) => ("utf8mb4", "utf8mb4_bin"),
        (false, _) => ("", ""),
    };
    let ty = ColumnType {
        code: *code,
        len,
        decimals,
        unsigned,
        zerofill: false,
        charset: charset.to_owned(),
        collation: collation.to_owned(),
        members: if with_members { arguments } else { Vec::new() },
    };
    Some((ty, rest))
}

fn parse_all(arguments: &[String]) -> Option<Vec<u32>> {
    arguments.iter().map(|a| a.trim().parse().ok()).collect()
}

/// Display length and fraction digits.
fn sizes(code: TypeCode, name: &str, numbers: &[u32]) -> (Option<u32>, Option<u32>) {
    let (first, second) = (numbers.first().copied(), numbers.get(1).copied());
    match code {
        TypeCode::Decimal => (Some(first.unwrap_or(DECIMAL_LEN)), Some(second.unwrap_or(0))),
        TypeCode::DateTime | TypeCode::Timestamp | TypeCode::Time => (None, Some(first.unwrap_or(0))),
        TypeCode::Year => (Some(YEAR_LEN), Some(0)),
        TypeCode::Bit => (Some(first.unwrap_or(1)), Some(0)),
        TypeCode::TinyInt if name.starts_with("bool") => (Some(1), Some(0)),
        _ => (first, second),
    }
}

/// What stands between parentheses, up to and with the closing one; quotes are taken off.
fn arguments(text: &str) -> Option<(Vec<String>, &str)> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let last = out.last_mut()?;
        match c {
            '\'' if quoted && chars.peek().is_some_and(|(_, c)| *c == '\'') => {
                chars.next();
                last.push('\'');
            }
            '\'' => quoted = !quoted,
            ',' if !quoted => out.push(String::new()),
            ')' if !quoted => return text.get(at + 1..).map(|rest| (out, rest)),
            ' ' if !quoted => {}
            c => last.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::parse_type;
    use tg_mounter::source_type;

    #[test]
    fn types_are_read_as_they_are_spelled() {
        for text in [
            "int",
            "bigint unsigned",
            "decimal(65,30)",
            "varchar(20)",
            "varbinary(16)",
            "binary(4)",
            "text",
            "longblob",
            "json",
            "datetime(6)",
            "time",
            "year",
            "bit(64)",
            "enum('a','it''s, no')",
            "set('x','y')",
            "vector(3)",
        ] {
            let (ty, rest) = parse_type(text).unwrap();
            assert_eq!((source_type(&ty).as_str(), rest), (text, ""));
        }
        assert_eq!(parse_type("int not null").unwrap().1, " not null");
        assert!(
            parse_type("geometry").is_none() && parse_type("decimal(x)").is_none() && parse_type("enum('a").is_none()
        );
    }
}
