//! Files of the watched folder become versions.

use crate::folder::{Print, Problem};
use crate::record::Source;
use crate::{Digest, Push, Pushed, Registry, RegistryError};
use std::collections::BTreeMap;
use std::io;
use tg_model::Coded;

/// A file that became a version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// Name of the plugin.
    pub name: String,
    /// The version it became.
    pub version: String,
    /// It is the active version now, and was not before.
    pub activated: bool,
}

impl Registry {
    /// Whether [`Registry::scan`] would find something.
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.folder.settled().is_empty()
    }

    /// Looks at the folder: files that are new or have changed, and are whole, become the active versions of their names. A file that
    /// cannot be used is a [`Problem`], said once; the version before goes on.
    pub async fn scan(&self, users: &BTreeMap<Digest, Vec<String>>) -> Vec<Imported> {
        let mut imported = Vec::new();
        for (stem, print) in self.folder.settled() {
            // What is wrong has been logged, and stays among the problems.
            if let Ok(pushed) = self.import(&stem, print, users).await
                && pushed.new
            {
                let (name, version) = (pushed.pinned.name, pushed.pinned.version);
                imported.push(Imported { name, version, activated: pushed.activated });
            }
        }
        imported
    }

    /// Takes in the file of a name that is wanted now, if it is new or has changed.
    pub(crate) async fn import_named(&self, name: &str, version: Option<&str>) -> Result<(), RegistryError> {
        let stems = [Some(name.to_owned()), version.map(|v| format!("{name}@{v}"))];
        for stem in stems.into_iter().flatten() {
            if let Some(print) = self.folder.changed(&stem) {
                self.import(&stem, print, &BTreeMap::new()).await?;
            }
        }
        Ok(())
    }

    async fn import(
        &self,
        stem: &str,
        print: Print,
        users: &BTreeMap<Digest, Vec<String>>,
    ) -> Result<Pushed, RegistryError> {
        let pushed = self.take(stem, users).await;
        let problem = pushed.as_ref().err().map(|e| {
            tracing::error!(plugin = stem, code = %e.code(), error = %e, "the plugin's file cannot be used; what runs goes on");
            Problem { name: stem.to_owned(), code: e.code(), message: e.to_string() }
        });
        if let Some(new) = pushed.as_ref().ok().filter(|p| p.new) {
            tracing::info!(plugin = %new.pinned, digest = %new.pinned.digest, "a file of the plugin folder is a new version");
        }
        self.folder.took(stem, print, problem);
        pushed
    }

    async fn take(&self, stem: &str, users: &BTreeMap<Digest, Vec<String>>) -> Result<Pushed, RegistryError> {
        let path = self.folder.file(stem);
        let failed = |e: &io::Error| RegistryError::File { path: path.display().to_string(), reason: e.to_string() };
        let bytes = tokio::fs::read(&path).await.map_err(|e| failed(&e))?;
        let signature = match tokio::fs::read_to_string(self.folder.signature_file(stem)).await {
            Ok(text) => Some(text),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(failed(&e)),
        };
        let (name, version) = match stem.split_once('@') {
            Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
            None => (stem.to_owned(), None),
        };
        let push = Push { bytes, name: Some(name), version, signature, activate: true, source: Source::Folder };
        self.push(push, users).await
    }
}
