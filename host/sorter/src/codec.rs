//! Form of spilled changes. Private to one run of the process, so it may change at will.
//!
//! Key, big-endian: sorter u64, commit-ts u64, table u64 (sign bit flipped), start-ts u64, op u8, row key.
//! Value: span u64, length of the new value u64, new value, old value.
//! Byte order of keys is release order. One sorter's spans share a prefix, so that one scan merges them.

use crate::SorterError;
use crate::entry::Order;
use bytes::Bytes;
use tg_model::{ChangeOp, RawChange, SpanId, TableId, Ts};

/// Bytes of a key before the row key.
const KEY_HEAD_BYTES: usize = 33;
/// Bytes of a value before the new value.
const VALUE_HEAD_BYTES: usize = 16;
const SIGN: u64 = 1 << 63;

/// What a change takes on disk, uncompressed.
pub(crate) fn record_bytes(c: &RawChange) -> u64 {
    (KEY_HEAD_BYTES + VALUE_HEAD_BYTES + c.key.len() + c.value.len() + c.old_value.len()) as u64
}

/// The lowest key of a sorter at a timestamp.
pub(crate) fn bound(sorter: u64, ts: Ts) -> Vec<u8> {
    [sorter.to_be_bytes(), ts.get().to_be_bytes()].concat()
}

/// The first key behind a sorter's timestamp `ts`.
pub(crate) fn bound_after(sorter: u64, ts: Ts) -> Vec<u8> {
    if ts == Ts::MAX { (sorter + 1).to_be_bytes().to_vec() } else { bound(sorter, ts.next()) }
}

/// Writes the key of a change over `to`.
pub(crate) fn key(sorter: u64, order: Order<'_>, to: &mut Vec<u8>) {
    to.clear();
    to.extend_from_slice(&sorter.to_be_bytes());
    to.extend_from_slice(&order.commit_ts.get().to_be_bytes());
    to.extend_from_slice(&(order.table.0.cast_unsigned() ^ SIGN).to_be_bytes());
    to.extend_from_slice(&order.start_ts.get().to_be_bytes());
    to.push(order.op as u8);
    to.extend_from_slice(order.key);
}

/// Writes the value of a change over `to`.
pub(crate) fn value(span: SpanId, c: &RawChange, to: &mut Vec<u8>) {
    to.clear();
    to.extend_from_slice(&span.0.to_be_bytes());
    to.extend_from_slice(&(c.value.len() as u64).to_be_bytes());
    to.extend_from_slice(&c.value);
    to.extend_from_slice(&c.old_value);
}

/// A record whose byte strings lie in a page that is still being filled.
#[derive(Debug)]
pub(crate) struct Record {
    span: SpanId,
    table: TableId,
    commit_ts: Ts,
    start_ts: Ts,
    op: ChangeOp,
    /// Ends of key, new value and old value in the page; the key begins at `from`.
    from: usize,
    ends: [usize; 3],
}

/// Reads a record, copying its byte strings to the end of `page`.
pub(crate) fn record(key: &[u8], value: &[u8], page: &mut Vec<u8>) -> Result<Record, SorterError> {
    let parts = || {
        let word = |b: &[u8], at: usize| b.get(at..)?.first_chunk::<8>().map(|w| u64::from_be_bytes(*w));
        let op = match key.get(KEY_HEAD_BYTES - 1)? {
            0 => ChangeOp::Delete,
            1 => ChangeOp::Update,
            2 => ChangeOp::Insert,
            _ => return None,
        };
        let table = TableId((word(key, 16)? ^ SIGN).cast_signed());
        let row = key.get(KEY_HEAD_BYTES..)?;
        let len = usize::try_from(word(value, 8)?).ok()?;
        let (new, old) = value.get(VALUE_HEAD_BYTES..)?.split_at_checked(len)?;
        Some((SpanId(word(value, 0)?), table, Ts::new(word(key, 8)?), Ts::new(word(key, 24)?), op, [row, new, old]))
    };
    let Some((span, table, commit_ts, start_ts, op, strings)) = parts() else {
        let commit_ts = key.get(8..).and_then(|k| k.first_chunk::<8>()).map_or(0, |w| u64::from_be_bytes(*w));
        return Err(SorterError::Damaged { commit_ts, len_bytes: key.len() + value.len() });
    };
    let from = page.len();
    let ends = strings.map(|s| {
        page.extend_from_slice(s);
        page.len()
    });
    Ok(Record { span, table, commit_ts, start_ts, op, from, ends })
}

impl Record {
    /// The change, once its page is whole.
    pub(crate) fn change(&self, page: &Bytes) -> (SpanId, TableId, RawChange) {
        let [key_end, value_end, old_end] = self.ends;
        let change = RawChange {
            commit_ts: self.commit_ts,
            start_ts: self.start_ts,
            op: self.op,
            key: page.slice(self.from..key_end),
            value: page.slice(key_end..value_end),
            old_value: page.slice(value_end..old_end),
        };
        (self.span, self.table, change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change() -> impl Strategy<Value = (i64, RawChange)> {
        let bytes = |max| proptest::collection::vec(any::<u8>(), 0..max).prop_map(Bytes::from);
        let op = prop_oneof![Just(ChangeOp::Delete), Just(ChangeOp::Update), Just(ChangeOp::Insert)];
        (any::<i64>(), any::<u64>(), any::<u64>(), op, bytes(6), bytes(20), bytes(20)).prop_map(
            |(table, commit, start, op, key, value, old_value)| {
                let (commit_ts, start_ts) = (Ts::new(commit), Ts::new(start));
                (table, RawChange { commit_ts, start_ts, op, key, value, old_value })
            },
        )
    }

    fn encoded(table: i64, c: &RawChange) -> Vec<u8> {
        let mut out = Vec::new();
        key(7, Order::of(TableId(table), c), &mut out);
        out
    }

    proptest! {
        #[test]
        fn records_survive_and_bytes_order_as_changes(a in change(), b in change()) {
            let mut v = Vec::new();
            value(SpanId(3), &a.1, &mut v);
            let mut page = b"before".to_vec();
            let k = encoded(a.0, &a.1);
            prop_assert_eq!(record_bytes(&a.1), (k.len() + v.len()) as u64);
            let record = record(&k, &v, &mut page).unwrap();
            prop_assert_eq!(record.change(&page.into()), (SpanId(3), TableId(a.0), a.1.clone()));
            let (left, right) = (Order::of(TableId(a.0), &a.1), Order::of(TableId(b.0), &b.1));
            prop_assert_eq!(left.cmp(&right), k.cmp(&encoded(b.0, &b.1)));
        }

        #[test]
        fn damaged_records_are_named(cut in 0usize..48) {
            let c = RawChange { commit_ts: Ts::new(5), value: Bytes::from_static(b"v"), ..crate::batch::blank() };
            let mut v = Vec::new();
            value(SpanId(3), &c, &mut v);
            let k = encoded(1, &c);
            let (k, v) = if cut < k.len() { (&k[..cut], &v[..]) } else { (&k[..], &v[..cut - k.len()]) };
            let damaged = matches!(record(k, v, &mut Vec::new()), Err(SorterError::Damaged { .. }));
            prop_assert!(damaged);
        }
    }
}
