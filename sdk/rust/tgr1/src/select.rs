//! Batches out of batches: some of the rows, some of the columns.

use crate::bytes::{pad8, put};
use crate::layout::{COLUMN_LEN, head};
use crate::{BATCH_LIMIT_BYTES, Batch, BatchWriter, ColumnSpec, FormatError, Image, ImageKind, Row, SlotKind};

/// Copies the rows with these numbers, in this order, into a new batch of the same table version. Routes and flags are kept.
///
/// # Errors
/// When a row does not exist or the rows (some given twice) do not fit into one batch.
pub fn select(batch: &Batch<'_>, rows: impl IntoIterator<Item = u32>) -> Result<Vec<u8>, FormatError> {
    let layout = batch.layout();
    let body_at = layout.map_at + layout.image.columns * COLUMN_LEN;
    let mut out = batch.as_bytes().get(..body_at).ok_or(FormatError::Bounds("column map"))?.to_vec();
    let mut index = Vec::new();
    let (mut min_ts, mut max_ts) = (u64::MAX, 0);
    for i in rows {
        let row = batch.row(i as usize).ok_or(FormatError::NoRow(i))?;
        index.extend_from_slice(&(out.len() as u32).to_le_bytes());
        out.extend_from_slice(row.as_bytes());
        if out.len() + index.len() + 8 > BATCH_LIMIT_BYTES {
            return Err(FormatError::TooLarge);
        }
        min_ts = min_ts.min(row.commit_ts());
        max_ts = max_ts.max(row.commit_ts());
    }
    let index_off = out.len() as u32;
    let count = (index.len() / 4) as u32;
    out.extend_from_slice(&index);
    pad8(&mut out);
    let total = out.len() as u32;
    put(&mut out, head::ROWS, &count.to_le_bytes());
    put(&mut out, head::INDEX_OFF, &index_off.to_le_bytes());
    put(&mut out, head::TOTAL_LEN, &total.to_le_bytes());
    put(&mut out, head::MIN_COMMIT_TS, &(if count == 0 { 0 } else { min_ts }).to_le_bytes());
    put(&mut out, head::MAX_COMMIT_TS, &max_ts.to_le_bytes());
    Ok(out)
}

/// Writes at most `count` rows from `start` on with only the columns at these schema `positions`, in the order given. Routes
/// and flags are kept. No positions: row headers only.
///
/// # Errors
/// When the batch lacks a position, or a string of it is broken.
pub fn project(batch: &Batch<'_>, positions: &[u32], start: u32, count: u32) -> Result<Vec<u8>, FormatError> {
    let mut columns = Vec::with_capacity(positions.len());
    for position in positions {
        let found = batch.columns().enumerate().find(|(_, spec)| u32::from(spec.position) == *position);
        columns.push(found.ok_or(FormatError::NoColumn(*position))?);
    }
    let specs: Vec<ColumnSpec> = columns.iter().map(|(_, spec)| *spec).collect();
    let mut writer = BatchWriter::with_flags(batch.table(), batch.version(), &specs, 4096, batch.flags());
    let end = (batch.len() as u64).min(u64::from(start) + u64::from(count)) as usize;
    for row in (start as usize..end).filter_map(|i| batch.row(i)) {
        writer.begin_row(row.commit_ts(), row.start_ts(), row.op(), row.flags());
        writer.set_route(row.partition(), row.target(), row.lane());
        project_images(&mut writer, row, &columns)?;
        writer.end_row().map_err(|_| FormatError::TooLarge)?;
    }
    Ok(writer.finish_with(Vec::new()))
}

fn project_images(writer: &mut BatchWriter, row: Row<'_>, columns: &[(usize, ColumnSpec)]) -> Result<(), FormatError> {
    for kind in [ImageKind::After, ImageKind::Before] {
        if let Some(image) = row.image(kind) {
            writer.begin_image(kind);
            for (to, (from, spec)) in columns.iter().enumerate() {
                copy_value(writer, to, image, *from, spec.slot)?;
            }
        }
    }
    Ok(())
}

/// Copies the value of column `from` of an image to column `to` of the image being written; both have this slot. NULL stays NULL,
/// absent stays absent.
///
/// # Errors
/// When a string lies outside its row.
pub fn copy_value(
    writer: &mut BatchWriter,
    to: usize,
    image: Image<'_>,
    from: usize,
    slot: SlotKind,
) -> Result<(), FormatError> {
    if image.is_absent(from) {
        writer.put_absent(to);
    }
    let Some(raw) = image.u64(from) else {
        return Ok(());
    };
    match slot {
        SlotKind::I64 => writer.put_i64(to, raw.cast_signed()),
        SlotKind::U64 => writer.put_u64(to, raw),
        SlotKind::F64 => writer.put_f64(to, f64::from_bits(raw)),
        SlotKind::Bytes => writer.put_bytes(to, image.bytes(from).ok_or(FormatError::Bounds("string"))?),
    }
    Ok(())
}
