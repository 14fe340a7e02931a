//! Record keys and memory-comparable bytes.

use super::int::{cmp_i64, take};
use super::{Fault, be_u64};
use tg_model::TableId;

/// Bytes in a group of the memory-comparable form; a marker byte follows each.
const GROUP: usize = 8;

/// The key of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordKey<'a> {
    /// Physical table (or partition).
    pub table: TableId,
    /// What names the row in it.
    pub handle: Handle<'a>,
    /// The bytes of the handle in the key.
    pub handle_bytes: &'a [u8],
}

/// What names a row within its physical table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handle<'a> {
    /// An integer: the primary key, or a hidden row id. Unsigned keys keep their bit pattern.
    Int(i64),
    /// The primary key's columns as key datums, perhaps padded with zero bytes.
    Common(&'a [u8]),
}

/// Decodes a raw record key (`t`, table id, `_r`, handle), without keyspace prefix.
///
/// # Errors
/// When it is no record key.
pub fn record_key(key: &[u8]) -> Result<RecordKey<'_>, Fault> {
    const NOT: Fault = Fault("the key is not a record key");
    let mut rest = key.strip_prefix(b"t").ok_or(NOT)?;
    let table = TableId(cmp_i64(&mut rest).map_err(|_| NOT)?);
    let handle_bytes = rest.strip_prefix(b"_r").ok_or(NOT)?;
    let mut rest = handle_bytes;
    let handle = match handle_bytes.len() {
        0..8 => return Err(Fault("the key's handle is too short")),
        8 => Handle::Int((be_u64(&mut rest)? ^ (1 << 63)).cast_signed()),
        _ => Handle::Common(handle_bytes),
    };
    Ok(RecordKey { table, handle, handle_bytes })
}

/// Cuts memory-comparable bytes off the front and appends what they stand for.
///
/// # Errors
/// When a group is cut short or its padding is not zero.
pub fn decode_bytes(input: &mut &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    loop {
        let (group, len, last) = group(input)?;
        out.extend_from_slice(group.get(..len).unwrap_or_default());
        if last {
            return Ok(());
        }
    }
}

/// Cuts memory-comparable bytes off the front and gives them back as they are.
pub(crate) fn skip_bytes<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let whole = *input;
    while !group(input)?.2 {}
    Ok(whole.get(..whole.len() - input.len()).unwrap_or_default())
}

/// One group, how many of its bytes count, and whether it is the last.
fn group<'a>(input: &mut &'a [u8]) -> Result<(&'a [u8], usize, bool), Fault> {
    let group = take(input, GROUP)?;
    let pad = usize::from(0xff - take(input, 1)?.first().copied().unwrap_or_default());
    let len = GROUP.checked_sub(pad).ok_or(Fault("encoded bytes have a wrong marker"))?;
    if group.iter().skip(len).any(|byte| *byte != 0) {
        return Err(Fault("encoded bytes have a wrong padding"));
    }
    Ok((group, len, pad != 0))
}
