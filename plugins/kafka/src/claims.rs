//! Messages that are too large for a topic lie in a storage; a message with the key and the place stands in for them.

use crate::retention::Mark;
use std::sync::{Arc, Mutex, PoisonError};
use tg_format_common::{Locate, Messages};
use tgr1::Row;
use tidegate_sdk::Failure;
use tidegate_sdk::object_store::{Bucket, PutMode};

/// First value of FNV-1a, and what it multiplies by.
const FNV: (u64, u64) = (0xcbf2_9ce4_8422_2325, 0x0000_0100_0000_01b3);

/// Hash of some bytes.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    let (first, by) = FNV;
    bytes.iter().fold(first, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(by))
}

/// The row that is being encoded.
#[derive(Clone, Default)]
struct Current(Arc<Mutex<(u64, Vec<u8>)>>);

impl Current {
    fn set(&self, row: &Row<'_>) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        current.0 = row.commit_ts();
        current.1.clear();
        current.1.extend_from_slice(row.as_bytes());
    }

    /// Names a file. The same row has the same name whenever it is sent, so that what is written again replaces what was there.
    fn name(&self, mark: &str) -> String {
        let current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{:020}-{:016x}{mark}.json", current.0, fnv(&current.1))
    }
}

/// Where large messages go.
pub(crate) struct Claims {
    pub(crate) bucket: Bucket,
    current: Current,
    /// Stands in the names of files, if they are to be found again.
    mark: String,
}

impl Claims {
    /// Opens the storage. `mark`: stands in the names of files.
    pub(crate) fn open(endpoint: &str, mark: Option<Mark>) -> Result<Self, Failure> {
        let mark = mark.map_or_else(String::new, Mark::text);
        Ok(Self { bucket: Bucket::open(endpoint)?, current: Current::default(), mark })
    }

    /// Names the files of the encoder.
    pub(crate) fn locate(&self) -> Locate {
        let (current, mark) = (self.current.clone(), self.mark.clone());
        Box::new(move || current.name(&mark))
    }

    /// This row is encoded next.
    pub(crate) fn row(&self, row: &Row<'_>) {
        self.current.set(row);
    }

    /// Stores the large ones, before anything of them is sent.
    pub(crate) fn store(&self, made: &Messages) -> Result<(), Failure> {
        for claim in &made.claims {
            let put = self.bucket.put(&claim.file, &claim.content, &PutMode::Overwrite);
            put.map_err(|e| Failure::from(e).context(&format!("storing the large message {}", claim.file)))?;
        }
        Ok(())
    }
}
