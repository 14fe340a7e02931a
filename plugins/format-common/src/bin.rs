//! Reading bytes that may be cut short.

use crate::DecodeError;

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(DecodeError::Short(what))?;
        self.0 = tail;
        Ok(head)
    }

    /// The next byte.
    ///
    /// # Errors
    /// When there is none.
    pub fn byte(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        let (first, tail) = self.0.split_first().ok_or(DecodeError::Short(what))?;
        self.0 = tail;
        Ok(*first)
    }

    /// The next fixed number of bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(DecodeError::Short(what))?;
        self.0 = tail;
        Ok(*head)
    }

    /// A big-endian length of eight bytes and as many bytes as it says.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn framed(&mut self, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let len = u64::from_be_bytes(self.array(what)?);
        self.take(usize::try_from(len).map_err(|_| DecodeError::Short(what))?, what)
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// When something is.
    pub const fn end(&self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::Trailing(self.0.len())) }
    }
}
