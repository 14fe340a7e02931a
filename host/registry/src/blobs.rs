//! Components on disk, by digest: `<folder>/<first two digits>/<digest>.wasm`.

use crate::{Digest, RegistryError};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Ends the names of components.
const ENDING: &str = ".wasm";

/// The components of one node.
#[derive(Clone)]
pub(crate) struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.folder.join(hex.get(..2).unwrap_or_default()).join(format!("{hex}{ENDING}"))
    }

    /// Stores bytes; durable when it returns. They appear under their name whole or not at all.
    pub(crate) async fn put(&self, digest: Digest, bytes: Vec<u8>) -> Result<(), RegistryError> {
        let path = self.path(&digest);
        on_disk("write", path.clone(), move || {
            if fs::read(&path).is_ok_and(|there| Digest::of(&there) == digest) {
                return Ok(());
            }
            write_whole(&path, &bytes)
        })
        .await
    }

    /// Whether there are bytes; whether they are right, reading them says.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.path(digest).exists()
    }

    /// Reads bytes and checks them; `None`: they are not here.
    pub(crate) async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        let path = self.path(&digest);
        let read = on_disk("read", path.clone(), move || match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        });
        let Some(bytes) = read.await? else { return Ok(None) };
        let found = Digest::of(&bytes);
        if found == digest { Ok(Some(bytes)) } else { Err(RegistryError::Damaged { digest, found }) }
    }

    /// Deletes every component but these, and what was left half-written.
    pub(crate) async fn keep_only(&self, kept: BTreeSet<Digest>) -> Result<usize, RegistryError> {
        let folder = self.folder.clone();
        on_disk("clean", folder.clone(), move || {
            let mut removed = 0;
            for group in entries(&folder)? {
                for path in entries(&group)? {
                    let name = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(ENDING));
                    let digest = name.and_then(|hex| format!("{}{hex}", Digest::PREFIX).parse::<Digest>().ok());
                    if digest.is_none_or(|d| !kept.contains(&d)) {
                        fs::remove_file(&path)?;
                        removed += 1;
                    }
                }
            }
            Ok(removed)
        })
        .await
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(found) => found.map(|e| e.map(|e| e.path())).collect(),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// Writes beside, makes it durable, then gives it its name.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let beside = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

async fn on_disk<T: Send + 'static>(
    what: &'static str,
    path: PathBuf,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, RegistryError> {
    let failed = |reason: String| RegistryError::Disk { what, path: path.display().to_string(), reason };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|e| failed(e.to_string())),
        Err(e) => Err(failed(e.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::Blobs;
    use crate::{Digest, RegistryError};
    use std::collections::BTreeSet;

    #[tokio::test]
    async fn bytes_come_back_checked_and_only_what_is_wanted_stays() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(folder.path().join("components"));
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        assert_eq!(blobs.get(a).await.unwrap(), None);
        assert_eq!(blobs.keep_only(BTreeSet::new()).await.unwrap(), 0, "no folder yet");
        blobs.put(a, b"a".to_vec()).await.unwrap();
        blobs.put(b, b"b".to_vec()).await.unwrap();
        std::fs::write(blobs.path(&a).with_extension("77.part"), "half").unwrap();
        assert_eq!(blobs.get(a).await.unwrap().as_deref(), Some(&b"a"[..]));

        assert_eq!(blobs.keep_only(BTreeSet::from([a])).await.unwrap(), 2, "b, and what was half-written");
        assert_eq!(blobs.get(b).await.unwrap(), None);

        std::fs::write(blobs.path(&a), "other").unwrap();
        assert!(matches!(blobs.get(a).await, Err(RegistryError::Damaged { .. })));
        blobs.put(a, b"a".to_vec()).await.unwrap();
        assert_eq!(blobs.get(a).await.unwrap().as_deref(), Some(&b"a"[..]), "stored anew");
    }
}
