//! Building a plugin with the tools of its language.

mod rust;
mod script;

use crate::{AuthorError, Language, PluginKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Where components go, below the plugin's folder.
const OUT: &str = "build";
/// Bytes of the tools' words that are shown: the last ones.
const OUTPUT_MAX: usize = 16 << 10;

/// A component that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Where it is.
    pub component: PathBuf,
    /// What it was written in.
    pub language: Language,
}

/// Builds the plugin in a folder into `build/NAME.wasm` below it.
///
/// # Errors
/// [`AuthorError::Unclear`], [`AuthorError::Missing`], [`AuthorError::Build`], [`AuthorError::System`].
pub fn build(folder: &Path) -> Result<Built, AuthorError> {
    let folder = folder
        .canonicalize()
        .map_err(|e| AuthorError::system(format!("the folder {} cannot be used", folder.display()), &e))?;
    let language = Language::of(&folder)?;
    let kind = PluginKind::of(&folder);
    let name = folder.file_name().map_or_else(|| "plugin".to_owned(), |n| n.to_string_lossy().into_owned());
    let out = folder.join(OUT);
    std::fs::create_dir_all(&out).map_err(|e| AuthorError::system(format!("cannot make {}", out.display()), &e))?;
    let component = out.join(format!("{name}.wasm"));
    match language {
        Language::Rust => rust::build(&folder, &component)?,
        _ => script::build(&folder, language, kind, &component)?,
    }
    Ok(Built { component, language })
}

/// Runs a tool and takes what it says; `how` is told when it is not there.
fn run(command: &mut Command, tool: &str, how: &str) -> Result<Output, AuthorError> {
    match command.output() {
        Ok(output) => Ok(output),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(AuthorError::Missing { tool: tool.to_owned(), how: how.to_owned() })
        }
        Err(e) => Err(AuthorError::system(format!("{tool} cannot be started"), &e)),
    }
}

/// The last words of a tool.
fn words(output: &Output) -> String {
    let text = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    let from = text.len().saturating_sub(OUTPUT_MAX);
    let from = (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(from..).unwrap_or_default().trim_end().to_owned()
}
