//! What the metadata store keeps of a name.

use crate::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Format this version writes; it reads all up to it.
pub(crate) const FORMAT: u64 = 1;
/// Versions a name may have.
pub(crate) const VERSIONS_MAX: usize = 64;
/// Changes of the active version that are remembered.
const HISTORY_MAX: usize = 32;

/// Where a version came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Sent to the API.
    Push,
    /// Found in the plugin folder.
    Folder,
}

/// What made a version the active one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Its push.
    Push,
    /// Its file in the plugin folder.
    Folder,
    /// An activation.
    Activate,
    /// A rollback by a person.
    Rollback,
    /// A rollback by the node, because the next version failed.
    Failure,
}

/// A version of a plugin.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VersionRecord {
    /// Its name among the versions.
    pub version: String,
    /// Its bytes.
    pub digest: Digest,
    /// `sink`, `dispatcher` or `transform`.
    pub kind: String,
    /// How many bytes.
    pub size_bytes: u64,
    /// When it came, in Unix milliseconds.
    pub pushed_ms: u64,
    /// The node that took it, `host:port`.
    pub origin: String,
    /// Where it came from.
    pub source: Source,
    /// The key whose signature was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// Fields of later versions, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A change of the active version.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Activation {
    /// The version that became active.
    pub version: String,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// By what.
    pub by: By,
}

/// What a name means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Meaning {
    /// The bytes of its active version.
    pub digest: Digest,
    /// When it was last given a meaning, in Unix milliseconds.
    pub since_ms: u64,
}

/// A name with its versions.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PluginRecord {
    /// In the order they came.
    pub versions: Vec<VersionRecord>,
    /// Versions that were active, the present one last: what a rollback takes from.
    pub actives: Vec<String>,
    /// Changes of the active version, the last one last.
    pub history: Vec<Activation>,
    /// Fields of later versions, kept as they are.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl PluginRecord {
    /// The version that the bare name means.
    #[must_use]
    pub fn active(&self) -> Option<&VersionRecord> {
        self.version(self.actives.last()?)
    }

    /// What the bare name means, and since when: given the same version again later, it means something new.
    #[must_use]
    pub fn meaning(&self) -> Option<Meaning> {
        let since_ms = self.history.last().map_or(0, |a| a.at_ms);
        Some(Meaning { digest: self.active()?.digest, since_ms })
    }

    /// A version by its name.
    #[must_use]
    pub fn version(&self, version: &str) -> Option<&VersionRecord> {
        self.versions.iter().find(|v| v.version == version)
    }

    pub(crate) fn activate(&mut self, version: &str, at_ms: u64, by: By) {
        if self.actives.last().is_some_and(|v| v == version) {
            return;
        }
        self.actives.push(version.to_owned());
        self.remember(version, at_ms, by);
    }

    /// The version before the active one becomes active; its name.
    pub(crate) fn roll_back(&mut self, at_ms: u64, by: By) -> Option<String> {
        let before = self.actives.len().checked_sub(2).and_then(|i| self.actives.get(i)).cloned()?;
        self.actives.pop();
        self.remember(&before, at_ms, by);
        Some(before)
    }

    /// Takes a version out. When it was the active one, the one before it is.
    pub(crate) fn remove(&mut self, version: &str) {
        self.versions.retain(|v| v.version != version);
        self.actives.retain(|v| v != version);
        self.actives.dedup();
    }

    fn remember(&mut self, version: &str, at_ms: u64, by: By) {
        self.history.push(Activation { version: version.to_owned(), at_ms, by });
        let extra = self.history.len().saturating_sub(HISTORY_MAX);
        self.history.drain(..extra);
        let extra = self.actives.len().saturating_sub(HISTORY_MAX);
        self.actives.drain(..extra);
    }
}

#[cfg(test)]
mod tests {
    use super::{By, Meaning, PluginRecord, Source, VersionRecord};
    use crate::Digest;
    use serde_json::Map;

    #[test]
    fn rolling_back_goes_down_the_history_and_stops_at_its_end() {
        let mut record = PluginRecord::default();
        for v in ["1", "2", "3", "3"] {
            record.activate(v, 0, By::Push);
        }
        assert_eq!(record.roll_back(0, By::Rollback).as_deref(), Some("2"));
        record.activate("4", 0, By::Push);
        record.remove("2");
        assert_eq!(record.roll_back(0, By::Rollback).as_deref(), Some("1"), "a removed version is passed over");
        assert_eq!(record.roll_back(0, By::Rollback), None);
    }

    #[test]
    fn a_version_that_becomes_active_again_is_a_new_meaning() {
        let version = |version: &str, of: &[u8]| VersionRecord {
            version: version.to_owned(),
            digest: Digest::of(of),
            kind: "sink".to_owned(),
            size_bytes: 1,
            pushed_ms: 0,
            origin: "h:1".to_owned(),
            source: Source::Push,
            signer: None,
            other: Map::new(),
        };
        let mut record = PluginRecord { versions: vec![version("1", b"1"), version("2", b"2")], ..Default::default() };
        assert_eq!(record.meaning(), None);
        record.activate("1", 10, By::Push);
        record.activate("2", 20, By::Activate);
        assert_eq!(record.meaning(), Some(Meaning { digest: Digest::of(b"2"), since_ms: 20 }));
        record.roll_back(30, By::Failure);
        assert_eq!(record.meaning().unwrap().digest, Digest::of(b"1"));
        record.activate("2", 40, By::Activate);
        assert_eq!(record.meaning(), Some(Meaning { digest: Digest::of(b"2"), since_ms: 40 }));
    }

    /// A record as version 1 of the format has it.
    #[test]
    fn records_of_format_1_are_read() {
        let text = include_str!("../tests/fixtures/plugin-1.json");
        let record: PluginRecord = crate::catalog::decode("plugin/orders", text.as_bytes()).unwrap();
        assert_eq!(record.active().unwrap().version, "1.1.0");
        assert_eq!(record.versions.len(), 2);
        assert_eq!(record.other["later"], 1, "fields of later versions are kept");
        let again = crate::catalog::encode("plugin/orders", &record).unwrap();
        assert_eq!(crate::catalog::decode::<PluginRecord>("plugin/orders", &again).unwrap(), record);
    }
}
