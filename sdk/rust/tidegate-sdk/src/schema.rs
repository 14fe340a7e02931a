//! Tables, positions and DDL as a plugin sees them.

use crate::Attrs;

/// How far everything is done: ordered by (ts, stage, seq).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Position {
    /// Commit timestamp.
    pub ts: u64,
    /// 0: everything below `ts` and `seq` rows at it; 1: the rows at `ts`; 2: its DDL; 3: its syncpoint.
    pub stage: u8,
    /// Rows at `ts` that are done, in stage 0.
    pub seq: u64,
}

/// One immutable version of one table's schema.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct TableRef {
    /// Table id, bit for bit.
    pub table: u64,
    /// Schema version.
    pub version: u64,
}

/// What a value is. The discriminant is its number in TGR1 batches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are listed in docs/formats/tgr1.md")]
pub enum LogicalType {
    Int = 1,
    Uint = 2,
    Float32 = 3,
    Float64 = 4,
    Decimal = 5,
    Text = 6,
    Bytes = 7,
    Json = 8,
    Date = 9,
    Datetime = 10,
    Timestamp = 11,
    Time = 12,
    Year = 13,
    Enumeration = 14,
    Set = 15,
    Bit = 16,
    Vector = 17,
}

/// Facts about a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a column")]
pub struct ColumnProps {
    /// NULL is allowed.
    pub nullable: bool,
    /// Part of the primary key.
    pub primary_key: bool,
    /// Part of the key that identifies rows.
    pub row_key: bool,
    /// Part of some unique index.
    pub unique: bool,
    /// Generated and stored: read it, never write it.
    pub generated: bool,
    /// AUTO_INCREMENT.
    pub auto_increment: bool,
    /// No sign.
    pub unsigned: bool,
}

/// A column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Unique in the table for ever.
    pub id: i64,
    /// As written.
    pub name: String,
    /// What its values are.
    pub logical: LogicalType,
    /// As SQL spells it in lower case, for example `decimal(18,4) unsigned`.
    pub source_type: String,
    /// Facts.
    pub props: ColumnProps,
    /// Display length or digits; `None`: open.
    pub length: Option<u32>,
    /// Fraction digits; `None`: open.
    pub decimals: Option<u32>,
    /// Character set; empty for types without one.
    pub charset: String,
    /// Collation; empty for types without one.
    pub collation: String,
    /// Members of ENUM and SET.
    pub members: Vec<String>,
    /// DEFAULT as text, or as bytes for binary types.
    pub default_value: Option<Vec<u8>>,
    /// For growth.
    pub attrs: Attrs,
}

/// An index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Index {
    /// `PRIMARY` for the primary key.
    pub name: String,
    /// Positions in [`TableSchema::columns`], in index order.
    pub columns: Vec<u32>,
    /// UNIQUE.
    pub unique: bool,
    /// The primary key.
    pub primary: bool,
}

/// One version of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableSchema {
    /// Names this version; batches carry it.
    pub id: TableRef,
    /// Schema (database).
    pub database: String,
    /// Table.
    pub name: String,
    /// The columns of every image, in order.
    pub columns: Vec<Column>,
    /// Indexes over these columns.
    pub indexes: Vec<Index>,
    /// Position in `indexes` of the one that identifies a row; `None`: the whole row does.
    pub row_key: Option<u32>,
    /// Default character set.
    pub charset: String,
    /// Default collation.
    pub collation: String,
    /// For growth.
    pub attrs: Attrs,
}

impl TableSchema {
    /// Positions of the columns that identify a row; empty when the whole row does.
    #[must_use]
    pub fn row_key_columns(&self) -> &[u32] {
        self.row_key.and_then(|i| self.indexes.get(i as usize)).map_or(&[], |i| &i.columns)
    }
}

/// What a DDL does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the names are the statements")]
pub enum DdlKind {
    CreateSchema,
    DropSchema,
    AlterSchema,
    CreateTable,
    DropTable,
    TruncateTable,
    RenameTable,
    RecoverTable,
    CreateView,
    DropView,
    AddColumn,
    DropColumn,
    ModifyColumn,
    AddIndex,
    DropIndex,
    AlterIndex,
    AddForeignKey,
    DropForeignKey,
    AddPartition,
    DropPartition,
    TruncatePartition,
    ExchangePartition,
    ReorganizePartition,
    AlterPartitioning,
    AlterTable,
    MultiSchemaChange,
}

/// One schema change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DdlEvent {
    /// The position that is reached when it is done.
    pub at: Position,
    /// What it does.
    pub kind: DdlKind,
    /// Schema it runs in.
    pub database: String,
    /// Table concerned after the change; empty for schema statements.
    pub table: String,
    /// One statement in the source's dialect that names its objects in full.
    pub query: String,
    /// The table before.
    pub before: Option<TableSchema>,
    /// The table after.
    pub after: Option<TableSchema>,
    /// Handed over before with an outcome that is not known: check before doing it again.
    pub maybe_done: bool,
    /// `charset`, `collation`, `sql_mode`, `job_id`, `action`, `seq`.
    pub attrs: Attrs,
}
