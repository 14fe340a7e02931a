//! From what a person names to a component: a file, or a folder that is built.

use super::{CommandError, note};
use std::path::{Path, PathBuf};
use tg_kit::{KitError, SETTINGS_FILE, Settings, Subject};

/// A component, and the folder it comes from if there is one.
pub(crate) struct Found {
    /// The component.
    pub(crate) component: PathBuf,
    /// The plugin's folder.
    pub(crate) folder: Option<PathBuf>,
}

/// The component of a path; a folder is built first.
pub(crate) fn find(path: &Path) -> Result<Found, CommandError> {
    if path.is_dir() {
        note(&format!("building {}", path.display()));
        let component = tg_author::build(path)?.component;
        return Ok(Found { component, folder: Some(path.to_owned()) });
    }
    // What `plugin build` made stands in `build` below the plugin's folder.
    let above = path.parent().filter(|p| p.file_name().is_some_and(|n| n == "build")).and_then(Path::parent);
    let folder = above.filter(|f| f.join("tidegate.toml").exists()).map(Path::to_owned);
    Ok(Found { component: path.to_owned(), folder })
}

impl Found {
    /// The settings that were asked for, or those of the folder, or none; with another configuration if one is given.
    pub(crate) fn settings(&self, file: Option<&Path>, config: Option<&str>) -> Result<Settings, CommandError> {
        let own = self.folder.as_ref().map(|f| f.join(SETTINGS_FILE)).filter(|p| p.exists());
        let mut settings = match file.map(Path::to_owned).or(own) {
            Some(path) => Settings::load(&path)?,
            None => Settings::default(),
        };
        if let Some(config) = config {
            config.clone_into(&mut settings.config);
        }
        Ok(settings)
    }

    /// The component, loaded, and its size.
    pub(crate) async fn load(&self, settings: Settings) -> Result<(Subject, usize), CommandError> {
        let shown = self.component.display().to_string();
        let read = tokio::fs::read(&self.component).await;
        let bytes = read.map_err(|e| KitError::File { path: shown.clone(), reason: e.to_string() })?;
        let size = bytes.len();
        Ok((Subject::of_bytes(&shown, bytes, settings).await?, size))
    }
}
