//! `tidegate plugin new` and `build`.

use super::{CommandError, paint, say, say_json};
use std::path::Path;
use tg_author::{Language, PluginKind};
use tg_cli::NewArgs;

/// Begins a plugin.
pub(super) fn run(args: &NewArgs, json: bool) -> Result<(), CommandError> {
    // Both lists of names come from the same places; the first is a fallback that is never needed.
    let language = Language::from_name(args.lang.name()).unwrap_or(Language::Rust);
    let kind = PluginKind::from_name(args.kind.name()).unwrap_or(PluginKind::Sink);
    let begun = tg_author::begin(&args.dir, &args.name, language, kind)?;
    let folder = begun.folder.display().to_string();
    if json {
        say_json(&serde_json::json!({ "folder": folder, "files": begun.files }));
        return Ok(());
    }
    say(&format!("{} {folder}: a {} in {}", paint("32", "✓"), kind.name(), language.name()));
    for file in &begun.files {
        say(&format!("  {file}"));
    }
    say(&format!(
        "\nnext:\n  cd {folder}\n  tidegate plugin test    # builds it, then the contract and the examples in tests/"
    ));
    say("  tidegate dev            # on an upstream in the process, taking up what you save");
    Ok(())
}

/// Builds the plugin of a folder.
pub(super) fn build(folder: &Path, json: bool) -> Result<(), CommandError> {
    let built = tg_author::build(folder)?;
    let path = built.component.display().to_string();
    let bytes = built.component.metadata().map_or(0, |m| m.len());
    if json {
        say_json(&serde_json::json!({ "component": path, "bytes": bytes, "language": built.language.name() }));
    } else {
        say(&format!("{} {path} ({} KiB)", paint("32", "✓"), bytes >> 10));
    }
    Ok(())
}
