//! Table versions: what a table looked like from one DDL to the next.

use crate::{TableId, Ts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The storage type of a column, by the numbers of the MySQL protocol that TiDB keeps in its meta data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the SQL types")]
pub enum TypeCode {
    TinyInt = 1,
    SmallInt = 2,
    Int = 3,
    Float = 4,
    Double = 5,
    Null = 6,
    Timestamp = 7,
    BigInt = 8,
    MediumInt = 9,
    Date = 10,
    Time = 11,
    DateTime = 12,
    Year = 13,
    NewDate = 14,
    VarChar = 15,
    Bit = 16,
    VectorFloat32 = 0xe1,
    Json = 0xf5,
    Decimal = 0xf6,
    Enum = 0xf7,
    Set = 0xf8,
    TinyBlob = 0xf9,
    MediumBlob = 0xfa,
    LongBlob = 0xfb,
    Blob = 0xfc,
    VarString = 0xfd,
    Char = 0xfe,
}

impl TypeCode {
    const ALL: [Self; 27] = [
        Self::TinyInt,
        Self::SmallInt,
        Self::Int,
        Self::Float,
        Self::Double,
        Self::Null,
        Self::Timestamp,
        Self::BigInt,
        Self::MediumInt,
        Self::Date,
        Self::Time,
        Self::DateTime,
        Self::Year,
        Self::NewDate,
        Self::VarChar,
        Self::Bit,
        Self::VectorFloat32,
        Self::Json,
        Self::Decimal,
        Self::Enum,
        Self::Set,
        Self::TinyBlob,
        Self::MediumBlob,
        Self::LongBlob,
        Self::Blob,
        Self::VarString,
        Self::Char,
    ];

    /// The type with this number; `None` for one TiDB does not store (geometry) or that is unknown.
    #[must_use]
    pub fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|t| *t as u8 == n)
    }

    /// Whether values are character or byte strings.
    #[must_use]
    pub const fn is_string(self) -> bool {
        matches!(
            self,
            Self::VarChar
                | Self::VarString
                | Self::Char
                | Self::TinyBlob
                | Self::MediumBlob
                | Self::LongBlob
                | Self::Blob
        )
    }

    /// Whether values are integers (YEAR and BIT are not counted).
    #[must_use]
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::TinyInt | Self::SmallInt | Self::MediumInt | Self::Int | Self::BigInt)
    }
}

/// The full type of a column.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ColumnType {
    /// Storage type.
    pub code: TypeCode,
    /// Display length or digits; `None` when the meta data leaves it open.
    pub len: Option<u32>,
    /// Fraction digits of decimals and of times (fsp); `None` when open.
    pub decimals: Option<u32>,
    /// Integer types: no sign.
    pub unsigned: bool,
    /// ZEROFILL was asked for.
    pub zerofill: bool,
    /// Character set name; `binary` for byte strings, empty for types without one.
    pub charset: String,
    /// Collation name.
    pub collation: String,
    /// Members of ENUM and SET, in order.
    pub members: Vec<String>,
}

impl ColumnType {
    /// Whether string values are bytes, not text.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.code.is_string() && self.charset == "binary"
    }
}

/// Facts about a column that are yes or no.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a column")]
pub struct ColumnFlags {
    /// NULL is allowed.
    pub nullable: bool,
    /// Part of the primary key.
    pub primary_key: bool,
    /// Part of the key that identifies rows (see [`TableVersion::row_key`]).
    pub row_key: bool,
    /// Part of some unique index.
    pub unique: bool,
    /// Generated and stored: present in rows, never written by a sink.
    pub generated_stored: bool,
    /// Generated when read: never present in rows.
    pub generated_virtual: bool,
    /// AUTO_INCREMENT.
    pub auto_increment: bool,
}

/// A public column.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Column {
    /// Id, unique in the table for ever.
    pub id: i64,
    /// Name as written.
    pub name: String,
    /// Type.
    pub ty: ColumnType,
    /// Facts.
    pub flags: ColumnFlags,
    /// What a row written before ADD COLUMN holds: the default frozen at that moment, as text
    /// (BIT and binary types as their bytes).
    pub origin_default: Option<Vec<u8>>,
    /// The column's DEFAULT as text (an expression's text if `default_is_expr`); for DDL and formats, never for absent values.
    pub default: Option<Vec<u8>>,
    /// `default` is an expression.
    pub default_is_expr: bool,
    /// Text of the generating expression; empty when not generated.
    pub generated_expr: String,
    /// COMMENT.
    pub comment: String,
    /// Version of the column's meta format: decides the zone of a TIMESTAMP's `origin_default` (1 and up: UTC).
    pub meta_version: u8,
}

/// A public index.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Index {
    /// Id, unique in the table.
    pub id: i64,
    /// Name; `PRIMARY` for the primary key.
    pub name: String,
    /// Positions in [`TableVersion::columns`], in index order.
    pub columns: Vec<u32>,
    /// Prefix lengths by index column; `None`: the whole column.
    pub prefix_len: Vec<Option<u32>>,
    /// UNIQUE.
    pub unique: bool,
    /// The primary key.
    pub primary: bool,
}

/// How rows of a table are found in the key space.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum TableKey {
    /// The handle is this integer column (position in [`TableVersion::columns`]), which rows leave out.
    IntColumn(u32),
    /// The handle is the encoded values of these columns (positions, in key order).
    Common(Vec<u32>),
    /// The handle is a hidden row id.
    RowId,
}

/// One table as it was from one schema change to the next. Immutable; shared.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableVersion {
    /// Logical table id (of the table, not of a partition).
    pub table: TableId,
    /// Valid for rows with commit-ts above this (the commit-ts of the DDL, or the snapshot's ts).
    pub since: Ts,
    /// Upstream's `update_timestamp`: names this version in message formats.
    pub update_ts: Ts,
    /// Id of the schema (database).
    pub schema_id: i64,
    /// Name of the schema as written.
    pub schema: String,
    /// Name of the table as written.
    pub name: String,
    /// Default character set.
    pub charset: String,
    /// Default collation.
    pub collation: String,
    /// Public columns in order, hidden and virtual ones included.
    pub columns: Vec<Column>,
    /// Position in `columns` by column id.
    pub by_id: BTreeMap<i64, u32>,
    /// Public indexes; the primary key first if there is one.
    pub indexes: Vec<Index>,
    /// The index (position in `indexes`) that identifies rows: the primary key, else the unique index
    /// with the fewest columns among those whose columns are all NOT NULL and none of them generated virtual; `None`: no such key.
    pub row_key: Option<u32>,
    /// How keys are built.
    pub handle: TableKey,
    /// Physical ids of partitions with their names, in order; empty for a table without partitions.
    pub partitions: Vec<(TableId, String)>,
    /// A view: no rows.
    pub is_view: bool,
    /// A sequence: no rows for a sink.
    pub is_sequence: bool,
}

impl TableVersion {
    /// The ids under which rows are stored: the partitions', or the table's own.
    pub fn physical_ids(&self) -> impl Iterator<Item = TableId> + '_ {
        let own = self.partitions.is_empty().then_some(self.table);
        self.partitions.iter().map(|(id, _)| *id).chain(own)
    }

    /// Positions of the columns that identify a row; empty when the table has no usable key.
    #[must_use]
    pub fn row_key_columns(&self) -> &[u32] {
        self.row_key.and_then(|i| self.indexes.get(i as usize)).map_or(&[], |i| &i.columns)
    }
}
