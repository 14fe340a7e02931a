//! Numbers of the format.

/// First four bytes of a batch.
pub const MAGIC: [u8; 4] = *b"TGR1";
/// Minor version this crate writes and knows.
pub const MINOR: u16 = 0;
/// Largest batch.
pub const BATCH_LIMIT_BYTES: usize = 16 << 20;
/// Most columns of an image.
pub const COLUMNS_MAX: usize = 65_535;
/// The lane that means: leave the row out.
pub const LANE_DROP: u16 = 0xffff;

pub(crate) const HEADER_LEN: usize = 64;
pub(crate) const ROW_HEADER_LEN: usize = 40;
pub(crate) const COLUMN_LEN: usize = 8;
pub(crate) const SLOT_LEN: usize = 8;

/// Offsets of fields from the first byte of the batch.
pub(crate) mod head {
    pub(crate) const MINOR: usize = 4;
    pub(crate) const FLAGS: usize = 6;
    pub(crate) const HEADER_LEN: usize = 8;
    pub(crate) const ROWS: usize = 12;
    pub(crate) const COLUMNS: usize = 16;
    pub(crate) const INDEX_OFF: usize = 20;
    pub(crate) const TABLE: usize = 24;
    pub(crate) const VERSION: usize = 32;
    pub(crate) const TOTAL_LEN: usize = 40;
    pub(crate) const ROW_HEADER_LEN: usize = 44;
    pub(crate) const MIN_COMMIT_TS: usize = 48;
    pub(crate) const MAX_COMMIT_TS: usize = 56;
}

/// Offsets of fields from the first byte of a row.
pub(crate) mod row {
    pub(crate) const COMMIT_TS: usize = 0;
    pub(crate) const START_TS: usize = 8;
    pub(crate) const OP: usize = 16;
    pub(crate) const IMAGES: usize = 17;
    pub(crate) const FLAGS: usize = 18;
    pub(crate) const ROW_LEN: usize = 20;
    pub(crate) const AFTER: usize = 24;
    pub(crate) const BEFORE: usize = 28;
    pub(crate) const PARTITION: usize = 32;
    pub(crate) const TARGET: usize = 36;
    pub(crate) const LANE: usize = 38;
}

/// Bits of the batch header's flags.
pub mod batch_flags {
    /// Images carry an absent bitmap.
    pub const ABSENT: u16 = 1;
    /// The batch may hold rows that were handed over before.
    pub const MAYBE_REPEATED: u16 = 2;
}

/// Bits of a row's flags.
pub mod row_flags {
    /// The row may have been handed over before.
    pub const MAYBE_REPEATED: u16 = 1;
    /// One half of an update that changed its key.
    pub const SPLIT_UPDATE: u16 = 2;
}

/// How the 8 bytes of a column are read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum SlotKind {
    /// Signed integer.
    I64 = 1,
    /// Unsigned integer.
    U64 = 2,
    /// Bits of a double.
    F64 = 3,
    /// Offset from the row's first byte and length, both u32.
    Bytes = 4,
}

impl SlotKind {
    /// The kind with this number.
    #[must_use]
    pub const fn from_u8(n: u8) -> Option<Self> {
        Some(match n {
            1 => Self::I64,
            2 => Self::U64,
            3 => Self::F64,
            4 => Self::Bytes,
            _ => return None,
        })
    }
}

/// What the value of a column means. Numbers as in the format and (minus 1) in the WIT enum.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Logical {
    /// Signed integer.
    Int = 1,
    /// Unsigned integer.
    UInt = 2,
    /// An f32, widened; print it as f32.
    Float32 = 3,
    /// An f64.
    Float64 = 4,
    /// ASCII text with exactly the column's fraction digits.
    Decimal = 5,
    /// UTF-8.
    Text = 6,
    /// Bytes.
    Bytes = 7,
    /// UTF-8 text as the source prints it.
    Json = 8,
    /// Packed time ([`crate::PackedTime`]).
    Date = 9,
    /// Packed time, wall clock.
    DateTime = 10,
    /// Packed time in UTC, or in the zone the plan asked for.
    Timestamp = 11,
    /// Signed microseconds.
    Time = 12,
    /// Signed integer.
    Year = 13,
    /// 1-based number of the member; 0 is the empty invalid value.
    Enum = 14,
    /// Bit i is member i.
    Set = 15,
    /// The number.
    Bit = 16,
    /// f32 little endian, one after another.
    Vector = 17,
}

impl Logical {
    const ALL: [Self; 17] = [
        Self::Int,
        Self::UInt,
        Self::Float32,
        Self::Float64,
        Self::Decimal,
        Self::Text,
        Self::Bytes,
        Self::Json,
        Self::Date,
        Self::DateTime,
        Self::Timestamp,
        Self::Time,
        Self::Year,
        Self::Enum,
        Self::Set,
        Self::Bit,
        Self::Vector,
    ];

    /// The type with this number.
    #[must_use]
    pub fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n).checked_sub(1)?).copied()
    }

    /// The slot its values are kept in.
    #[must_use]
    pub const fn slot(self) -> SlotKind {
        match self {
            Self::Int | Self::Time | Self::Year => SlotKind::I64,
            Self::UInt | Self::Date | Self::DateTime | Self::Timestamp | Self::Enum | Self::Set | Self::Bit => {
                SlotKind::U64
            }
            Self::Float32 | Self::Float64 => SlotKind::F64,
            Self::Decimal | Self::Text | Self::Bytes | Self::Json | Self::Vector => SlotKind::Bytes,
        }
    }
}

/// One column of every image.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ColumnSpec {
    /// Index in the `table-schema`'s columns.
    pub position: u16,
    /// How its 8 bytes are read.
    pub slot: SlotKind,
    /// What it means.
    pub logical: Logical,
}

impl ColumnSpec {
    /// A column with the usual slot of its logical type.
    #[must_use]
    pub const fn new(position: u16, logical: Logical) -> Self {
        Self { position, slot: logical.slot(), logical }
    }
}

/// What happened to a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Op {
    /// The row is gone; it has a before image.
    Delete = 0,
    /// The row changed; it has both images.
    Update = 1,
    /// The row is new; it has an after image.
    Insert = 2,
}

impl Op {
    /// The op with this number.
    #[must_use]
    pub const fn from_u8(n: u8) -> Option<Self> {
        Some(match n {
            0 => Self::Delete,
            1 => Self::Update,
            2 => Self::Insert,
            _ => return None,
        })
    }
}

/// Which image of a row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ImageKind {
    /// The row as it is now.
    After,
    /// The row as it was.
    Before,
}

impl ImageKind {
    /// Bit in the row's `images`.
    pub(crate) const fn bit(self) -> u8 {
        match self {
            Self::After => 1,
            Self::Before => 2,
        }
    }

    /// Where the row header keeps the image's offset.
    pub(crate) const fn field(self) -> usize {
        match self {
            Self::After => row::AFTER,
            Self::Before => row::BEFORE,
        }
    }
}

/// Bytes of one bitmap of an image.
pub(crate) const fn bitmap_len(columns: usize) -> usize {
    columns.div_ceil(64) * 8
}
