//! Messages one after another in one buffer.

/// Where one message lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Item {
    start: usize,
    key_end: usize,
    end: usize,
    has_key: bool,
    has_value: bool,
    rows: u32,
}

/// A message that is being written: where it began.
#[derive(Clone, Copy, Debug)]
pub struct Start(usize);

/// One message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// Key; `None`: there is none.
    pub key: Option<&'a [u8]>,
    /// Value; `None`: a tombstone.
    pub value: Option<&'a [u8]>,
    /// Rows in it.
    pub rows: u32,
}

impl Message<'_> {
    /// What a broker takes a message to cost above key and value.
    pub const OVERHEAD_BYTES: usize = 36;

    /// Size as `max-message-bytes` counts it.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len) + Self::OVERHEAD_BYTES
    }
}

/// A whole message that was too large and is to be stored elsewhere, at the place its stand-in names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Index of the stand-in.
    pub message: usize,
    /// Name of the file below the claim-check storage.
    pub file: String,
    /// What the file holds.
    pub content: Vec<u8>,
}

/// Messages in one buffer, in the order they were made. Kept and cleared, so that its memory is reused.
#[derive(Clone, Default, Debug)]
pub struct Messages {
    data: Vec<u8>,
    items: Vec<Item>,
    key_end: Option<usize>,
    /// Large messages that go elsewhere.
    pub claims: Vec<Claim>,
    /// Id of the change that is encoded next, for formats that have room for it; empty: messages hold none.
    pub event_id: String,
}

impl Messages {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Drops everything and keeps the memory.
    pub fn clear(&mut self) {
        self.data.clear();
        self.items.clear();
        self.claims.clear();
        self.event_id.clear();
        self.key_end = None;
    }

    /// Messages.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Bytes of all keys and values.
    #[must_use]
    pub const fn len_bytes(&self) -> usize {
        self.data.len()
    }

    /// One message.
    #[must_use]
    pub fn get(&self, i: usize) -> Option<Message<'_>> {
        let item = self.items.get(i)?;
        let key = self.data.get(item.start..item.key_end)?;
        let value = self.data.get(item.key_end..item.end)?;
        Some(Message { key: item.has_key.then_some(key), value: item.has_value.then_some(value), rows: item.rows })
    }

    /// All messages.
    pub fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        (0..self.len()).filter_map(|i| self.get(i))
    }

    /// Starts a message: what is appended to [`buf`](Self::buf) from here on is its key or value.
    pub fn begin(&mut self) -> Start {
        self.key_end = None;
        Start(self.data.len())
    }

    /// Where to append.
    #[inline]
    pub const fn buf(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }

    /// What was appended since the start was the key; the value follows.
    pub fn end_key(&mut self) {
        self.key_end = Some(self.data.len());
    }

    /// Bytes since the start.
    #[must_use]
    pub const fn since(&self, start: Start) -> usize {
        self.data.len() - start.0
    }

    /// The key and value appended since the start.
    #[must_use]
    pub fn open(&self, start: Start) -> (&[u8], &[u8]) {
        let at = self.key_end.unwrap_or(start.0);
        (self.data.get(start.0..at).unwrap_or_default(), self.data.get(at..).unwrap_or_default())
    }

    /// Completes a message. Without a call of [`end_key`](Self::end_key) it has no key.
    pub fn finish(&mut self, start: Start, rows: u32) {
        self.finish_with(start, rows, true);
    }

    /// Completes a message without a value.
    pub fn finish_tombstone(&mut self, start: Start, rows: u32) {
        self.finish_with(start, rows, false);
    }

    fn finish_with(&mut self, start: Start, rows: u32, has_value: bool) {
        let key_end = self.key_end.take();
        self.items.push(Item {
            start: start.0,
            key_end: key_end.unwrap_or(start.0),
            end: self.data.len(),
            has_key: key_end.is_some(),
            has_value,
            rows,
        });
    }

    /// Undoes the message that is being written.
    pub fn abort(&mut self, start: Start) {
        self.data.truncate(start.0);
        self.key_end = None;
    }

    /// Puts another value behind a key of this length.
    pub fn replace_value(&mut self, start: Start, key_len: usize, value: &[u8]) {
        self.data.truncate(start.0 + key_len);
        self.data.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::Messages;

    #[test]
    fn keys_values_and_tombstones() {
        let mut out = Messages::new();
        let start = out.begin();
        out.buf().extend_from_slice(b"key");
        out.end_key();
        out.buf().extend_from_slice(b"value");
        out.finish(start, 1);
        let start = out.begin();
        out.buf().extend_from_slice(b"gone");
        out.abort(start);
        let start = out.begin();
        out.buf().extend_from_slice(b"k");
        out.end_key();
        out.finish_tombstone(start, 1);
        let start = out.begin();
        out.buf().extend_from_slice(b"only value");
        out.finish(start, 0);
        let all: Vec<_> = out.iter().map(|m| (m.key, m.value)).collect();
        let bytes = |text: &'static str| Some(text.as_bytes());
        assert_eq!(all, [(bytes("key"), bytes("value")), (bytes("k"), None), (None, bytes("only value"))]);
        assert_eq!(out.get(0).unwrap().weight(), 44);
    }
}
