//! Manifests: one small object after another that say which data files count, at `_tidegate/<changefeed>/…/<number>.manifest`.
//!
//! They are numbered without gaps and only ever created, never overwritten: whoever creates number n owns the lane at that moment.
//! Old ones are removed from the front; the newest stays.

use crate::names::to_segment;
use serde::{Deserialize, Serialize};
use tidegate_sdk::Position;

/// Everything that is not TiCDC's lies below this folder.
pub const FOLDER: &str = "_tidegate";
/// Layout that is written.
const VERSION: u32 = 1;
/// Extension; not one that readers of data files look at.
const EXTENSION: &str = "manifest";

/// What a manifest says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A writer begins; there are no `files`.
    Claim,
    /// These files, all since the last claim or commit, are about to be written. They do not count yet.
    Files,
    /// These files count, and with them the lane's position.
    Commit,
}

/// A data file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DataFile {
    /// Path below the prefix.
    pub path: String,
    /// Length.
    pub bytes: u64,
    /// CRC-32 (IEEE) of its content.
    pub crc32: u32,
    /// Rows in it.
    pub rows: u64,
}

/// One manifest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// What it says.
    pub kind: Kind,
    /// Fencing token of the writer.
    pub epoch: (u64, u64),
    /// Tells the writers of one epoch apart.
    pub writer: String,
    /// Every row of the lane up to here is in files that count.
    pub position: Position,
    /// See [`Kind`].
    pub files: Vec<DataFile>,
    /// Paths of files that writers before may have left, or may still be writing. They do not count and are removed, but for those
    /// among `files`.
    pub late: Vec<String>,
}

/// A manifest that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ManifestError {
    /// Written by a later version.
    #[error("it is of version {0}; this build reads up to {VERSION}")]
    Version(u32),
    /// Not a manifest.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    kind: Kind,
    epoch: (u64, u64),
    writer: String,
    /// (ts, stage, seq)
    position: (u64, u8, u64),
    files: Vec<DataFile>,
    late: Vec<String>,
}

impl Manifest {
    /// The text of the object.
    #[must_use]
    pub fn text(&self) -> String {
        let p = self.position;
        let stored = Stored {
            version: VERSION,
            kind: self.kind,
            epoch: self.epoch,
            writer: self.writer.clone(),
            position: (p.ts, p.stage, p.seq),
            files: self.files.clone(),
            late: self.late.clone(),
        };
        serde_json::to_string(&stored).unwrap_or_default()
    }

    /// Reads an object.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn parse(content: &[u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let damaged = |e: serde_json::Error| ManifestError::Damaged(e.to_string());
        let Versioned { version } = serde_json::from_slice(content).map_err(damaged)?;
        if version != VERSION {
            return Err(ManifestError::Version(version));
        }
        let stored: Stored = serde_json::from_slice(content).map_err(damaged)?;
        let (ts, stage, seq) = stored.position;
        Ok(Self {
            kind: stored.kind,
            epoch: stored.epoch,
            writer: stored.writer,
            position: Position { ts, stage, seq },
            files: stored.files,
            late: stored.late,
        })
    }

    /// Path of the manifest with this number in a lane's folder.
    #[must_use]
    pub fn path(folder: &str, number: u64) -> String {
        format!("{folder}{number:020}.{EXTENSION}")
    }

    /// The number of a path in a lane's folder; `None`: it is something else.
    #[must_use]
    pub fn number(folder: &str, path: &str) -> Option<u64> {
        path.strip_prefix(folder)?.strip_suffix(EXTENSION)?.strip_suffix('.')?.parse().ok()
    }
}

/// The folder of a lane's manifests, with a slash at the end. `incarnation` tells changefeeds of one name apart.
#[must_use]
pub fn lane_folder(changefeed: &str, incarnation: &str, lane: &str) -> String {
    let named: Vec<String> = changefeed.split('/').map(to_segment).collect();
    let incarnation = if incarnation.is_empty() { "-".to_owned() } else { to_segment(incarnation) };
    format!("{FOLDER}/{}/{incarnation}/{lane}/", named.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{DataFile, Kind, Manifest, ManifestError, lane_folder};
    use tidegate_sdk::Position;

    #[test]
    fn version_1_is_read_and_written() {
        let v1 = r#"{"version":1,"kind":"commit","epoch":[7,2],"writer":"a1","position":[42,0,3],"files":[{"path":"d/t/1/CDC1.csv","bytes":9,"crc32":5,"rows":1}],"late":["d/t/1/CDC2.csv"]}"#;
        let file = DataFile { path: "d/t/1/CDC1.csv".to_owned(), bytes: 9, crc32: 5, rows: 1 };
        let manifest = Manifest {
            kind: Kind::Commit,
            epoch: (7, 2),
            writer: "a1".to_owned(),
            position: Position { ts: 42, stage: 0, seq: 3 },
            files: vec![file],
            late: vec!["d/t/1/CDC2.csv".to_owned()],
        };
        assert_eq!(Manifest::parse(v1.as_bytes()).unwrap(), manifest);
        assert_eq!(manifest.text(), v1);
        assert_eq!(Manifest::parse(br#"{"version":2}"#), Err(ManifestError::Version(2)));
        assert!(matches!(Manifest::parse(b"{"), Err(ManifestError::Damaged(_))));
    }

    #[test]
    fn numbers_are_in_the_order_of_paths() {
        let folder = lane_folder("default/a b", "", "0-1");
        assert_eq!(folder, "_tidegate/default/a b/-/0-1/");
        let (nine, ten) = (Manifest::path(&folder, 9), Manifest::path(&folder, 10));
        assert!(nine < ten);
        assert_eq!(Manifest::number(&folder, &ten), Some(10));
        assert_eq!(Manifest::number(&folder, "_tidegate/x"), None);
    }
}
