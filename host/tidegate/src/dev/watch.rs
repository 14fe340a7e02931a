//! Whether a plugin's files have changed.

use crate::author::Found;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders that builds write to, or that hold what others wrote.
const LEFT_OUT: &[&str] = &["target", "build", "vendor", "node_modules", "__pycache__", "dist"];
/// Files that are looked at.
const FILES_MAX: usize = 10_000;

/// The newest change, and how many files there are: one that is gone is a change too.
type Seen = (Option<SystemTime>, usize);

/// Looks at the files of a folder, or at one component.
pub(super) struct Watch {
    path: PathBuf,
    last: Seen,
    /// Seen at the last look: a change is taken up when the files have come to rest.
    moving: Seen,
}

impl Watch {
    pub(super) fn new(path: &Path, found: &Found) -> Self {
        let path = if path.is_dir() { path.to_owned() } else { found.component.clone() };
        let now = look(&path);
        Self { path, last: now, moving: now }
    }

    /// Whether files have changed and nobody is writing them any more.
    pub(super) fn has_changed(&mut self) -> bool {
        let now = look(&self.path);
        let rests = now == self.moving;
        self.moving = now;
        rests && now != self.last
    }

    /// What is there now is taken up.
    pub(super) fn seen(&mut self) {
        self.last = self.moving;
    }
}

fn look(path: &Path) -> Seen {
    let mut seen = (None, 0);
    walk(path, &mut seen);
    seen
}

/// Names count below the folder only: it may be called anything itself.
fn walk(path: &Path, seen: &mut Seen) {
    let Ok(meta) = path.metadata() else { return };
    if meta.is_file() {
        seen.0 = seen.0.max(meta.modified().ok());
        seen.1 += 1;
        return;
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if seen.1 < FILES_MAX && !name.starts_with('.') && !LEFT_OUT.contains(&&*name) {
            walk(&entry.path(), seen);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Watch;
    use crate::author::Found;

    #[test]
    fn a_change_counts_once_it_rests_and_builds_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::write(path.join("lib.rs"), "1").unwrap();
        let found = Found { component: path.join("x.wasm"), folder: Some(path.to_owned()) };
        let mut watch = Watch::new(path, &found);
        assert!(!watch.has_changed());
        std::fs::create_dir(path.join("target")).unwrap();
        std::fs::write(path.join("target/out"), "1").unwrap();
        assert!(!watch.has_changed() && !watch.has_changed(), "builds are no changes");
        std::fs::write(path.join("new.rs"), "2").unwrap();
        assert!(!watch.has_changed(), "it may still be written");
        assert!(watch.has_changed());
        watch.seen();
        assert!(!watch.has_changed());
        std::fs::remove_file(path.join("new.rs")).unwrap();
        assert!(!watch.has_changed() && watch.has_changed());
    }
}
