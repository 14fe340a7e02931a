//! Keys: record keys of tables and the keys of the meta data (`m` prefix).

use super::codec::{cmp_i64, memcomparable, put_memcomparable};
use bytes::Bytes;

/// Bytes before the handle in a record key: `t`, table id, `_r`.
pub const RECORD_PREFIX_LEN: usize = 11;
/// A common handle is padded to this length so that no key has the length of an integer one.
const COMMON_HANDLE_MIN_LEN: usize = 9;
/// Type letter of a string value in the meta key space.
const META_STRING: [u8; 8] = *b"\0\0\0\0\0\0\0s";
/// Type letter of a hash field in the meta key space.
const META_HASH: [u8; 8] = *b"\0\0\0\0\0\0\0h";

/// `t` and the table id: where the keys of a table begin.
#[must_use]
pub fn table_prefix(table: i64) -> Vec<u8> {
    let mut key = Vec::with_capacity(9);
    key.push(b't');
    key.extend_from_slice(&cmp_i64(table));
    key
}

/// The first raw key of a table's records.
#[must_use]
pub fn record_start(table: i64) -> Vec<u8> {
    let mut key = table_prefix(table);
    key.extend_from_slice(b"_r");
    key
}

/// The raw key just above a table's records.
#[must_use]
pub fn record_end(table: i64) -> Vec<u8> {
    let mut key = table_prefix(table);
    key.extend_from_slice(b"_s");
    key
}

/// The record key of an integer handle (or hidden row id).
#[must_use]
pub fn record_key(table: i64, handle: i64) -> Bytes {
    let mut key = Vec::with_capacity(RECORD_PREFIX_LEN + 8);
    key.push(b't');
    key.extend_from_slice(&cmp_i64(table));
    key.extend_from_slice(b"_r");
    key.extend_from_slice(&cmp_i64(handle));
    Bytes::from(key)
}

/// The record key of a common handle: `handle` holds the key-form datums of the key columns.
#[must_use]
pub fn record_key_common(table: i64, handle: &[u8]) -> Bytes {
    let mut key = record_start(table);
    key.reserve_exact(handle.len().max(COMMON_HANDLE_MIN_LEN));
    key.extend_from_slice(handle);
    key.resize(key.len().max(RECORD_PREFIX_LEN + COMMON_HANDLE_MIN_LEN), 0);
    Bytes::from(key)
}

/// The key of a string value in the meta data.
#[must_use]
pub fn meta_string(key: &str) -> Bytes {
    let mut out = vec![b'm'];
    put_memcomparable(&mut out, key.as_bytes());
    out.extend_from_slice(&META_STRING);
    Bytes::from(out)
}

/// The prefix of all fields of a hash in the meta data.
#[must_use]
pub fn meta_hash_prefix(key: &str) -> Vec<u8> {
    let mut out = vec![b'm'];
    put_memcomparable(&mut out, key.as_bytes());
    out.extend_from_slice(&META_HASH);
    out
}

/// The key of one field of a hash in the meta data.
#[must_use]
pub fn meta_hash(key: &str, field: &[u8]) -> Bytes {
    let mut out = meta_hash_prefix(key);
    put_memcomparable(&mut out, field);
    Bytes::from(out)
}

/// A raw key as PD and region boundaries have it; empty stays empty (no bound).
#[must_use]
pub fn region_key(raw: &[u8]) -> Bytes {
    if raw.is_empty() { Bytes::new() } else { Bytes::from(memcomparable(raw)) }
}
