//! Column types as TiDB's meta data has them, and their SQL text.

use serde_json::{Value as Json, json};
use tg_model::TypeCode;

/// NOT NULL.
pub const FLAG_NOT_NULL: u32 = 1;
/// Part of the primary key.
pub const FLAG_PRIMARY: u32 = 1 << 1;
/// The only column of a unique index.
pub const FLAG_UNIQUE: u32 = 1 << 2;
/// Part of an index of several columns or a non-unique one.
pub const FLAG_MULTIPLE: u32 = 1 << 3;
/// UNSIGNED.
pub const FLAG_UNSIGNED: u32 = 1 << 5;
/// ZEROFILL.
pub const FLAG_ZEROFILL: u32 = 1 << 6;
/// Binary string or time.
pub const FLAG_BINARY: u32 = 1 << 7;
/// NOT NULL without default.
pub const FLAG_NO_DEFAULT: u32 = 1 << 12;

/// A column type in the form of the meta data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldType {
    /// Storage type.
    pub code: TypeCode,
    /// Bits `FLAG_*`.
    pub flag: u32,
    /// Display length, digits, or -1.
    pub flen: i64,
    /// Fraction digits or -1.
    pub decimal: i64,
    /// Character set; `binary` for all but text.
    pub charset: String,
    /// Collation.
    pub collate: String,
    /// Members of ENUM and SET.
    pub elems: Vec<String>,
}

impl FieldType {
    /// Reads a column type as SQL writes it: `bigint unsigned`, `decimal(10,2)`, `enum('a','b')`,
    /// `varchar(20)`, `datetime(6)`. Text has `utf8mb4_bin`. `None` when unknown.
    #[must_use]
    pub fn parse(sql: &str) -> Option<Self> {
        let sql = sql.trim();
        let end = sql.find(['(', ' ']).unwrap_or(sql.len());
        let (name, rest) = sql.split_at(end);
        let (args, tail) = match rest.strip_prefix('(') {
            Some(rest) => rest.rsplit_once(')')?,
            None => ("", rest),
        };
        let tail = tail.to_ascii_lowercase();
        let known = base(&name.to_ascii_lowercase())?;
        let mut ty = Self {
            code: known.0,
            flag: known.1,
            flen: known.2,
            decimal: known.3,
            charset: "binary".to_owned(),
            collate: "binary".to_owned(),
            elems: Vec::new(),
        };
        if known.4 {
            ty.charset = "utf8mb4".to_owned();
            ty.collate = "utf8mb4_bin".to_owned();
        }
        ty.set_args(args)?;
        if tail.contains("unsigned") {
            ty.set_unsigned();
        }
        Some(ty)
    }

    fn set_args(&mut self, args: &str) -> Option<()> {
        if args.is_empty() {
            return Some(());
        }
        match self.code {
            TypeCode::Enum | TypeCode::Set => {
                self.elems = args.split(',').map(|e| e.trim().trim_matches('\'').to_owned()).collect();
                let longest = self.elems.iter().map(|e| e.chars().count()).max().unwrap_or(0);
                let total: usize = self.elems.iter().map(|e| e.chars().count()).sum();
                self.flen = match self.code {
                    TypeCode::Enum => longest as i64,
                    _ => (total + self.elems.len() - 1) as i64,
                };
            }
            TypeCode::DateTime | TypeCode::Timestamp | TypeCode::Time => {
                self.decimal = args.trim().parse().ok()?;
                self.flen += if self.decimal > 0 { self.decimal + 1 } else { 0 };
            }
            _ => {
                let (len, frac) = args.split_once(',').unwrap_or((args, ""));
                self.flen = len.trim().parse().ok()?;
                if !frac.is_empty() {
                    self.decimal = frac.trim().parse().ok()?;
                }
            }
        }
        Some(())
    }

