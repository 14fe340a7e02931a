//! Rows with their values hidden.

use crate::config::How;
use crate::hash::Key;
use crate::plan::Table;
use std::collections::BTreeMap;
use tgr1::{Batch, BatchWriter, FormatError, Image, ImageKind, Logical};
use tidegate_sdk::Failure;

pub(crate) fn mask(table: &mut Table, keys: &BTreeMap<String, Key>, batch: &Batch<'_>) -> Result<Vec<u8>, Failure> {
    let inputs: Vec<Logical> = batch.columns().map(|c| c.logical).collect();
    let columns = std::mem::take(&mut table.columns);
    let writer = table.writer(batch.table(), batch.version(), batch.flags());
    let mut put = || -> Result<(), Failure> {
        for row in batch {
            writer.begin_row(row.commit_ts(), row.start_ts(), row.op(), row.flags());
            writer.set_route(row.partition(), row.target(), row.lane());
            for kind in [ImageKind::After, ImageKind::Before] {
                let Some(image) = row.image(kind) else { continue };
                writer.begin_image(kind);
                for (to, (from, spec, how)) in columns.iter().enumerate() {
                    match how {
                        None => tgr1::copy_value(writer, to, image, *from, spec.slot)?,
                        Some(how) => {
                            let input = inputs.get(*from).copied().ok_or(FormatError::NoColumn(*from as u32))?;
                            put_masked(writer, to, image, *from, input, how, keys)?;
                        }
                    }
                }
            }
            let full =
                |_| Failure::fatal("mask-too-large", "a batch is larger than it may be once its values are hashed");
            writer.end_row().map_err(full)?;
        }
        Ok(())
    };
    let done = put();
    let data = writer.finish();
    table.columns = columns;
    done.map(|()| data)
}

fn put_masked(
    writer: &mut BatchWriter,
    to: usize,
    image: Image<'_>,
    from: usize,
    input: Logical,
    how: &How,
    keys: &BTreeMap<String, Key>,
) -> Result<(), Failure> {
    if image.is_absent(from) {
        writer.put_absent(to);
        return Ok(());
    }
    if image.is_null(from) {
        return Ok(());
    }
    let bytes = || image.bytes(from).ok_or(FormatError::Bounds("string"));
    match how {
        How::Drop | How::Null => {}
        How::Redact(text) => writer.put_bytes(to, text.as_bytes()),
        How::KeepLast(keep) => keep_last(writer, to, bytes()?, *keep),
        How::Hash { secret, digits } => {
            let key = keys.get(secret).ok_or_else(|| Failure::fatal("mask-secret", "a rule without its secret"))?;
            let mut number = Vec::new();
            let value = match input {
                Logical::Int => {
                    tgr1::text::i64_text(&mut number, image.i64(from).unwrap_or(0));
                    &number
                }
                Logical::UInt => {
                    tgr1::text::u64_text(&mut number, image.u64(from).unwrap_or(0));
                    &number
                }
                _ => bytes()?,
            };
            writer.put_bytes_with(to, |out| key.put(value, *digits, out));
        }
    }
    Ok(())
}

/// A star for each character, or for each byte of what is no text.
fn keep_last(writer: &mut BatchWriter, to: usize, value: &[u8], keep: usize) {
    writer.put_bytes_with(to, |out| match std::str::from_utf8(value) {
        Ok(text) => {
            let hidden = hidden(text.chars().count(), keep);
            out.extend(std::iter::repeat_n(b'*', hidden));
            let rest = text.char_indices().nth(hidden).map_or("", |(at, _)| text.get(at..).unwrap_or_default());
            out.extend_from_slice(rest.as_bytes());
        }
        Err(_) => {
            let hidden = hidden(value.len(), keep);
            out.extend(std::iter::repeat_n(b'*', hidden));
            out.extend_from_slice(value.get(hidden..).unwrap_or_default());
        }
    });
}

/// A value that is no longer than what would be kept is hidden whole.
const fn hidden(len: usize, keep: usize) -> usize {
    if len > keep { len - keep } else { len }
}
