//! What people have set of how work is scheduled.
//!
//! Key, below the prefix of the cluster: `schedule`.

use crate::record::{decode, encode};
use crate::{ChangefeedStore, Compare, MetaError, Op, Revision};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How work is scheduled, as far as it differs from what is usual.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScheduleRecord {
    /// Limits by name; those that are not here have their defaults.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, u64>,
    /// Fields of later versions, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ChangefeedStore {
    /// What was set, and the revision to give to [`Self::set_schedule`]; zero: nothing was.
    ///
    /// # Errors
    /// [`MetaError::BadRecord`], [`MetaError::NewerFormat`], and those of the store.
    pub async fn schedule(&self) -> Result<(ScheduleRecord, Revision), MetaError> {
        let key = self.key("schedule");
        match self.get(&key).await? {
            Some(kv) => Ok((decode(&key, &kv.value)?, kv.mod_rev)),
            None => Ok((ScheduleRecord::default(), 0)),
        }
    }

    /// Sets it, if it is still as read at `seen`.
    ///
    /// # Errors
    /// [`MetaError::Conflict`], and those of the store.
    pub async fn set_schedule(&self, seen: Revision, record: &ScheduleRecord) -> Result<(), MetaError> {
        let key = self.key("schedule");
        let was = if seen == 0 { Compare::Absent(key.clone()) } else { Compare::ModRev(key.clone(), seen) };
        let put = Op::put(key.clone(), encode(&key, record)?);
        let outcome = self.store().txn(vec![was], vec![put], Vec::new()).await?;
        if outcome.succeeded { Ok(()) } else { Err(MetaError::Conflict { key }) }
    }
}