    fn set_unsigned(&mut self) {
        self.flag |= FLAG_UNSIGNED;
        self.flen = match self.code {
            TypeCode::TinyInt if self.flen == 4 => 3,
            TypeCode::SmallInt => 5,
            TypeCode::MediumInt => 8,
            TypeCode::Int if self.flen == 11 => 10,
            _ => self.flen,
        };
    }

    /// Whether the type has no sign.
    #[must_use]
    pub const fn unsigned(&self) -> bool {
        self.flag & FLAG_UNSIGNED != 0
    }

    /// Fraction digits of a time.
    #[must_use]
    pub fn fsp(&self) -> usize {
        usize::try_from(self.decimal).unwrap_or(0)
    }

    /// Whether a primary key column of this type is also stored in the row under the new collations.
    #[must_use]
    pub fn needs_restored_data(&self) -> bool {
        self.code.is_string()
            && self.collate != "binary"
            && self.collate != "utf8mb4_0900_bin"
            && (!self.collate.ends_with("_bin") || matches!(self.code, TypeCode::VarChar | TypeCode::VarString))
    }

    /// The JSON of the meta data.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let elems = if self.elems.is_empty() { Json::Null } else { json!(self.elems) };
        json!({
            "Tp": self.code as u8, "Flag": self.flag, "Flen": self.flen, "Decimal": self.decimal,
            "Charset": self.charset, "Collate": self.collate, "Elems": elems,
            "ElemsIsBinaryLit": null, "Array": false,
        })
    }
}

/// Type code, flags, default length, default fraction digits, whether text.
type Base = (TypeCode, u32, i64, i64, bool);

/// Longest LONGTEXT, LONGBLOB and JSON, as the meta data has it.
const LONG: i64 = 0xffff_ffff;

fn base(name: &str) -> Option<Base> {
    use TypeCode as T;
    const B: u32 = FLAG_BINARY;
    Some(match name {
        "tinyint" => (T::TinyInt, 0, 4, 0, false),
        "bool" | "boolean" => (T::TinyInt, 0, 1, 0, false),
        "smallint" => (T::SmallInt, 0, 6, 0, false),
        "mediumint" => (T::MediumInt, 0, 9, 0, false),
        "int" | "integer" => (T::Int, 0, 11, 0, false),
        "bigint" => (T::BigInt, 0, 20, 0, false),
        "float" => (T::Float, 0, 12, -1, false),
        "double" => (T::Double, 0, 22, -1, false),
        "decimal" | "numeric" => (T::Decimal, 0, 10, 0, false),
        "bit" => (T::Bit, FLAG_UNSIGNED, 1, 0, false),
        "year" => (T::Year, FLAG_UNSIGNED | FLAG_ZEROFILL, 4, 0, false),
        "date" => (T::Date, B, 10, 0, false),
        "datetime" => (T::DateTime, B, 19, 0, false),
        "timestamp" => (T::Timestamp, B, 19, 0, false),
        "time" => (T::Time, B, 10, 0, false),
        "char" => (T::Char, 0, 1, 0, true),
        "varchar" => (T::VarChar, 0, 255, 0, true),
        "tinytext" => (T::TinyBlob, 0, 255, 0, true),
        "text" => (T::Blob, 0, 65_535, 0, true),
        "mediumtext" => (T::MediumBlob, 0, 16_777_215, 0, true),
        "longtext" => (T::LongBlob, 0, LONG, 0, true),
        "binary" => (T::Char, B, 1, 0, false),
        "varbinary" => (T::VarChar, B, 255, 0, false),
        "tinyblob" => (T::TinyBlob, B, 255, 0, false),
        "blob" => (T::Blob, B, 65_535, 0, false),
        "mediumblob" => (T::MediumBlob, B, 16_777_215, 0, false),
        "longblob" => (T::LongBlob, B, LONG, 0, false),
        "enum" => (T::Enum, 0, 0, 0, true),
        "set" => (T::Set, 0, 0, 0, true),
        "json" => (T::Json, B, LONG, 0, false),
        "vector" => (T::VectorFloat32, B, -1, 0, false),
        _ => return None,
    })
}
