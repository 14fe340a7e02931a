//! Values of a batch as TiDB answers them over its text protocol.

use tg_model::ColumnType;
use tgr1::text::{f32_text, f64_text, i64_text, time_text, u64_text, vector_text};
use tgr1::{Image, Logical, PackedTime};

/// A value as text; `None` is NULL.
pub(crate) type Text = Option<Vec<u8>>;

/// The value of column `col` of an image.
pub(crate) fn text(image: &Image<'_>, col: usize, ty: &ColumnType) -> Text {
    let slot = image.u64(col)?;
    let fsp = ty.decimals.unwrap_or(0) as u8;
    let mut out = Vec::new();
    match tg_mounter::logical(ty) {
        Logical::Int => i64_text(&mut out, slot.cast_signed()),
        Logical::UInt => u64_text(&mut out, slot),
        Logical::Year => out = format!("{slot:04}").into_bytes(),
        Logical::Float32 => f32_text(&mut out, f64::from_bits(slot) as f32),
        Logical::Float64 => f64_text(&mut out, f64::from_bits(slot)),
        Logical::Decimal | Logical::Text | Logical::Bytes | Logical::Json => out = image.bytes(col).unwrap().to_vec(),
        Logical::Date => PackedTime(slot).date_text(&mut out),
        Logical::DateTime | Logical::Timestamp => PackedTime(slot).datetime_text(&mut out, fsp),
        Logical::Time => time_text(&mut out, slot.cast_signed(), fsp),
        Logical::Enum => out = member(ty, slot),
        Logical::Set => {
            let set = (0..64).filter(|bit| slot >> bit & 1 != 0).map(|bit| member(ty, bit + 1));
            out = set.collect::<Vec<_>>().join(&b',');
        }
        Logical::Bit => {
            let len = ty.len.unwrap_or(1).div_ceil(8) as usize;
            out = slot.to_be_bytes()[8 - len..].to_vec();
        }
        Logical::Vector => vector_text(&mut out, image.bytes(col).unwrap()),
    }
    Some(out)
}

/// Member number `n` of an ENUM or SET, from 1; zero is the empty string of a value that was not allowed.
fn member(ty: &ColumnType, n: u64) -> Vec<u8> {
    n.checked_sub(1).map(|at| ty.members[at as usize].clone().into_bytes()).unwrap_or_default()
}
