//! Changes to messages.

use crate::VERSION;
use tg_format_common::{Message, Messages};

/// Bytes of a length.
const LEN_BYTES: usize = 8;

/// Appends a message of one change.
pub(crate) fn single(out: &mut Messages, key: &[u8], value: &[u8]) {
    let start = out.begin();
    out.buf().extend_from_slice(&VERSION.to_be_bytes());
    framed(out.buf(), key);
    out.end_key();
    framed(out.buf(), value);
    out.finish(start, 0);
}

fn framed(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// What a message may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Changes.
    pub(crate) rows: u32,
    /// Bytes, if there are several changes.
    pub(crate) bytes: usize,
    /// Bytes of each change beside key and value.
    pub(crate) beside: usize,
}

/// Appends messages of the changes with these numbers, as few as the limits allow.
pub(crate) fn pack(events: &Messages, numbers: &[u32], limits: Limits, out: &mut Messages) {
    let all: Vec<Message<'_>> = numbers.iter().filter_map(|n| events.get(*n as usize)).collect();
    let mut rest = all.as_slice();
    while !rest.is_empty() {
        let (group, tail) = rest.split_at(fitting(rest, limits));
        rest = tail;
        let start = out.begin();
        out.buf().extend_from_slice(&VERSION.to_be_bytes());
        group.iter().for_each(|event| framed(out.buf(), event.key.unwrap_or_default()));
        out.end_key();
        group.iter().for_each(|event| framed(out.buf(), event.value.unwrap_or_default()));
        out.finish(start, group.len() as u32);
    }
}

/// How many of the first changes fit into one message; at least one.
fn fitting(events: &[Message<'_>], limits: Limits) -> usize {
    let mut bytes = LEN_BYTES + Message::OVERHEAD_BYTES;
    let mut count = 0;
    for event in events.iter().take(limits.rows.max(1) as usize) {
        bytes += event.weight() - Message::OVERHEAD_BYTES + 2 * LEN_BYTES + limits.beside;
        if count > 0 && bytes > limits.bytes {
            break;
        }
        count += 1;
    }
    count.max(1)
}
