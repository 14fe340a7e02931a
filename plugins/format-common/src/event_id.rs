//! Ids of changes: the same whenever a change is written, for consumers who leave out what they have seen.
//!
//! An id is made of what the upstream says about a change and of nothing that belongs to a run: where batches are cut, which lane
//! or node writes, and when, does not matter. A transaction changes a key at most once in each of the three ways, so that the
//! way tells changes of one key apart.

use crate::{EncodeError, Table, value};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use tgr1::{Op, Row, Value};
use tidegate_sdk::DdlEvent;

/// Most bytes of a row's id.
pub const EVENT_ID_BYTES_MAX: usize = 97;
/// Bytes of the digest of a key that are kept.
const DIGEST_BYTES: usize = 16;

/// Appends the id of a row: commit-ts, start-ts, number of the table, `i`, `u` or `d`, and a digest of the values of its key, joined
/// by `-`. Nothing for a table without a key: two rows of it may be equal in everything.
///
/// # Errors
/// When the batch is damaged.
pub fn row_id(out: &mut String, table: &Table, row: &Row<'_>) -> Result<(), EncodeError> {
    let Some(image) = row.current().filter(|_| !table.handle.is_empty()) else { return Ok(()) };
    let commit_ts = row.commit_ts();
    let mut digest = Sha256::new();
    for column in table.handle.iter().filter_map(|i| table.columns.get(*i)) {
        add(&mut digest, value::get(table, column, &image, commit_ts)?);
    }
    let way = match row.op() {
        Op::Insert => 'i',
        Op::Update => 'u',
        Op::Delete => 'd',
    };
    // Writing to a String cannot fail.
    let _ = write!(out, "{commit_ts}-{}-{}-{way}-", row.start_ts(), table.schema.id.table);
    for byte in digest.finalize().iter().take(DIGEST_BYTES) {
        let _ = write!(out, "{byte:02x}");
    }
    Ok(())
}

/// Appends the id of a statement: commit-ts, `ddl`, and the number of the statement among those of its job.
pub fn ddl_id(out: &mut String, ddl: &DdlEvent) {
    let seq = ddl.attrs.iter().find(|(name, _)| name == "seq").map_or("0", |(_, seq)| seq.as_str());
    let _ = write!(out, "{}-ddl-{seq}", ddl.at.ts);
}

/// Every value has a beginning that tells its kind, and its length where that is open, so that no two keys read the same.
fn add(digest: &mut Sha256, value: Value<'_>) {
    let mut number = |kind: u8, bytes: [u8; 8]| {
        digest.update([kind]);
        digest.update(bytes);
    };
    match value {
        Value::Null => digest.update([0]),
        Value::Int(n) => number(1, n.to_le_bytes()),
        Value::UInt(n) => number(2, n.to_le_bytes()),
        Value::Float(n) => number(3, n.to_bits().to_le_bytes()),
        Value::Bytes(bytes) => {
            number(4, (bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        }
    }
}
