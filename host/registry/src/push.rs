//! A component becomes a version.

use crate::record::{By, PluginRecord, Source, VERSIONS_MAX, VersionRecord};
use crate::registry::now_ms;
use crate::{Digest, Pinned, Registry, RegistryError, check_name, check_version};
use std::collections::BTreeMap;
use tg_plugin::{Kind, Plugin};
use tg_signature::Signature;

/// A component that somebody brings.
#[derive(Clone, Debug)]
pub struct Push {
    /// The component.
    pub bytes: Vec<u8>,
    /// Its name; `None`: what it says of itself.
    pub name: Option<String>,
    /// Its version; `None`: what it says of itself.
    pub version: Option<String>,
    /// Its signature as text.
    pub signature: Option<String>,
    /// Make it the active version of its name. The first version of a name becomes it anyway.
    pub activate: bool,
    /// Where it comes from.
    pub source: Source,
}

/// What became of a push.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pushed {
    /// The version.
    pub pinned: Pinned,
    /// What the component is.
    pub kind: Kind,
    /// It was not there before.
    pub new: bool,
    /// It is the active version now, and was not before.
    pub activated: bool,
}

/// The name of a kind.
pub(crate) const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Sink => "sink",
        Kind::Dispatcher => "dispatcher",
        Kind::Transform => "transform",
    }
}

impl Registry {
    /// Takes a component in. A version that is there already with the same bytes is no error. `users` say what is in use.
    ///
    /// # Errors
    /// When the component, its name, its version or its signature cannot be used; nothing has changed then.
    pub async fn push(&self, push: Push, users: &BTreeMap<Digest, Vec<String>>) -> Result<Pushed, RegistryError> {
        let limit_bytes = self.options.size_max_bytes;
        if push.bytes.len() > limit_bytes {
            return Err(RegistryError::TooLarge { size_bytes: push.bytes.len(), limit_bytes });
        }
        let shown = push.name.clone().unwrap_or_else(|| "the component".to_owned());
        let digest = Digest::of(&push.bytes);
        let signer = self.signer(&shown, &digest, push.signature.as_deref())?;
        let plugin = self.compile(&shown, digest, push.bytes.clone()).await?;
        let (name, version) = self.named(&push, &plugin)?;
        let size_bytes = push.bytes.len() as u64;
        let _one_at_a_time = self.changing.lock().await;
        self.blobs.put(digest, push.bytes).await?;
        let fresh = VersionRecord {
            version,
            digest,
            kind: kind_name(plugin.kind()).to_owned(),
            size_bytes,
            pushed_ms: now_ms(),
            origin: self.options.node.clone(),
            source: push.source,
            signer,
            other: serde_json::Map::new(),
        };
        let explicit = push.version.is_some();
        let (version, new, activated) =
            self.catalog.change(&name, |record| enter(record, &name, &fresh, (push.activate, explicit), users)).await?;
        Ok(Pushed { pinned: Pinned { name, version, digest, builtin: false }, kind: plugin.kind(), new, activated })
    }

    /// Checks the signature where keys are trusted; the key it was made with.
    fn signer(&self, name: &str, digest: &Digest, signature: Option<&str>) -> Result<Option<String>, RegistryError> {
        let trusted = &self.options.trusted;
        if trusted.is_empty() {
            return Ok(None);
        }
        let unsigned = || RegistryError::Unsigned { name: name.to_owned(), trusted: trusted.len() };
        let failed = |source| RegistryError::Signature { name: name.to_owned(), source };
        let signature: Signature = signature.ok_or_else(unsigned)?.parse().map_err(failed)?;
        signature.verify(digest.bytes(), trusted).map_err(failed)?;
        Ok(Some(signature.key().to_string()))
    }

    fn named(&self, push: &Push, plugin: &Plugin) -> Result<(String, String), RegistryError> {
        let manifest = plugin.manifest();
        let name = push.name.clone().unwrap_or_else(|| manifest.name.clone());
        let version = push.version.clone().unwrap_or_else(|| manifest.version.clone());
        check_name(&name)?;
        check_version(&version)?;
        if self.builtin(&name).is_some() {
            return Err(RegistryError::Builtin { name });
        }
        if !self.options.trusted.is_empty() && (&name, &version) != (&manifest.name, &manifest.version) {
            let found = format!("{}@{}", manifest.name, manifest.version);
            return Err(RegistryError::Renamed { found, wanted: format!("{name}@{version}") });
        }
        Ok((name, version))
    }
}

/// Puts a version into its record; its version, whether it is new, whether it became active.
fn enter(
    record: &mut PluginRecord,
    name: &str,
    fresh: &VersionRecord,
    (activate, explicit): (bool, bool),
    users: &BTreeMap<Digest, Vec<String>>,
) -> Result<(String, bool, bool), RegistryError> {
    let mut fresh = fresh.clone();
    let from_folder = fresh.source == Source::Folder;
    if let Some(there) =
        record.versions.iter().find(|v| v.digest == fresh.digest && (from_folder || v.version == fresh.version))
    {
        // A file that was taken before changes nothing: the record may have been rolled back since.
        let version = there.version.clone();
        let activated = activate && !from_folder && record.actives.last() != Some(&version);
        if activated {
            record.activate(&version, fresh.pushed_ms, By::Push);
        }
        return Ok((version, false, activated));
    }
    if let Some(there) = record.version(&fresh.version) {
        if !from_folder || explicit {
            let (name, version, found) = (name.to_owned(), fresh.version, there.digest);
            return Err(RegistryError::VersionTaken { name, version, found });
        }
        // Who builds and copies again and again does not raise the version each time.
        let build: String = fresh.digest.hex().chars().take(8).collect();
        fresh.version = format!("{}+{build}", fresh.version);
    }
    make_room(record, name, users)?;
    let version = fresh.version.clone();
    let at_ms = fresh.pushed_ms;
    let first = record.active().is_none();
    record.versions.push(fresh);
    if activate || first {
        record.activate(&version, at_ms, if from_folder { By::Folder } else { By::Push });
    }
    Ok((version, true, activate || first))
}

/// Lets go of the oldest version that came from the folder, is not used and is not what a rollback would take.
fn make_room(
    record: &mut PluginRecord,
    name: &str,
    users: &BTreeMap<Digest, Vec<String>>,
) -> Result<(), RegistryError> {
    if record.versions.len() < VERSIONS_MAX {
        return Ok(());
    }
    let recent: Vec<String> = record.actives.iter().rev().take(2).cloned().collect();
    let idle = |v: &&VersionRecord| {
        v.source == Source::Folder && !recent.contains(&v.version) && users.get(&v.digest).is_none_or(Vec::is_empty)
    };
    let Some(oldest) = record.versions.iter().find(idle).map(|v| v.version.clone()) else {
        return Err(RegistryError::TooManyVersions { name: name.to_owned(), count: record.versions.len() });
    };
    record.remove(&oldest);
    Ok(())
}
