//! Message queues that plugins may be granted.

use super::{EndpointError, LaneContext};
use bytes::Bytes;
use futures::future::BoxFuture;
use tg_model::Position;

/// Many strings in one buffer: item i is `data[ends[i-1]..ends[i]]`. Ends rise and lie within `data`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Strings {
    /// The strings, one behind the other.
    pub data: Bytes,
    /// Where each ends.
    pub ends: Vec<u32>,
}

impl Strings {
    /// Number of strings.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The string at `i`, without a copy; empty beyond the last.
    #[must_use]
    pub fn get(&self, i: usize) -> Bytes {
        let end = self.ends.get(i).map_or(0, |e| *e as usize);
        let start = i.checked_sub(1).and_then(|i| self.ends.get(i)).map_or(0, |e| *e as usize);
        if start <= end && end <= self.data.len() { self.data.slice(start..end) } else { Bytes::new() }
    }

    /// The strings in order, without copies.
    pub fn iter(&self) -> impl Iterator<Item = Bytes> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }
}

/// Messages of one call, checked: every list is empty (where that is allowed) or has one item a message, and topic numbers exist.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Messages {
    /// Names that `topic_of` counts.
    pub topics: Vec<String>,
    /// Topic of each message; empty: all go to topic 0.
    pub topic_of: Vec<u16>,
    /// Partition of each message; empty: by key.
    pub partitions: Vec<u32>,
    /// Key of each message; `None`: no keys.
    pub keys: Option<Strings>,
    /// Value of each message; none at all while there are keys: tombstones.
    pub values: Strings,
    /// The same for all messages.
    pub headers: Vec<(String, Bytes)>,
}

impl Messages {
    /// Number of messages.
    #[must_use]
    pub fn len(&self) -> usize {
        if self.values.is_empty() { self.keys.as_ref().map_or(0, Strings::len) } else { self.values.len() }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A message queue that plugins may open.
pub trait ProducerEndpoint: Send + Sync {
    /// Opens a producer for a lane. An endpoint that fences takes the lane here and reads its durable position.
    fn open(&self, lane: LaneContext) -> BoxFuture<'_, Result<Box<dyn Producer>, EndpointError>>;
}

/// One producer of one instance. The host never makes two calls at once. Dropping it forgets what was not flushed.
pub trait Producer: Send + Sync {
    /// The lane's durable position when it was opened; `None`: the endpoint keeps none, or nothing is written yet.
    fn durable_at_open(&self) -> Option<Position> {
        None
    }

    /// The lane's durable position now.
    fn durable(&mut self) -> BoxFuture<'_, Result<Option<Position>, EndpointError>> {
        Box::pin(async { Ok(None) })
    }

    /// Partitions of a topic; makes the topic where the operator allows it.
    fn partitions<'a>(&'a mut self, topic: &'a str) -> BoxFuture<'a, Result<u32, EndpointError>>;

    /// Largest message, key and headers included, that the topic takes.
    fn max_message_bytes<'a>(&'a mut self, topic: &'a str) -> BoxFuture<'a, Result<u32, EndpointError>>;

    /// Topics that any producer of the endpoint has asked for or sent to, in order.
    fn topics(&self) -> Vec<String> {
        Vec::new()
    }

    /// Takes the messages; waits only while too many bytes are in flight. What fails later is told by the next call.
    fn send(&mut self, messages: Messages) -> BoxFuture<'_, Result<(), EndpointError>>;

    /// Waits until everything sent is acknowledged. With `progress` (inside `flush` of the sink) a fencing endpoint commits
    /// the transaction together with the lane's position.
    fn flush(&mut self, progress: Option<Position>) -> BoxFuture<'_, Result<(), EndpointError>>;
}

#[cfg(test)]
mod tests {
    use super::Strings;

    #[test]
    fn strings_are_cut_at_their_ends_and_never_outside() {
        let s = Strings { data: b"abc".as_slice().into(), ends: vec![1, 1, 3] };
        assert_eq!(s.iter().collect::<Vec<_>>(), [b"a".as_slice(), b"", b"bc"]);
        assert!(s.get(3).is_empty());
        let broken = Strings { data: b"abc".as_slice().into(), ends: vec![9, 1] };
        assert!(broken.iter().all(|b| b.is_empty()));
    }
}
