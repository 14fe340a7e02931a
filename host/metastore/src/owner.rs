//! The owner key: taking it, and making writes depend on it.

use crate::{ChangefeedStore, Compare, LeaseId, MetaError, Op, Revision};
use bytes::Bytes;

/// Times a compare-and-set is tried again when others write the same key.
const TRIES_MAX: usize = 16;

/// Proof of having been the owner: the revision that wrote the owner key. Writes that carry it are refused
/// once the key was written again or is gone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct OwnerRevision(pub Revision);

impl ChangefeedStore {
    fn owner_key(&self) -> String {
        self.key("owner")
    }

    pub(crate) fn owner_holds(&self, owner: OwnerRevision) -> Compare {
        Compare::ModRev(self.owner_key(), owner.0)
    }

    /// Becomes owner if there is none. `None`: there is one.
    ///
    /// # Errors
    /// Those of the store; [`MetaError::LeaseLost`] when the lease has ended.
    pub async fn take_owner(&self, capture: &str, lease: LeaseId) -> Result<Option<OwnerRevision>, MetaError> {
        let key = self.owner_key();
        let put = Op::Put { key: key.clone(), value: Bytes::copy_from_slice(capture.as_bytes()), lease };
        let outcome = self.store().txn(vec![Compare::Absent(key)], vec![put], Vec::new()).await?;
        Ok(outcome.succeeded.then_some(OwnerRevision(outcome.rev)))
    }

    /// Who is owner: what it gave as its capture, and its revision.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn owner(&self) -> Result<Option<(String, OwnerRevision)>, MetaError> {
        let found = self.get(&self.owner_key()).await?;
        Ok(found.map(|kv| (String::from_utf8_lossy(&kv.value).into_owned(), OwnerRevision(kv.mod_rev))))
    }

    /// Gives ownership up; nothing happens when it is lost already.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn resign(&self, owner: OwnerRevision) -> Result<(), MetaError> {
        let delete = Op::Delete(self.owner_key());
        self.store().txn(vec![self.owner_holds(owner)], vec![delete], Vec::new()).await.map(|_| ())
    }

    /// Reserves `count` span ids for good and returns the first.
    ///
    /// # Errors
    /// Those of the store; [`MetaError::Conflict`] when others reserve all the time.
    pub async fn reserve_span_ids(&self, count: u64) -> Result<u64, MetaError> {
        let key = self.key("ids/span_block");
        for _ in 0..TRIES_MAX {
            let found = self.get(&key).await?;
            let bad = |cause: &str| MetaError::BadRecord { key: key.clone(), cause: cause.to_owned() };
            let (compare, first) = match &found {
                None => (Compare::Absent(key.clone()), 1),
                Some(kv) => {
                    let text = std::str::from_utf8(&kv.value).map_err(|_| bad("it is no number"))?;
                    (Compare::ModRev(key.clone(), kv.mod_rev), text.parse::<u64>().map_err(|_| bad("it is no number"))?)
                }
            };
            let next = first.checked_add(count).ok_or_else(|| bad("all numbers are used up"))?;
            let put = Op::put(key.clone(), next.to_string());
            if self.store().txn(vec![compare], vec![put], Vec::new()).await?.succeeded {
                return Ok(first);
            }
        }
        Err(MetaError::Conflict { key })
    }
}
