//! By what a node knows itself: files of its data directory, and what it draws when it starts.

use super::ClusterError;
use crate::ServerError;
use std::fs::{DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use tg_cluster::{CaptureId, OwnerRev};
use tg_metastore::MetaError;

/// The same file that locks the directory of a node alone.
const LOCK_FILE: &str = "LOCK";
const NODE_FILE: &str = "node-id";
const CLUSTER_FILE: &str = "cluster-id";
const OWNER_FILE: &str = "owner-revision";

/// This process as one of the cluster.
pub(crate) struct Identity {
    /// Drawn at random.
    pub(crate) capture: CaptureId,
    /// Of the data directory, 32 hexadecimal digits.
    pub(crate) node: String,
    /// Where others reach it.
    pub(crate) address: String,
    folder: PathBuf,
    _lock: File,
}

impl Identity {
    /// Locks the data directory and reads or makes its node id. Blocks on the disk.
    pub(super) fn open(folder: &Path, address: &str) -> Result<Self, ServerError> {
        // Sorted rows lie here: a directory made here is its owner's alone.
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed("the folder"))?;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK_FILE));
        let lock = lock.map_err(failed(LOCK_FILE))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(MetaError::Locked { dir: folder.to_owned() }.into()),
            Err(std::fs::TryLockError::Error(e)) => return Err(failed(LOCK_FILE)(e).into()),
        }
        let node = match read(folder, NODE_FILE)? {
            Some(text) => text,
            None => {
                let text = format!("{:032x}", rand::random::<u128>());
                write(folder, NODE_FILE, &text)?;
                text
            }
        };
        number(NODE_FILE, &node)?;
        let capture = CaptureId(rand::random());
        Ok(Self { capture, node, address: address.to_owned(), folder: folder.to_owned(), _lock: lock })
    }

    /// The capture as 32 hexadecimal digits.
    pub(crate) fn capture_text(&self) -> String {
        format!("{:032x}", self.capture.0)
    }

    /// Checks that the metadata is of the cluster that the directory belongs to; the first one that it sees it belongs to.
    pub(super) fn belongs(&self, cluster: &str, endpoints: &[String]) -> Result<(), ClusterError> {
        match read(&self.folder, CLUSTER_FILE)? {
            None => write(&self.folder, CLUSTER_FILE, cluster),
            Some(known) if known == cluster => Ok(()),
            Some(expected) => {
                Err(ClusterError::OtherMetadata { expected, found: cluster.to_owned(), endpoints: endpoints.join(",") })
            }
        }
    }

    /// The highest owner revision that was kept.
    pub(super) fn owner_rev(&self) -> Result<OwnerRev, ClusterError> {
        let kept = read(&self.folder, OWNER_FILE)?;
        let kept = kept.map(|text| {
            text.parse().map_err(|_| ClusterError::File { what: OWNER_FILE, cause: "it is no number".to_owned() })
        });
        Ok(OwnerRev(kept.transpose()?.unwrap_or(0)))
    }

    /// Keeps the highest owner revision; durable when it returns.
    pub(super) fn keep_owner_rev(&self, rev: OwnerRev) -> Result<(), ClusterError> {
        write(&self.folder, OWNER_FILE, &rev.0.to_string())
    }
}

/// A number of 32 hexadecimal digits.
pub(super) fn number(what: &'static str, text: &str) -> Result<u128, ClusterError> {
    u128::from_str_radix(text, 16).map_err(|_| ClusterError::File { what, cause: format!("`{text}` is no id") })
}

fn failed(what: &'static str) -> impl Fn(std::io::Error) -> ClusterError {
    move |e| ClusterError::File { what, cause: e.to_string() }
}

fn read(folder: &Path, name: &'static str) -> Result<Option<String>, ClusterError> {
    match std::fs::read_to_string(folder.join(name)) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed(name)(e)),
    }
}

/// Whole or not at all: written beside, synced, moved over.
fn write(folder: &Path, name: &'static str, text: &str) -> Result<(), ClusterError> {
    let (beside, place) = (folder.join(format!("{name}.new")), folder.join(name));
    let done = File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &place)?;
        File::open(folder)?.sync_all()
    });
    done.map_err(failed(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tg_model::Coded;

    #[test]
    fn a_directory_is_one_node_of_one_cluster() {
        let folder = tempfile::tempdir().unwrap();
        let first = Identity::open(folder.path(), "a:1").unwrap();
        let second = Identity::open(folder.path(), "a:1").map(|_| ()).unwrap_err();
        assert_eq!(second.code().to_string(), "TG-5205", "{second}");
        first.belongs("c1", &[]).unwrap();
        first.belongs("c1", &[]).unwrap();
        assert_eq!(first.belongs("c2", &[]).unwrap_err().code().to_string(), "TG-5002");
        assert_eq!(first.owner_rev().unwrap(), OwnerRev(0));
        first.keep_owner_rev(OwnerRev(77)).unwrap();
        let (node, capture) = (first.node.clone(), first.capture);
        drop(first);
        let again = Identity::open(folder.path(), "a:1").unwrap();
        assert_eq!((again.node.as_str(), again.owner_rev().unwrap()), (node.as_str(), OwnerRev(77)));
        assert_ne!(again.capture, capture, "another process");
    }

    #[test]
    fn damaged_files_are_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NODE_FILE), "what").unwrap();
        let e = Identity::open(folder.path(), "a:1").map(|_| ()).unwrap_err();
        assert_eq!(e.code().to_string(), "TG-5005", "{e}");
    }
}
