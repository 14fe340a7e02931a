//! Rows of change feeds, encoded by hand: written once into shared bytes, whoever reads them.
//!
//! A subscriber's event is a head of its own (region, request) and the shared body.

use super::mvcc::Op;
use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use prost::encoding::{encode_varint, encoded_len_varint};
use tg_proto::cdcpb;

/// Values up to this length travel with the COMMIT as well.
pub(crate) const SHORT_VALUE_MAX_LEN: usize = 255;
/// Rows are cut into events of about this size.
pub(crate) const EVENT_TARGET_BYTES: usize = 32 << 10;
/// Room made for an event.
const EVENT_CAPACITY_BYTES: usize = EVENT_TARGET_BYTES + (4 << 10);

const TAG_START_TS: u8 = 1 << 3;
const TAG_COMMIT_TS: u8 = 2 << 3;
const TAG_TYPE: u8 = 3 << 3;
const TAG_OP: u8 = 4 << 3;
const TAG_KEY: u8 = 5 << 3 | 2;
const TAG_VALUE: u8 = 6 << 3 | 2;
const TAG_OLD_VALUE: u8 = 7 << 3 | 2;
const TAG_TXN_SOURCE: u8 = 9 << 3;
/// `entries` in Entries; `events` in ChangeDataEvent.
const TAG_FIRST_MESSAGE: u8 = 1 << 3 | 2;
/// `region_id` in Event.
const TAG_REGION: u8 = 1 << 3;
/// `entries` in Event.
const TAG_ENTRIES: u8 = 3 << 3 | 2;
/// `request_id` in Event.
const TAG_REQUEST: u8 = 7 << 3;

/// One row to send.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) kind: cdcpb::LogType,
    pub(crate) start_ts: u64,
    pub(crate) commit_ts: u64,
    pub(crate) op: cdcpb::OpType,
    pub(crate) key: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) old_value: &'a [u8],
    pub(crate) txn_source: u64,
}

impl Row<'_> {
    fn len(&self) -> usize {
        let number = |v: u64| if v == 0 { 0 } else { 1 + encoded_len_varint(v) };
        let bytes = |b: &[u8]| {
            if b.is_empty() { 0 } else { 1 + encoded_len_varint(b.len() as u64) + b.len() }
        };
        number(self.start_ts)
            + number(self.commit_ts)
            + number(self.kind as u64)
            + number(self.op as u64)
            + number(self.txn_source)
            + bytes(self.key)
            + bytes(self.value)
            + bytes(self.old_value)
    }

    fn put(&self, out: &mut BytesMut) {
        put_number(out, TAG_START_TS, self.start_ts);
        put_number(out, TAG_COMMIT_TS, self.commit_ts);
        put_number(out, TAG_TYPE, self.kind as u64);
        put_number(out, TAG_OP, self.op as u64);
        put_bytes(out, TAG_KEY, self.key);
        put_bytes(out, TAG_VALUE, self.value);
        put_bytes(out, TAG_OLD_VALUE, self.old_value);
        put_number(out, TAG_TXN_SOURCE, self.txn_source);
    }
}

fn put_number(out: &mut BytesMut, tag: u8, v: u64) {
    if v != 0 {
        out.put_u8(tag);
        encode_varint(v, out);
    }
}

fn put_bytes(out: &mut BytesMut, tag: u8, b: &[u8]) {
    if !b.is_empty() {
        out.put_u8(tag);
        encode_varint(b.len() as u64, out);
        out.put_slice(b);
    }
}

/// The wire's name of a change.
pub(crate) const fn op_type(op: Op) -> cdcpb::OpType {
    match op {
        Op::Put => cdcpb::OpType::Put,
        Op::Delete => cdcpb::OpType::Delete,
        Op::Lock | Op::Pessimistic => cdcpb::OpType::Unknown,
    }
}

/// Rows of one region being put together.
#[derive(Debug, Default)]
pub(crate) struct RowsBuf {
    body: BytesMut,
    low: Vec<u8>,
    high: Vec<u8>,
}

impl RowsBuf {
    pub(crate) fn push(&mut self, row: &Row<'_>) {
        if self.body.is_empty() {
            self.body.reserve(EVENT_CAPACITY_BYTES.min(row.len() * 8));
            self.low.clear();
            self.high.clear();
        }
        if !row.key.is_empty() {
            self.widen(row.key);
        }
        self.body.put_u8(TAG_FIRST_MESSAGE);
        encode_varint(row.len() as u64, &mut self.body);
        row.put(&mut self.body);
    }

    fn widen(&mut self, key: &[u8]) {
        if self.high.is_empty() || key > &self.high[..] {
            self.high.clear();
            self.high.extend_from_slice(key);
        }
        if self.low.is_empty() || key < &self.low[..] {
            self.low.clear();
            self.low.extend_from_slice(key);
        }
    }

