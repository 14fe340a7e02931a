//! What was sent and is not acknowledged: sent again, from the first message on, after trouble.

use crate::fault::{Fault, FaultKind};
use bytes::Bytes;
use tg_plugin::grant::Messages;

/// Bytes a lane may send between two flushes.
pub(crate) const KEPT_BYTES_MAX: usize = 256 << 20;
/// What a broker takes a message to cost above key and value, in bytes.
const OVERHEAD_BYTES: usize = 36;

/// Messages in the order they were sent.
#[derive(Default)]
pub(crate) struct Kept {
    calls: Vec<Messages>,
    bytes: usize,
}

impl Kept {
    /// Keeps the messages of a call.
    pub(crate) fn push(&mut self, messages: Messages) {
        self.bytes += size(&messages);
        self.calls.push(messages);
    }

    /// Whether these may be kept too.
    pub(crate) fn has_room_for(&self, messages: &Messages) -> Result<(), Fault> {
        let bytes = self.bytes + size(messages);
        if bytes <= KEPT_BYTES_MAX {
            return Ok(());
        }
        let reason = format!("{bytes} bytes between two flushes; at most {KEPT_BYTES_MAX}");
        Err(Fault::new(FaultKind::TooLarge, "keeping messages until they are acknowledged", reason))
    }

    pub(crate) fn calls(&self) -> &[Messages] {
        &self.calls
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.calls.clear();
        self.bytes = 0;
    }
}

fn size(m: &Messages) -> usize {
    let headers: usize = m.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    m.values.data.len() + m.keys.as_ref().map_or(0, |k| k.data.len()) + headers * m.len()
}

/// One message of a call.
pub(crate) struct One<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: Option<u32>,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
}

impl One<'_> {
    /// Size as `max-message-bytes` counts it, without headers.
    pub(crate) fn weight(&self) -> usize {
        self.key.as_ref().map_or(0, Bytes::len) + self.value.as_ref().map_or(0, Bytes::len) + OVERHEAD_BYTES
    }
}

/// The messages of a call in order. Without any values they are tombstones.
pub(crate) fn each(m: &Messages) -> impl Iterator<Item = One<'_>> {
    (0..m.len()).map(|i| One {
        topic: m.topics.get(m.topic_of.get(i).map_or(0, |t| usize::from(*t))).map_or("", String::as_str),
        partition: m.partitions.get(i).copied(),
        key: m.keys.as_ref().map(|k| k.get(i)),
        value: (!m.values.is_empty()).then(|| m.values.get(i)),
    })
}

#[cfg(test)]
mod tests {
    use super::{Kept, each};
    use tg_plugin::grant::{Messages, Strings};

    fn strings(text: &'static str, ends: &[u32]) -> Strings {
        Strings { data: text.into(), ends: ends.to_vec() }
    }

    #[test]
    fn tombstones_have_keys_only() {
        let m = Messages { topics: vec!["t".into()], keys: Some(strings("ab", &[1, 2])), ..Messages::default() };
        let all: Vec<_> = each(&m).map(|one| (one.weight(), one.key, one.value)).collect();
        assert_eq!(all, [(37, Some("a".into()), None), (37, Some("b".into()), None)]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut kept = Kept::default();
        let big = Messages {
            topics: vec!["t".into()],
            values: Strings { data: vec![0; 200 << 20].into(), ends: vec![200 << 20] },
            ..Messages::default()
        };
        assert!(kept.has_room_for(&big).is_ok());
        kept.push(big.clone());
        assert!(kept.has_room_for(&big).is_err());
        kept.clear();
        assert!(kept.is_empty() && kept.has_room_for(&big).is_ok());
    }
}
