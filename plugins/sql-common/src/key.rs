//! Row keys, and what rows do to them.

use tgr1::{FormatError, Image, Op, Row, row_flags};

/// A key with a NULL in it: never with a row key, but one that was declared wrongly must not match wrong rows.
pub const NULL_KEY: FormatError = FormatError::Bounds("row key");

/// A column of a key.
pub trait KeyColumn {
    /// Position in images.
    fn at(&self) -> usize;

    /// Whether the slot refers to bytes elsewhere in the row.
    fn is_string(&self) -> bool;
}

/// What becomes of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effect {
    /// The row is there at the end.
    pub put: bool,
    /// The first change in the window made the row, so the downstream does not have it yet.
    pub fresh: bool,
}

impl Effect {
    const GONE: Self = Self { put: false, fresh: false };
    const CHANGED: Self = Self { put: true, fresh: false };
}

/// Tells what a row does to each key it touches, with the image that has the key and, if the row is there then, its values.
///
/// # Errors
/// When the row lacks an image that its kind of change demands; else those of `set`.
#[inline]
pub fn touch<'a>(
    row: Row<'a>,
    key: &[impl KeyColumn],
    mut set: impl FnMut(&Image<'a>, Effect) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    match (row.op(), row.before(), row.after()) {
        (Op::Insert, _, Some(after)) => {
            set(&after, Effect { put: true, fresh: row.flags() & row_flags::MAYBE_REPEATED == 0 })
        }
        (Op::Update, Some(before), Some(after)) => {
            if !key_eq(&before, &after, key) {
                set(&before, Effect::GONE)?;
            }
            set(&after, Effect::CHANGED)
        }
        (Op::Delete, Some(before), _) => set(&before, Effect::GONE),
        _ => Err(FormatError::Bounds("image")),
    }
}

/// Appends a key's bytes: 8 for a number, and for a string those of its length before its own. No key is the beginning of
/// another one of the same table.
///
/// # Errors
/// [`NULL_KEY`].
#[inline]
pub fn push_key(out: &mut Vec<u8>, image: &Image<'_>, key: &[impl KeyColumn]) -> Result<(), FormatError> {
    for column in key {
        if column.is_string() {
            let bytes = image.bytes(column.at()).ok_or(NULL_KEY)?;
            out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            out.extend_from_slice(bytes);
        } else {
            out.extend_from_slice(&image.u64(column.at()).ok_or(NULL_KEY)?.to_le_bytes());
        }
    }
    Ok(())
}

/// Whether two images have the same key, byte for byte.
#[inline]
pub fn key_eq(a: &Image<'_>, b: &Image<'_>, key: &[impl KeyColumn]) -> bool {
    key.iter().all(|column| {
        if column.is_string() {
            a.bytes(column.at()) == b.bytes(column.at())
        } else {
            a.u64(column.at()) == b.u64(column.at())
        }
    })
}
