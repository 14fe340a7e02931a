//! The directory that spilled rows lie in.

use super::SpillError;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Ending of our files; others in the directory are left alone.
const SUFFIX: &str = "unmatched";

/// A directory and how much may lie in it.
#[derive(Debug)]
pub(crate) struct SpillArea {
    dir: PathBuf,
    limit_bytes: u64,
    used_bytes: AtomicU64,
}

impl SpillArea {
    /// Makes the directory and removes files that an earlier process left there.
    pub(crate) fn open(dir: &Path, limit_bytes: u64) -> Result<Arc<Self>, SpillError> {
        let failed = |e: std::io::Error| io_error(dir, &e);
        std::fs::create_dir_all(dir).map_err(failed)?;
        for entry in std::fs::read_dir(dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|e| e == SUFFIX) {
                std::fs::remove_file(&path).map_err(|e| io_error(&path, &e))?;
            }
        }
        Ok(Arc::new(Self { dir: dir.to_owned(), limit_bytes, used_bytes: AtomicU64::new(0) }))
    }

    /// Bytes that lie in files or are about to.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    /// Takes room; given back with [`SpillArea::release`].
    pub(super) fn reserve(&self, bytes: u64) -> Result<(), SpillError> {
        let before = self.used_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > self.limit_bytes {
            self.release(bytes);
            return Err(SpillError::Full { limit_bytes: self.limit_bytes });
        }
        Ok(())
    }

    pub(super) fn release(&self, bytes: u64) {
        self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// A new file.
    pub(super) fn file(&self) -> Result<SpillFile, SpillError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("{}-{number}.{SUFFIX}", std::process::id()));
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(|e| io_error(&path, &e))?;
        Ok(SpillFile { file, path })
    }
}

/// An open file; removed when dropped.
#[derive(Debug)]
pub(super) struct SpillFile {
    pub(super) file: File,
    path: PathBuf,
}

impl SpillFile {
    pub(super) fn error(&self, error: &std::io::Error) -> SpillError {
        io_error(&self.path, error)
    }
}

impl Drop for SpillFile {
    fn drop(&mut self) {
        // Gone already: somebody has cleaned up. Else the next start removes it.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn io_error(path: &Path, error: &std::io::Error) -> SpillError {
    SpillError::Io { path: path.display().to_string(), detail: error.to_string() }
}
