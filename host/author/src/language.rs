//! Languages and kinds.

use crate::AuthorError;
use std::path::Path;

/// The file that says which language and kind a plugin is.
pub(crate) const MARK: &str = "tidegate.toml";

/// A language that has an SDK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "names of languages")]
pub enum Language {
    Rust,
    Go,
    Python,
    JavaScript,
    TypeScript,
    C,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Rust, Self::Go, Self::Python, Self::JavaScript, Self::TypeScript, Self::C];

    /// As it is written in commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Go => "go",
            Self::Python => "python",
            Self::JavaScript => "js",
            Self::TypeScript => "ts",
            Self::C => "c",
        }
    }

    /// The language of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.name() == name)
    }

    /// Folder of its SDK.
    pub(crate) const fn folder(self) -> &'static str {
        if matches!(self, Self::TypeScript) { "js" } else { self.name() }
    }

    /// The language of a folder: as its mark says, or as its files give away.
    ///
    /// # Errors
    /// [`AuthorError::Unclear`].
    pub fn of(folder: &Path) -> Result<Self, AuthorError> {
        if let Some(language) = mark(folder, "language").and_then(|name| Self::from_name(&name)) {
            return Ok(language);
        }
        let has = |name: &str| folder.join(name).exists();
        let ends = |end: &str| {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(|e| e.file_name()).any(|n| n.to_string_lossy().ends_with(end))
        };
        let found = [
            (has("Cargo.toml"), Self::Rust),
            (has("go.mod") || ends(".go"), Self::Go),
            (has("tsconfig.json") || ends(".ts"), Self::TypeScript),
            (has("package.json") || ends(".js") || ends(".mjs"), Self::JavaScript),
            (has("pyproject.toml") || ends(".py"), Self::Python),
            (ends(".c"), Self::C),
        ];
        let found = found.into_iter().find(|(there, _)| *there).map(|(_, language)| language);
        found.ok_or_else(|| AuthorError::Unclear { path: folder.display().to_string() })
    }
}

/// What a plugin does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the contract's worlds")]
pub enum PluginKind {
    Sink,
    Dispatcher,
    Transform,
}

impl PluginKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sink, Self::Dispatcher, Self::Transform];

    /// As it is written in commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::Dispatcher => "dispatcher",
            Self::Transform => "transform",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// The contract's world.
    pub(crate) const fn world(self) -> &'static str {
        match self {
            Self::Sink => "sink-plugin",
            Self::Dispatcher => "dispatcher-plugin",
            Self::Transform => "transform-plugin",
        }
    }

    /// The kind a folder says it is; a sink when it says nothing.
    pub(crate) fn of(folder: &Path) -> Self {
        mark(folder, "kind").and_then(|name| Self::from_name(&name)).unwrap_or(Self::Sink)
    }
}

/// A value of the mark, which is so small a file that it needs no parser: `key = "value"`, a line each.
fn mark(folder: &Path, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(MARK)).ok()?;
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == key).then(|| value.trim().trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::{Language, MARK, PluginKind};

    #[test]
    fn a_folder_shows_its_language() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert!(Language::of(path).is_err());
        std::fs::write(path.join("main.py"), "").unwrap();
        assert_eq!(Language::of(path), Ok(Language::Python));
        std::fs::write(path.join(MARK), "language = \"ts\"\nkind = \"transform\"\n").unwrap();
        assert_eq!(Language::of(path), Ok(Language::TypeScript));
        assert_eq!(PluginKind::of(path), PluginKind::Transform);
        assert!(Language::ALL.iter().all(|l| Language::from_name(l.name()) == Some(*l)));
    }
}
