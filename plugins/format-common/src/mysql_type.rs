//! Column types by the names SQL gives them.

/// The type of a column, text and binary strings told apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the names are the SQL types")]
pub enum MysqlType {
    TinyInt,
    SmallInt,
    MediumInt,
    Int,
    BigInt,
    Float,
    Double,
    Decimal,
    Bit,
    Year,
    Date,
    DateTime,
    Timestamp,
    Time,
    Char,
    Binary,
    VarChar,
    VarBinary,
    TinyText,
    Text,
    MediumText,
    LongText,
    TinyBlob,
    Blob,
    MediumBlob,
    LongBlob,
    Enum,
    Set,
    Json,
    Vector,
    Null,
}

impl MysqlType {
    const NAMES: [(&'static str, Self); 31] = [
        ("tinyint", Self::TinyInt),
        ("smallint", Self::SmallInt),
        ("mediumint", Self::MediumInt),
        ("int", Self::Int),
        ("bigint", Self::BigInt),
        ("float", Self::Float),
        ("double", Self::Double),
        ("decimal", Self::Decimal),
        ("bit", Self::Bit),
        ("year", Self::Year),
        ("date", Self::Date),
        ("datetime", Self::DateTime),
        ("timestamp", Self::Timestamp),
        ("time", Self::Time),
        ("char", Self::Char),
        ("binary", Self::Binary),
        ("varchar", Self::VarChar),
        ("varbinary", Self::VarBinary),
        ("tinytext", Self::TinyText),
        ("text", Self::Text),
        ("mediumtext", Self::MediumText),
        ("longtext", Self::LongText),
        ("tinyblob", Self::TinyBlob),
        ("blob", Self::Blob),
        ("mediumblob", Self::MediumBlob),
        ("longblob", Self::LongBlob),
        ("enum", Self::Enum),
        ("set", Self::Set),
        ("json", Self::Json),
        ("vector", Self::Vector),
        ("null", Self::Null),
    ];

    /// The type that a spelling like `decimal(18,4) unsigned` begins with, in any case.
    #[must_use]
    pub fn parse(spelling: &str) -> Option<Self> {
        let end = spelling.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(spelling.len());
        let word = spelling.get(..end)?;
        Self::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, ty)| *ty)
    }

    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, ty)| *ty == self).map_or("null", |(name, _)| name)
    }

    /// Number of the type in the MySQL protocol, as TiDB keeps it.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::TinyInt => 1,
            Self::SmallInt => 2,
            Self::Int => 3,
            Self::Float => 4,
            Self::Double => 5,
            Self::Null => 6,
            Self::Timestamp => 7,
            Self::BigInt => 8,
            Self::MediumInt => 9,
            Self::Date => 10,
            Self::Time => 11,
            Self::DateTime => 12,
            Self::Year => 13,
            Self::VarChar | Self::VarBinary => 15,
            Self::Bit => 16,
            Self::Vector => 225,
            Self::Json => 245,
            Self::Decimal => 246,
            Self::Enum => 247,
            Self::Set => 248,
            Self::TinyText | Self::TinyBlob => 249,
            Self::MediumText | Self::MediumBlob => 250,
            Self::LongText | Self::LongBlob => 251,
            Self::Text | Self::Blob => 252,
            Self::Char | Self::Binary => 254,
        }
    }

    /// The type with this protocol number; `binary` chooses between text and byte strings.
    #[must_use]
    pub fn from_code(code: u64, binary: bool) -> Option<Self> {
        // VARCHAR has a second number.
        let code = if code == 253 { 15 } else { code };
        let mut same = Self::NAMES.iter().map(|(_, ty)| *ty).filter(|ty| u64::from(ty.code()) == code);
        let first = same.next()?;
        Some(if binary { same.next().unwrap_or(first) } else { first })
    }

    /// Byte strings.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(
            self,
            Self::Binary
                | Self::VarBinary
                | Self::TinyBlob
                | Self::Blob
                | Self::MediumBlob
                | Self::LongBlob
                | Self::Null
        )
    }

    /// Character strings.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Char | Self::VarChar | Self::TinyText | Self::Text | Self::MediumText | Self::LongText)
    }

    /// TEXT and BLOB of every length.
    #[must_use]
    pub const fn is_lob(self) -> bool {
        matches!(self.code(), 249..=252)
    }

    /// Integers; YEAR and BIT are not counted.
    #[must_use]
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::TinyInt | Self::SmallInt | Self::MediumInt | Self::Int | Self::BigInt)
    }
}

#[cfg(test)]
mod tests {
    use super::MysqlType;

    #[test]
    fn every_type_is_found_by_name_and_code() {
        for (name, ty) in MysqlType::NAMES {
            assert_eq!(MysqlType::parse(&format!("{}(3) unsigned", name.to_uppercase())), Some(ty));
            assert_eq!(ty.name(), name);
            assert_eq!(MysqlType::from_code(ty.code().into(), ty.is_binary()), Some(ty), "{name}");
        }
        assert_eq!(MysqlType::parse("geometry"), None);
        assert_eq!(MysqlType::from_code(253, true), Some(MysqlType::VarBinary));
        assert_eq!(MysqlType::from_code(999, false), None);
    }
}
