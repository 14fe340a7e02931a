//! Rows.

use tgr1::{BatchWriter, ColumnSpec, ImageKind, Logical, Op, PackedTime};
use tidegate_sdk::TableSchema;

/// Numbers from a seed; the same for the same seed.
struct Dice(u64);

impl Dice {
    /// A step of splitmix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

const TEXTS: [&str; 8] = [
    "",
    "plain",
    "q\"uo'te\\s",
    "line\nbreak\ttab\r",
    "日本語 😀",
    "<a href=\"x\">&amp;</a>",
    "\u{1}\u{2028}\u{7f}é",
    ", ;|\u{1f}",
];

/// The columns of images of a table.
fn specs(schema: &TableSchema) -> Vec<ColumnSpec> {
    let spec =
        |(i, c): (usize, &tidegate_sdk::Column)| ColumnSpec::new(i as u16, Logical::from_u8(c.logical as u8).unwrap());
    schema.columns.iter().enumerate().map(spec).collect()
}

/// A batch of so many rows, operations in turn, every value from the seed.
#[must_use]
pub fn rows(schema: &TableSchema, seed: u64, count: usize) -> Vec<u8> {
    let specs = specs(schema);
    let mut out = BatchWriter::new(schema.id.table, schema.id.version, &specs, 1 << 16);
    let mut dice = Dice(seed);
    for i in 0..count {
        let (op, images): (_, &[ImageKind]) = match i % 3 {
            0 => (Op::Insert, &[ImageKind::After]),
            1 => (Op::Update, &[ImageKind::After, ImageKind::Before]),
            _ => (Op::Delete, &[ImageKind::Before]),
        };
        let commit_ts = (1_700_000_000_000 + i as u64) << 18 | dice.below(9);
        out.begin_row(commit_ts, commit_ts - 1, op, 0);
        let key = dice.next();
        for kind in images {
            out.begin_image(*kind);
            for (col, column) in schema.columns.iter().enumerate() {
                if column.props.nullable && dice.below(8) == 0 {
                    continue;
                }
                let mut own = if column.props.primary_key { Dice(key ^ col as u64) } else { Dice(dice.next()) };
                put(&mut out, col, column, &mut own);
            }
        }
        out.end_row().unwrap();
    }
    out.finish()
}

fn put(out: &mut BatchWriter, col: usize, column: &tidegate_sdk::Column, dice: &mut Dice) {
    let bits = match column.source_type.split([' ', '(']).next().unwrap() {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" => 32,
        _ => 64,
    };
    let any = dice.next();
    match Logical::from_u8(column.logical as u8).unwrap() {
        Logical::Int => out.put_i64(col, any.cast_signed() >> (64 - bits)),
        Logical::UInt => out.put_u64(col, any >> (64 - bits)),
        Logical::Float32 => out.put_f64(col, f64::from((any as i32) as f32 / 1024.0)),
        Logical::Float64 => out.put_f64(col, any.cast_signed() as f64 * 1e-12),
        Logical::Decimal => {
            let sign = if any & 1 == 0 { "" } else { "-" };
            out.put_bytes(col, format!("{sign}{}.{:04}", any >> 40, any >> 20 & 0xfff).as_bytes());
        }
        Logical::Text => {
            let text = format!("{}{}", TEXTS[dice.below(8) as usize], TEXTS[dice.below(8) as usize]);
            let text = if column.props.primary_key { format!("{any:x}{text}") } else { text };
            out.put_bytes(col, text.as_bytes());
        }
        Logical::Bytes => out.put_bytes(col, &any.to_le_bytes()),
        Logical::Json => out.put_bytes(col, format!("{{\"n\": {}, \"s\": \"é\\\"{}\"}}", any % 99, any % 7).as_bytes()),
        logical @ (Logical::Date | Logical::DateTime | Logical::Timestamp) => {
            out.put_u64(col, time(column, logical, any).0);
        }
        Logical::Time => out.put_i64(col, (any % 6_040_799_999_999).cast_signed() - 3_020_399_999_999),
        Logical::Year => out.put_i64(col, 1901 + (any % 254).cast_signed()),
        Logical::Enum => out.put_u64(col, 1 + any % 3),
        Logical::Set => out.put_u64(col, any % 8),
        Logical::Bit => out.put_u64(col, any & ((1 << column.length.unwrap_or(1)) - 1)),
        Logical::Vector => {
            let elements: Vec<u8> = (0..3).flat_map(|i| ((any >> (i * 8) & 0xff) as f32 / 8.0).to_le_bytes()).collect();
            out.put_bytes(col, &elements);
        }
    }
}

/// A time with as many digits as the column has.
fn time(column: &tidegate_sdk::Column, logical: Logical, any: u64) -> PackedTime {
    let parts = |n: u64, k: u32| (any >> k) % n;
    let (year, month, day) = (1971 + parts(66, 0) as u16, 1 + parts(12, 8) as u8, 1 + parts(28, 16) as u8);
    if logical == Logical::Date {
        return PackedTime::from_parts(year, month, day, 0, 0, 0, 0).unwrap();
    }
    let unit = 10_u32.pow(6 - column.decimals.unwrap_or(0));
    let micro = (parts(1_000_000, 24) as u32) / unit * unit;
    let (hour, minute, second) = (parts(24, 44) as u8, parts(60, 50) as u8, parts(60, 56) as u8);
    PackedTime::from_parts(year, month, day, hour, minute, second, micro).unwrap()
}

/// The batch that is measured: inserts of [`plain_table`](crate::plain_table).
#[must_use]
pub fn wide_rows(schema: &TableSchema, count: usize) -> Vec<u8> {
    let specs = specs(schema);
    let mut out = BatchWriter::new(schema.id.table, schema.id.version, &specs, 1 << 20);
    let note = "the quick brown fox jumps over the lazy dog, and again ".repeat(2);
    for i in 0..count {
        let commit_ts = 1_700_000_000_000 << 18 | i as u64;
        out.begin_row(commit_ts, commit_ts - 1, Op::Insert, 0);
        out.begin_image(ImageKind::After);
        out.put_i64(0, 1_000_000 + i as i64);
        out.put_bytes(1, format!("customer-{:08}", i * 7919 % 100_000).as_bytes());
        out.put_bytes(2, format!("{}.{:02}", i * 37 % 100_000, i % 100).as_bytes());
        out.put_i64(3, (i % 5) as i64);
        out.put_u64(4, PackedTime::from_parts(2024, 5, 6, 7, 8, (i % 60) as u8, 0).unwrap().0);
        out.put_bytes(5, note.as_bytes());
        out.end_row().unwrap();
    }
    out.finish()
}
