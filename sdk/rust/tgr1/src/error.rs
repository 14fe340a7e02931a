//! What can be wrong with a batch.

/// Bytes that are not a TGR1 batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FormatError {
    /// The first four bytes are not `TGR1`.
    #[error("the bytes do not start with TGR1")]
    Magic,
    /// A part named here does not lie within the batch.
    #[error("the batch is cut short or its {0} points outside it")]
    Bounds(&'static str),
    /// A length or offset is not a multiple of 8, or below its minimum.
    #[error("the batch's {0} is not a valid length or offset")]
    Align(&'static str),
    /// A number that this version does not know.
    #[error("the batch holds an unknown {what}: {number}")]
    Unknown {
        /// What the number stands for.
        what: &'static str,
        /// The number.
        number: u32,
    },
    /// Asked for a column that images do not have.
    #[error("the batch has no column at schema position {0}")]
    NoColumn(u32),
    /// Asked for a row that the batch does not have.
    #[error("the batch has no row {0}")]
    NoRow(u32),
    /// The result would be larger than a batch may be.
    #[error("the rows do not fit into one batch of {} bytes", crate::BATCH_LIMIT_BYTES)]
    TooLarge,
}

/// The row was undone: with it the batch would be larger than [`crate::BATCH_LIMIT_BYTES`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the row does not fit into the batch: {row_bytes} bytes on top of {batch_bytes}")]
pub struct BatchFull {
    /// Size of the row that was undone.
    pub row_bytes: usize,
    /// Size of the batch without it.
    pub batch_bytes: usize,
}
