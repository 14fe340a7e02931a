//! Tables in which nothing identifies a row: change by change, in order.

use crate::literal::{push_row, push_value};
use crate::table::Table;
use tg_sql_common::{Kept, Limits, Packer, RowRef};
use tgr1::{FormatError, Image, Op};
use tidegate_sdk::sql::Blocks;

/// Appends one statement a change; inserts that follow one another share one.
///
/// A repeated change cannot be told from a new equal row here; `REPLACE` (in safe mode) helps where a unique
/// key with NULLs exists.
pub(crate) fn write_keyless(
    table: &Table,
    rows: &[RowRef],
    kept: &Kept,
    safe: bool,
    limits: Limits,
    out: &mut Blocks,
) -> Result<(), FormatError> {
    let head = if safe { &table.replace_head } else { &table.insert_head };
    let mut inserts = Packer::new(head, b"", limits.rows, limits.bytes);
    for row in rows.iter().filter_map(|at| kept.get(*at)) {
        match (row.op(), row.before(), row.after()) {
            (Op::Insert, _, Some(after)) => inserts.item(out, |buf| push_row(buf, &after, &table.written))?,
            (Op::Update, Some(before), Some(after)) if safe => {
                inserts.end(out);
                delete(table, &before, out)?;
                inserts.item(out, |buf| push_row(buf, &after, &table.written))?;
            }
            (Op::Update, Some(before), Some(after)) => {
                inserts.end(out);
                update(table, &before, &after, out)?;
            }
            (Op::Delete, Some(before), _) => {
                inserts.end(out);
                delete(table, &before, out)?;
            }
            _ => {}
        }
    }
    inserts.end(out);
    Ok(())
}

fn delete(table: &Table, before: &Image<'_>, out: &mut Blocks) -> Result<(), FormatError> {
    let buf = out.buffer();
    buf.extend_from_slice(b"DELETE FROM ");
    buf.extend_from_slice(table.name.as_bytes());
    push_where(table, before, buf)?;
    out.end();
    Ok(())
}

fn update(table: &Table, before: &Image<'_>, after: &Image<'_>, out: &mut Blocks) -> Result<(), FormatError> {
    let buf = out.buffer();
    buf.extend_from_slice(b"UPDATE ");
    buf.extend_from_slice(table.name.as_bytes());
    for (i, m) in table.matched.iter().enumerate() {
        buf.extend_from_slice(if i == 0 { b" SET " } else { b"," });
        buf.extend_from_slice(&m.assign);
        push_value(buf, after, m.column.at, m.column.literal)?;
    }
    push_where(table, before, buf)?;
    out.end();
    Ok(())
}

fn push_where(table: &Table, image: &Image<'_>, buf: &mut Vec<u8>) -> Result<(), FormatError> {
    for (i, m) in table.matched.iter().enumerate() {
        buf.extend_from_slice(if i == 0 { b" WHERE " } else { b" AND " });
        buf.extend_from_slice(&m.left);
        let cast = m.json && !image.is_null(m.column.at);
        if cast {
            buf.extend_from_slice(b"CAST(");
        }
        push_value(buf, image, m.column.at, m.column.literal)?;
        if cast {
            buf.extend_from_slice(b" AS JSON)");
        }
    }
    buf.extend_from_slice(b" LIMIT 1");
    Ok(())
}
