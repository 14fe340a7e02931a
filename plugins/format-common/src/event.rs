//! What decoders answer: changes that can be applied to MySQL.

use crate::MysqlType;
use tgr1::Op;

/// One event of a topic or file.
#[derive(Clone, PartialEq, Debug)]
pub enum ChangeEvent {
    /// A row changed.
    Row(RowChange),
    /// The schema changed.
    Ddl(DdlChange),
    /// Everything up to this timestamp has been sent.
    Watermark(u64),
    /// A table is as this says.
    Schema(SchemaChange),
}

/// A changed row.
#[derive(Clone, PartialEq, Debug)]
pub struct RowChange {
    /// Schema (database).
    pub database: String,
    /// Table.
    pub table: String,
    /// What happened.
    pub op: Op,
    /// Commit timestamp; `None`: the format says milliseconds only, or nothing.
    pub commit_ts: Option<u64>,
    /// Milliseconds of the commit.
    pub commit_ms: Option<u64>,
    /// The new row; for an insert and an update.
    pub after: Option<Vec<Field>>,
    /// The old row, or the part of it that the format keeps; for an update and a delete.
    pub before: Option<Vec<Field>>,
    /// The message holds the key only: the row is to be read from the upstream.
    pub key_only: bool,
    /// The whole message lies here.
    pub claim: Option<String>,
}

/// A value with its column.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// Column.
    pub name: String,
    /// Type, where the format tells it.
    pub ty: Option<MysqlType>,
    /// Part of the key that identifies the row, where the format tells it.
    pub key: bool,
    /// Value.
    pub value: Datum,
}

/// A value. What is text here is text in SQL too.
#[derive(Clone, PartialEq, Debug)]
pub enum Datum {
    /// NULL.
    Null,
    /// Signed integer.
    Int(i64),
    /// Unsigned integer.
    UInt(u64),
    /// Floating-point number.
    Float(f64),
    /// Text, also of times, decimals, JSON, vectors and member names.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A schema change.
#[derive(Clone, PartialEq, Debug)]
pub struct DdlChange {
    /// Schema (database).
    pub database: String,
    /// Table; empty for schema statements.
    pub table: String,
    /// Statement.
    pub query: String,
    /// Commit timestamp, where the format has it.
    pub commit_ts: Option<u64>,
    /// The format's word or number for it.
    pub kind: String,
    /// The table afterwards, where the format tells it.
    pub after: Option<SchemaChange>,
    /// The table before, where the format tells it.
    pub before: Option<SchemaChange>,
}

/// A table as a format describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SchemaChange {
    /// Schema (database).
    pub database: String,
    /// Table.
    pub table: String,
    /// Table id, where the format has it.
    pub table_id: u64,
    /// Names the version.
    pub version: u64,
    /// Columns in order.
    pub columns: Vec<SchemaColumn>,
    /// Indexes.
    pub indexes: Vec<SchemaIndex>,
}

/// A column as a format describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SchemaColumn {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: MysqlType,
    /// UNSIGNED.
    pub unsigned: bool,
    /// NULL is allowed.
    pub nullable: bool,
    /// Members of ENUM and SET.
    pub members: Vec<String>,
    /// DEFAULT.
    pub default: Option<String>,
}

/// An index as a format describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SchemaIndex {
    /// Name.
    pub name: String,
    /// UNIQUE.
    pub unique: bool,
    /// Primary key.
    pub primary: bool,
    /// Columns.
    pub columns: Vec<String>,
}

impl SchemaChange {
    /// Whether the column is in the key that identifies rows: the primary key, else the unique index with the fewest columns
    /// among those without nullable columns.
    #[must_use]
    pub fn is_key(&self, column: &str) -> bool {
        let solid = |index: &&SchemaIndex| {
            let known = |name: &String| self.columns.iter().find(|c| c.name == *name);
            index.unique && index.columns.iter().all(|name| known(name).is_some_and(|c| !c.nullable))
        };
        let primary = self.indexes.iter().find(|index| index.primary);
        let index = primary.or_else(|| self.indexes.iter().filter(solid).min_by_key(|index| index.columns.len()));
        index.is_some_and(|index| index.columns.iter().any(|name| name == column))
    }
}
