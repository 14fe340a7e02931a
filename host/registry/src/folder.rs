//! The watched folder: which files are new or changed.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;
use tg_model::Code;

/// Ends the name of a component's file.
const ENDING: &str = ".wasm";
/// Ends the name of its signature's file, after the component's whole name.
const SIGNATURE_ENDING: &str = ".sig";
/// Files looked at; more are passed over.
const FILES_MAX: usize = 1024;

/// A file that could not become a version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file's name without its ending.
    pub name: String,
    /// Code of the error.
    pub code: Code,
    /// The error.
    pub message: String,
}

/// What tells one state of a file, with its signature, from another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Print {
    len: u64,
    changed: SystemTime,
    signed: Option<SystemTime>,
}

#[derive(Default)]
struct Seen {
    /// As it was at the last look.
    last: Option<Print>,
    /// As it was when it was taken, or refused.
    taken: Option<Print>,
    problem: Option<Problem>,
}

/// A folder of `NAME.wasm` and `NAME@VERSION.wasm`, with signatures beside as `….wasm.sig`.
pub(crate) struct Folder {
    path: PathBuf,
    seen: Mutex<BTreeMap<String, Seen>>,
}

impl Folder {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, seen: Mutex::default() }
    }

    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    pub(crate) fn file(&self, stem: &str) -> PathBuf {
        self.path.join(format!("{stem}{ENDING}"))
    }

    pub(crate) fn signature_file(&self, stem: &str) -> PathBuf {
        self.path.join(format!("{stem}{ENDING}{SIGNATURE_ENDING}"))
    }

    fn print(&self, stem: &str) -> Option<Print> {
        let file = std::fs::metadata(self.file(stem)).ok().filter(std::fs::Metadata::is_file)?;
        let signed = std::fs::metadata(self.signature_file(stem)).ok().and_then(|m| m.modified().ok());
        Some(Print { len: file.len(), changed: file.modified().ok()?, signed })
    }

    /// The file's state, if it was not taken in that state.
    pub(crate) fn changed(&self, stem: &str) -> Option<Print> {
        let print = self.print(stem)?;
        self.seen.lock().get(stem).is_none_or(|s| s.taken != Some(print)).then_some(print)
    }

    /// Files that changed and then stayed as they are from one look to the next: nobody is writing them.
    pub(crate) fn settled(&self) -> Vec<(String, Print)> {
        let mut ready = Vec::new();
        let stems = self.stems();
        let mut seen = self.seen.lock();
        seen.retain(|stem, _| stems.contains(stem));
        for stem in stems {
            let Some(print) = self.print(&stem) else { continue };
            let known = seen.entry(stem.clone()).or_default();
            let settled = known.last.replace(print) == Some(print);
            if settled && known.taken != Some(print) {
                ready.push((stem, print));
            }
        }
        ready
    }

    /// Names of the files, without their ending, in order.
    pub(crate) fn stems(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut found: Vec<String> =
            entries.filter_map(|e| e.file_name().to_str()?.strip_suffix(ENDING).map(str::to_owned)).collect();
        found.sort_unstable();
        found.truncate(FILES_MAX);
        found
    }

    /// The file in this state was taken, or refused.
    pub(crate) fn took(&self, stem: &str, print: Print, problem: Option<Problem>) {
        let mut seen = self.seen.lock();
        let known = seen.entry(stem.to_owned()).or_default();
        (known.taken, known.problem) = (Some(print), problem);
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.seen.lock().values().filter_map(|s| s.problem.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Folder;

    #[test]
    fn a_file_is_ready_when_it_has_stopped_changing() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path().to_owned());
        let ready = || folder.settled().into_iter().map(|(stem, _)| stem).collect::<Vec<_>>();
        std::fs::write(folder.file("a"), "1").unwrap();
        std::fs::write(dir.path().join("notes.txt"), "1").unwrap();
        assert_eq!(ready(), [""; 0], "it may still be written");
        std::fs::write(folder.file("a"), "12").unwrap();
        assert_eq!(ready(), [""; 0], "it was");
        assert_eq!(ready(), ["a"]);
        folder.took("a", folder.changed("a").unwrap(), None);
        assert_eq!(ready(), [""; 0]);
        assert!(folder.changed("a").is_none());
        std::fs::write(folder.signature_file("a"), "x").unwrap();
        assert!(folder.changed("a").is_some(), "a signature is a change");
    }
}
