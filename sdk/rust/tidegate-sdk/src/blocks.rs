//! Many strings in two lists, as they cross the border.

#[cfg(target_arch = "wasm32")]
mod raw {
    pub(crate) use crate::guest::base::tidegate::plugin::types::Blocks;
}
#[cfg(not(target_arch = "wasm32"))]
mod raw {
    #[derive(Clone, PartialEq, Eq)]
    pub(crate) struct Blocks {
        pub(crate) data: Vec<u8>,
        pub(crate) ends: Vec<u32>,
    }
}

/// Many strings, one behind the other in one buffer: statements of a transaction, keys or values of messages.
pub struct Blocks {
    pub(crate) raw: raw::Blocks,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { raw: raw::Blocks { data: Vec::new(), ends: Vec::new() } }
    }
}

impl Blocks {
    /// The buffer to write a string into; [`Blocks::end`] ends it.
    pub const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.raw.data
    }

    /// Ends the string in progress.
    ///
    /// # Panics
    /// Above 4 GiB, which no host accepts.
    pub fn end(&mut self) {
        let end = u32::try_from(self.raw.data.len());
        assert!(end.is_ok(), "the strings of one call are longer than 4 GiB");
        self.raw.ends.push(end.unwrap_or(u32::MAX));
    }

    /// Adds a whole string.
    pub fn push(&mut self, string: &[u8]) {
        self.raw.data.extend_from_slice(string);
        self.end();
    }

    /// Empties it and keeps the memory.
    pub fn clear(&mut self) {
        self.raw.data.clear();
        self.raw.ends.clear();
    }

    /// Number of ended strings.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.raw.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.raw.ends.is_empty()
    }

    /// Bytes of all of them.
    #[must_use]
    pub const fn len_bytes(&self) -> usize {
        self.raw.data.len()
    }

    /// The buffer and where each string in it ends.
    #[must_use]
    pub fn parts(&self) -> (&[u8], &[u32]) {
        (&self.raw.data, &self.raw.ends)
    }

    /// The ended strings.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.raw.ends.iter().map(move |end| {
            let s = self.raw.data.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            s
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Blocks;

    #[test]
    fn blocks_hold_their_statements_apart() {
        let mut blocks = Blocks::default();
        blocks.push(b"BEGIN");
        blocks.buffer().extend_from_slice(b"INSERT");
        blocks.end();
        blocks.push(b"");
        assert_eq!((blocks.len(), blocks.len_bytes()), (3, 11));
        assert_eq!(blocks.iter().collect::<Vec<_>>(), [&b"BEGIN"[..], b"INSERT", b""]);
        assert_eq!(blocks.parts().1, [5, 11, 11]);
        blocks.clear();
        assert!(blocks.is_empty());
    }
}
