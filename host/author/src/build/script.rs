//! Other languages: the build script of their SDK.

use super::{run, words};
use crate::embedded::VENDOR;
use crate::{AuthorError, Language, PluginKind};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Status of a script that misses a tool.
const MISSING: i32 = 3;
/// How far up the SDK is looked for, when the folder has none of its own.
const UP_MAX: usize = 6;

/// The script: that of the plugin's own SDK, or of the repository it stands in.
fn find(folder: &Path, language: Language) -> Option<PathBuf> {
    let script = format!("sdk/{}/build.sh", language.folder());
    let own = folder.join(VENDOR).join(&script);
    std::iter::once(own).chain(folder.ancestors().take(UP_MAX).map(|up| up.join(&script))).find(|p| p.exists())
}

/// Builds the plugin into `component`.
pub(super) fn build(folder: &Path, language: Language, kind: PluginKind, component: &Path) -> Result<(), AuthorError> {
    let script = find(folder, language).ok_or_else(|| AuthorError::Missing {
        tool: format!("the SDK for {}", language.name()),
        how: "begin the plugin with `tidegate plugin new`, which brings it along".to_owned(),
    })?;
    let mut bash = Command::new("bash");
    bash.arg(&script).arg(component).arg(folder).arg(kind.world()).current_dir(folder);
    let output = run(&mut bash, "bash", "install it with your system's packages")?;
    match output.status.code() {
        Some(0) => Ok(()),
        Some(MISSING) => {
            let said = words(&output);
            let line = said.lines().find_map(|l| l.strip_prefix("tidegate: ")).unwrap_or(&said).to_owned();
            let (tool, how) = line.split_once(" is missing: ").unwrap_or((language.name(), &line));
            Err(AuthorError::Missing { tool: tool.to_owned(), how: how.to_owned() })
        }
        _ => Err(AuthorError::Build { path: folder.display().to_string(), output: words(&output) }),
    }
}