    pub(crate) fn len_bytes(&self) -> usize {
        self.body.len()
    }

    /// Appends `other` when both are small, else takes it.
    pub(crate) fn merge_or_take(&mut self, other: &mut Self) -> Option<Rows> {
        if self.body.is_empty() || self.body.len() + other.body.len() > EVENT_TARGET_BYTES {
            return other.take();
        }
        if !other.body.is_empty() {
            self.widen(&other.low);
            self.widen(&other.high);
            self.body.extend_from_slice(&other.body);
            other.body.clear();
        }
        None
    }

    /// Takes what is there; `None` when there is nothing.
    pub(crate) fn take(&mut self) -> Option<Rows> {
        if self.body.is_empty() {
            return None;
        }
        let (low, high) = (std::mem::take(&mut self.low), std::mem::take(&mut self.high));
        Some(Rows { body: self.body.split().freeze(), low, high })
    }
}

/// Encoded rows: the fields of an Entries message, with the lowest and the highest key in it.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    body: Bytes,
    low: Vec<u8>,
    high: Vec<u8>,
}

impl Rows {
    /// The part in `[start, end)`; shares the bytes when that is all.
    pub(crate) fn within(&self, start: &[u8], end: &[u8]) -> Option<Bytes> {
        let inside = |key: &[u8]| key >= start && (end.is_empty() || key < end);
        if self.low.is_empty() || (inside(&self.low) && inside(&self.high)) {
            return Some(self.body.clone());
        }
        let mut entries = cdcpb::Entries::decode(self.body.clone()).ok()?;
        entries.entries.retain(|r| inside(&r.key));
        (!entries.entries.is_empty()).then(|| entries.encode_to_vec().into())
    }
}

/// The bytes in front of a shared body that make it an event of a message.
pub(crate) fn event_head(region: u64, request: u64, body_len: usize) -> Bytes {
    let mut inner = BytesMut::with_capacity(48);
    put_number(&mut inner, TAG_REGION, region);
    put_number(&mut inner, TAG_REQUEST, request);
    inner.put_u8(TAG_ENTRIES);
    encode_varint(body_len as u64, &mut inner);
    let mut head = BytesMut::with_capacity(inner.len() + 11);
    head.put_u8(TAG_FIRST_MESSAGE);
    encode_varint((inner.len() + body_len) as u64, &mut head);
    head.unsplit(inner);
    head.freeze()
}

/// An event as a field of a message.
pub(crate) fn event_field(event: cdcpb::Event) -> Bytes {
    cdcpb::ChangeDataEvent { events: vec![event], resolved_ts: None }.encode_to_vec().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(key: &'a [u8], value: &'a [u8]) -> Row<'a> {
        let (kind, op) = (cdcpb::LogType::Committed, cdcpb::OpType::Put);
        Row { kind, start_ts: 5, commit_ts: 700, op, key, value, old_value: b"old", txn_source: 1 }
    }

    #[test]
    fn hand_encoded_events_decode_as_messages() {
        let mut buf = RowsBuf::default();
        buf.push(&row(b"k1", &[7; 300]));
        buf.push(&row(b"k2", b""));
        let rows = buf.take().expect("two rows");
        let body = rows.within(b"k1", b"").expect("all rows");
        let mut message = event_head(9, 11, body.len()).to_vec();
        message.extend_from_slice(&body);
        let event = cdcpb::ChangeDataEvent::decode(&message[..]).expect("a message").events.remove(0);
        assert_eq!((event.region_id, event.request_id), (9, 11));
        let Some(cdcpb::event::Event::Entries(entries)) = event.event else { panic!("entries") };
        let first = &entries.entries[0];
        assert_eq!((first.start_ts, first.commit_ts, first.r#type, first.op_type), (5, 700, 4, 1));
        assert_eq!((&first.key[..], first.value.len(), &first.old_value[..]), (&b"k1"[..], 300, &b"old"[..]));
        assert_eq!((first.txn_source, entries.entries.len()), (1, 2));
    }

    #[test]
    fn a_narrower_subscriber_gets_its_part() {
        let mut buf = RowsBuf::default();
        for key in [b"a", b"b", b"c"] {
            buf.push(&row(key, b"v"));
        }
        let rows = buf.take().expect("three rows");
        let part = cdcpb::Entries::decode(rows.within(b"b", b"c").expect("one row")).expect("entries");
        assert_eq!(part.entries.len(), 1);
        assert_eq!(&part.entries[0].key[..], b"b");
        assert!(rows.within(b"x", b"z").is_none(), "nothing of it");
    }
}
