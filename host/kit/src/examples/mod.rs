//! An author's own examples: rows that go in, and what must come out. One file holds one example.

mod expect;
mod file;
mod given;

use crate::KitError;
use crate::checks::{Finding, Verdict};
use crate::subject::Subject;
use expect::Expect;
use given::Given;
use std::path::Path;

/// Ends of the names of files that hold examples.
const ENDING: &str = ".toml";
/// Files of a folder that are read at most.
const FILES_MAX: usize = 1_000;

/// One example.
#[derive(Clone, Debug)]
pub struct Examples {
    /// Name of the file without its ending.
    pub name: String,
    file: String,
    given: Given,
    expect: Expect,
}

impl Examples {
    /// The example in a text. `file` names it.
    ///
    /// # Errors
    /// [`KitError::Settings`], which says where and what was expected.
    pub fn from_text(file: &str, text: &str) -> Result<Self, KitError> {
        let bad = |reason: String| KitError::Settings { file: file.to_owned(), reason };
        let parsed: file::File = toml::from_str(text).map_err(|e| bad(e.to_string().trim_end().to_owned()))?;
        let stem = Path::new(file).file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let (given, expect) = parsed.split().map_err(bad)?;
        Ok(Self { name: stem, file: file.to_owned(), given, expect })
    }

    /// The examples of a folder, by name; the kit's settings are not one. No folder: none.
    ///
    /// # Errors
    /// [`KitError::File`], [`KitError::Settings`].
    pub fn of_folder(folder: &Path) -> Result<Vec<Self>, KitError> {
        let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
        let mut paths: Vec<_> = entries.flatten().map(|e| e.path()).take(FILES_MAX).collect();
        paths.sort();
        let is_example = |p: &&std::path::PathBuf| {
            let name = p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            name.ends_with(ENDING) && name != "kit.toml"
        };
        let mut out = Vec::new();
        for path in paths.iter().filter(is_example) {
            let file = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|e| KitError::File { path: file.clone(), reason: e.to_string() })?;
            out.push(Self::from_text(&file, &text)?);
        }
        Ok(out)
    }

    /// Runs it.
    pub(crate) async fn run(&self, subject: &Subject) -> Verdict {
        match self.given.run(subject).await {
            Ok(came) => self.expect.judge(&came),
            Err((expected, happened)) => Err(Finding { expected, happened, seed: 0 }),
        }
    }

    /// Where it is written.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }
}
