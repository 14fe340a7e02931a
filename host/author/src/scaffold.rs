//! The first files of a plugin.

use crate::embedded::{VENDOR, template, vendored};
use crate::language::MARK;
use crate::names::{check, fill};
use crate::{AuthorError, Language, PluginKind};
use std::path::{Path, PathBuf};

/// What was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// The plugin's folder.
    pub folder: PathBuf,
    /// Files of the plugin itself, the SDK's left out.
    pub files: Vec<String>,
}

/// The kinds that a language has a template for.
#[must_use]
pub fn kinds_of(language: Language) -> Vec<PluginKind> {
    PluginKind::ALL.into_iter().filter(|k| !files_of(language, *k).is_empty()).collect()
}

/// TypeScript has templates of its own beside those of JavaScript.
fn files_of(language: Language, kind: PluginKind) -> Vec<(&'static str, &'static [u8])> {
    let kind = if language == Language::TypeScript { format!("ts-{}", kind.name()) } else { kind.name().to_owned() };
    template(language.folder(), &kind)
}

/// Writes the first files of a plugin into `parent/name`, with the SDK below it.
///
/// # Errors
/// [`AuthorError`]; then nothing stays.
pub fn begin(parent: &Path, name: &str, language: Language, kind: PluginKind) -> Result<Begun, AuthorError> {
    check(name)?;
    let files = files_of(language, kind);
    if files.is_empty() {
        let known: Vec<_> = kinds_of(language).iter().map(|k| k.name()).collect();
        let (language, kind, known) = (language.name(), kind.name(), known.join(", "));
        return Err(AuthorError::NoTemplate { language, kind, known });
    }
    let folder = parent.join(name);
    if folder.exists() {
        return Err(AuthorError::Exists { path: folder.display().to_string() });
    }
    let written = write_all(&folder, name, &files, language, kind);
    if written.is_err() {
        // What is half there would be in the way of a second try.
        let _ = std::fs::remove_dir_all(&folder);
    }
    written
}

fn write_all(
    folder: &Path,
    name: &str,
    files: &[(&str, &[u8])],
    language: Language,
    kind: PluginKind,
) -> Result<Begun, AuthorError> {
    let mut own = Vec::new();
    for (path, data) in files {
        let path = fill(path, name);
        match std::str::from_utf8(data) {
            Ok(text) => write(folder, &path, fill(text, name).as_bytes())?,
            Err(_) => write(folder, &path, data)?,
        }
        own.push(path);
    }
    let mark = format!("language = \"{}\"\nkind = \"{}\"\n", language.name(), kind.name());
    write(folder, MARK, mark.as_bytes())?;
    own.push(MARK.to_owned());
    for (path, data) in vendored(language.folder()) {
        write(folder, &format!("{VENDOR}/{path}"), &data)?;
    }
    own.sort();
    Ok(Begun { folder: folder.to_owned(), files: own })
}

fn write(folder: &Path, path: &str, data: &[u8]) -> Result<(), AuthorError> {
    let to = folder.join(path);
    let failed = |e: &std::io::Error| AuthorError::system(format!("cannot write {}", to.display()), e);
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(|e| failed(&e))?;
    }
    std::fs::write(&to, data).map_err(|e| failed(&e))?;
    if path.ends_with(".sh") {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o755)).map_err(|e| failed(&e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{begin, kinds_of};
    use crate::{AuthorError, Language, PluginKind};

    #[test]
    fn a_plugin_is_begun_once_and_names_itself() {
        let parent = tempfile::tempdir().unwrap();
        let begun = begin(parent.path(), "audit-log", Language::Rust, PluginKind::Sink).unwrap();
        assert!(begun.files.contains(&"src/lib.rs".to_owned()) && begun.files.contains(&"tidegate.toml".to_owned()));
        for file in &begun.files {
            let text = std::fs::read_to_string(begun.folder.join(file)).unwrap();
            assert!(!text.contains("{{"), "{file} has a mark left");
        }
        let lib = std::fs::read_to_string(begun.folder.join("src/lib.rs")).unwrap();
        assert!(lib.contains("AuditLog"));
        let again = begin(parent.path(), "audit-log", Language::Rust, PluginKind::Sink);
        assert!(matches!(again, Err(AuthorError::Exists { .. })));
        assert!(matches!(begin(parent.path(), "X", Language::Rust, PluginKind::Sink), Err(AuthorError::Name { .. })));
    }

    #[test]
    fn rust_has_every_kind() {
        assert_eq!(kinds_of(Language::Rust), PluginKind::ALL);
    }
}
