//! Limits of the scheduler, adjusted while it runs: the metadata keeps them, and whoever is owner obeys.

use super::{Cluster, ClusterError};
use crate::ServerError;
use std::collections::BTreeMap;
use tg_api::Limit as Shown;
use tg_cluster::{LIMITS, Limit, Limits};
use tg_config::did_you_mean;
use tg_metastore::{MetaError, ScheduleRecord};

/// Tries when others write them at the same time.
const TRIES_MAX: usize = 8;

impl Cluster {
    /// The limits as they are stored.
    pub(crate) async fn limits(&self) -> Result<Vec<Shown>, ServerError> {
        let (record, _) = self.store.schedule().await?;
        Ok(shown(limits_of(&record)))
    }

    /// Sets limits by name; `None` takes the default back. All of them or none.
    pub(crate) async fn set_limits(&self, wanted: &BTreeMap<String, Option<u64>>) -> Result<Vec<Shown>, ServerError> {
        let mut tries = 0;
        loop {
            let (mut record, seen) = self.store.schedule().await?;
            change(&mut record, wanted)?;
            tries += 1;
            match self.store.set_schedule(seen, &record).await {
                Ok(()) => return Ok(shown(limits_of(&record))),
                Err(MetaError::Conflict { .. }) if tries < TRIES_MAX => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}

/// What is stored means. What only a later version knows is passed over, and what is out of its range is brought into it.
pub(super) fn limits_of(record: &ScheduleRecord) -> Limits {
    let mut limits = Limits::default();
    for (name, value) in &record.limits {
        if let Some(limit) = Limit::named(name) {
            limit.set(&mut limits, *value);
        }
    }
    limits
}

fn change(record: &mut ScheduleRecord, wanted: &BTreeMap<String, Option<u64>>) -> Result<(), ClusterError> {
    for (name, value) in wanted {
        let limit = Limit::named(name).ok_or_else(|| unknown(name))?;
        match value {
            Some(value) if !limit.range.contains(value) => {
                let (least, most) = limit.range.into_inner();
                return Err(ClusterError::NoLimit { why: format!("`{name}` can be {least} to {most}, not {value}") });
            }
            Some(value) => _ = record.limits.insert(name.clone(), *value),
            None => _ = record.limits.remove(name),
        }
    }
    Ok(())
}

fn unknown(name: &str) -> ClusterError {
    let near = did_you_mean(name, LIMITS.iter().map(|l| l.name));
    let hint = near.map_or_else(String::new, |n| format!("; did you mean `{n}`?"));
    ClusterError::NoLimit { why: format!("there is no limit `{name}`{hint}") }
}

/// For people.
pub(super) fn shown(limits: Limits) -> Vec<Shown> {
    let one = |limit: Limit| Shown {
        name: limit.name.to_owned(),
        value: limit.of(limits),
        default: limit.of(Limits::default()),
        least: *limit.range.start(),
        most: *limit.range.end(),
        means: limit.what.to_owned(),
    };
    LIMITS.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(record: &mut ScheduleRecord, name: &str, value: Option<u64>) -> String {
        let wanted = [(name.to_owned(), value)].into();
        change(record, &wanted).map_or_else(|e| e.to_string(), |()| format!("{:?}", record.limits))
    }

    #[test]
    fn limits_are_set_by_name_and_taken_back() {
        let mut record = ScheduleRecord::default();
        record.limits.insert("of-a-later-version".to_owned(), 7);
        assert!(changed(&mut record, "moves", Some(8)).contains("\"moves\": 8"));
        assert_eq!(limits_of(&record), Limits { moves: 8, ..Limits::default() });
        let seen = shown(limits_of(&record));
        assert_eq!((seen.len(), seen[0].value, seen[0].default, seen[0].most), (LIMITS.len(), 8, 64, 10_000));
        changed(&mut record, "moves", None);
        assert_eq!(limits_of(&record), Limits::default());
        assert_eq!(record.limits.len(), 1, "what is not known here is kept");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let mut record = ScheduleRecord::default();
        assert!(changed(&mut record, "move", Some(8)).contains("no limit `move`; did you mean `moves`?"));
        assert!(changed(&mut record, "moves_per_nodes", Some(8)).contains("did you mean `moves-per-node`?"));
        assert!(changed(&mut record, "colour", Some(8)).ends_with("there is no limit `colour`"));
        assert!(changed(&mut record, "hot-percent", Some(99)).contains("100 to 10000, not 99"));
        assert!(changed(&mut record, "colour", None).contains("no limit"), "nor is there a default of it");
        assert!(record.limits.is_empty());
    }
}
