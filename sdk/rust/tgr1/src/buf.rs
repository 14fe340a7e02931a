//! A batch that owns its bytes.

use crate::bytes::put;
use crate::layout::row;
use crate::reader::Layout;
use crate::{Batch, FormatError};
use std::sync::Arc;

/// Where a row goes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Route {
    /// Partition of the target.
    pub partition: u32,
    /// Index in the dispatcher's targets.
    pub target: u16,
    /// Lane; [`crate::LANE_DROP`]: leave the row out.
    pub lane: u16,
}

/// A checked batch that owns its bytes and lets rows be routed in place.
///
/// A clone shares the bytes; they are copied only when one of the two is changed while the other lives.
#[derive(Clone, Debug)]
pub struct BatchBuf {
    data: Arc<Vec<u8>>,
    layout: Layout,
}

impl BatchBuf {
    /// Checks the bytes as [`Batch::parse`] does.
    ///
    /// # Errors
    /// When they are not a batch.
    pub fn new(data: Vec<u8>) -> Result<Self, FormatError> {
        let layout = Batch::parse(&data)?.layout();
        Ok(Self { data: Arc::new(data), layout })
    }

    /// The batch, without checking again.
    #[must_use]
    pub fn batch(&self) -> Batch<'_> {
        Batch::from_checked(&self.data, self.layout)
    }

    /// Rows in the batch.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.layout.rows
    }

    /// Whether there are no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.layout.rows == 0
    }

    /// Size in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.data.len()
    }

    /// Notes where a row goes; false when there is no such row.
    pub fn set_route(&mut self, i: usize, route: Route) -> bool {
        let Some(at) = self.row_at(i) else {
            return false;
        };
        let data = Arc::make_mut(&mut self.data);
        put(data, at + row::PARTITION, &route.partition.to_le_bytes());
        put(data, at + row::TARGET, &route.target.to_le_bytes());
        put(data, at + row::LANE, &route.lane.to_le_bytes());
        true
    }

    /// Replaces the flags of a row ([`crate::row_flags`]); false when there is no such row.
    pub fn set_row_flags(&mut self, i: usize, flags: u16) -> bool {
        let Some(at) = self.row_at(i) else {
            return false;
        };
        let data = Arc::make_mut(&mut self.data);
        put(data, at + row::FLAGS, &flags.to_le_bytes());
        true
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.data
    }

    /// Gives the bytes away; copies them when a clone lives.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        Arc::unwrap_or_clone(self.data)
    }

    fn row_at(&self, i: usize) -> Option<usize> {
        (i < self.layout.rows).then(|| crate::bytes::u32_at(&self.data, self.layout.index_at + i * 4) as usize)
    }
}
