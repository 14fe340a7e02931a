//! The registry: from what users write to components that can be started.

use crate::blobs::Blobs;
use crate::catalog::Catalog;
use crate::compiled::Compiled;
use crate::folder::{Folder, Problem};
use crate::record::{By, PluginRecord};
use crate::{BlobSource, Digest, PluginRef, RegistryError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tg_metastore::MetaStore;
use tg_plugin::{Plugin, PluginEngine};
use tg_signature::PublicKey;

/// Components of a node that are in its binary.
#[derive(Clone, Copy)]
pub struct Builtins {
    /// Their names.
    pub names: &'static [&'static str],
    /// The component with a name.
    pub bytes: fn(&str) -> Option<&'static [u8]>,
}

/// How a registry is set up.
pub struct RegistryOptions {
    /// Components are stored here, by digest.
    pub components: PathBuf,
    /// Files of this folder become versions.
    pub folder: PathBuf,
    /// This node, `host:port`, as others reach it.
    pub node: String,
    /// Largest component.
    pub size_max_bytes: usize,
    /// Keys that sign; empty: signatures are not asked for.
    pub trusted: Vec<PublicKey>,
    /// What is in the binary.
    pub builtins: Builtins,
}

/// One version of one plugin: what a changefeed's record holds, so that it starts with the same bytes again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pinned {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Bytes. For a built-in, those of the binary it was resolved by; another binary starts its own.
    pub digest: Digest,
    /// It is in the binary.
    #[serde(default)]
    pub builtin: bool,
}

impl std::fmt::Display for Pinned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// What plugins a cluster has, seen from one node.
pub struct Registry {
    pub(crate) engine: Arc<PluginEngine>,
    pub(crate) catalog: Catalog,
    pub(crate) blobs: Blobs,
    pub(crate) compiled: Compiled,
    pub(crate) folder: Folder,
    pub(crate) options: RegistryOptions,
    peers: Arc<dyn BlobSource>,
    /// One component is compiled at a time: a compile takes all cores.
    compiling: tokio::sync::Mutex<()>,
    /// Bytes are stored before a record names them: nobody may sweep in between.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

impl Registry {
    /// The registry of `cluster`, in generation `generation` of its keys.
    #[must_use]
    pub fn new(
        engine: Arc<PluginEngine>,
        store: Arc<dyn MetaStore>,
        (generation, cluster): (u32, &str),
        peers: Arc<dyn BlobSource>,
        options: RegistryOptions,
    ) -> Self {
        Self {
            engine,
            catalog: Catalog::new(store, generation, cluster),
            blobs: Blobs::new(options.components.clone()),
            compiled: Compiled::default(),
            folder: Folder::new(options.folder.clone()),
            options,
            peers,
            compiling: tokio::sync::Mutex::new(()),
            changing: tokio::sync::Mutex::new(()),
        }
    }

    pub(crate) fn builtin(&self, name: &str) -> Option<&'static [u8]> {
        (self.options.builtins.bytes)(name)
    }

    /// What a name, a name and version, or a digest means now. A new or changed file of the folder with that name is taken in first.
    ///
    /// # Errors
    /// When there is no such plugin, or its only file cannot be used.
    pub async fn resolve(&self, plugin: &PluginRef) -> Result<Pinned, RegistryError> {
        match plugin {
            PluginRef::Name(name) => self.of_name(name, None).await,
            PluginRef::Version(name, version) => self.of_name(name, Some(version)).await,
            PluginRef::Digest(digest) => self.of_digest(*digest).await,
        }
    }

    async fn of_name(&self, name: &str, version: Option<&str>) -> Result<Pinned, RegistryError> {
        let unknown_version = |version: &str, known: String| RegistryError::UnknownVersion {
            name: name.to_owned(),
            version: version.to_owned(),
            known,
        };
        if let Some(bytes) = self.builtin(name) {
            let found = self.load_builtin(name, bytes).await?;
            let pinned = Pinned {
                name: name.to_owned(),
                version: found.manifest().version.clone(),
                digest: Digest::of(bytes),
                builtin: true,
            };
            return match version {
                Some(v) if v != pinned.version => Err(unknown_version(v, pinned.version)),
                _ => Ok(pinned),
            };
        }
        let imported = self.import_named(name, version).await;
        let Some((record, _)) = self.catalog.get(name).await? else {
            imported?;
            return Err(self.unknown(name).await);
        };
        let found = match version {
            None => record.active(),
            Some(v) => record.version(v),
        };
        let known = || record.versions.iter().map(|v| v.version.clone()).collect::<Vec<_>>().join(", ");
        let found = found.ok_or_else(|| unknown_version(version.unwrap_or("(active)"), known()))?;
        Ok(Pinned { name: name.to_owned(), version: found.version.clone(), digest: found.digest, builtin: false })
    }

    async fn of_digest(&self, digest: Digest) -> Result<Pinned, RegistryError> {
        for (name, record) in self.catalog.list().await? {
            if let Some(found) = record.versions.iter().find(|v| v.digest == digest) {
                return Ok(Pinned { name, version: found.version.clone(), digest, builtin: false });
            }
        }
        for name in self.options.builtins.names {
            if self.builtin(name).is_some_and(|bytes| Digest::of(bytes) == digest) {
                return self.of_name(name, None).await;
            }
        }
        Err(RegistryError::UnknownDigest { digest })
    }

    async fn unknown(&self, name: &str) -> RegistryError {
        let known = self.names().await;
        let near = tg_config::did_you_mean(name, known.iter().map(String::as_str));
        RegistryError::Unknown {
            name: name.to_owned(),
            folder: self.folder.shown(),
            hint: near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default(),
            known: known.join(", "),
        }
    }

    /// Every name that can be used now, built-ins first.
    pub async fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.options.builtins.names.iter().map(|n| (*n).to_owned()).collect();
        let listed = self.catalog.list().await.unwrap_or_default().into_iter().map(|(name, _)| name);
        let files = self.folder.stems().into_iter().map(|s| s.split('@').next().unwrap_or_default().to_owned());
        let more: BTreeSet<String> = listed.chain(files).collect();
        names.extend(more);
        names
    }

    /// The component, compiled. `wanted`: the digest that a user wrote, in either form.
    ///
    /// # Errors
    /// When the bytes are not to be had, are others than wanted, or do not compile.
    pub async fn load(&self, pinned: &Pinned, wanted: Option<&str>) -> Result<Arc<Plugin>, RegistryError> {
        let builtin = self.builtin(&pinned.name).filter(|_| pinned.builtin);
        let found = builtin.map_or(pinned.digest, Digest::of);
        if let Some(wanted) = wanted
            && !wanted.trim_start_matches(Digest::PREFIX).eq_ignore_ascii_case(&found.hex())
        {
            let (name, wanted) = (pinned.name.clone(), wanted.to_owned());
            return Err(RegistryError::WrongDigest { name, wanted, found });
        }
        match builtin {
            Some(bytes) => self.load_builtin(&pinned.name, bytes).await,
            None => match self.compiled.get(&pinned.digest) {
                Some(plugin) => Ok(plugin),
                None => self.compile(&pinned.name, pinned.digest, self.bytes_of(pinned).await?).await,
            },
        }
    }

    async fn load_builtin(&self, name: &str, bytes: &'static [u8]) -> Result<Arc<Plugin>, RegistryError> {
        let digest = Digest::of(bytes);
        match self.compiled.get(&digest) {
            Some(plugin) => Ok(plugin),
            None => self.compile(name, digest, bytes.to_vec()).await,
        }
    }

    pub(crate) async fn compile(
        &self,
        name: &str,
        digest: Digest,
        bytes: Vec<u8>,
    ) -> Result<Arc<Plugin>, RegistryError> {
        let _one_at_a_time = self.compiling.lock().await;
        if let Some(plugin) = self.compiled.get(&digest) {
            return Ok(plugin);
        }
        let plugin = Plugin::load(&self.engine, bytes).await;
        let plugin = plugin.map_err(|source| RegistryError::Component { name: name.to_owned(), source })?;
        Ok(self.compiled.put(digest, Arc::new(plugin)))
    }

    /// From the disk, or from a node that has them: the one that took them is asked first.
    async fn bytes_of(&self, pinned: &Pinned) -> Result<Vec<u8>, RegistryError> {
        let damaged = match self.blobs.get(pinned.digest).await {
            Ok(Some(bytes)) => return Ok(bytes),
            Ok(None) => None,
            Err(e) => Some(e),
        };
        let record = self.catalog.get(&pinned.name).await?.map(|(r, _)| r).unwrap_or_default();
        let origins = record.versions.iter().filter(|v| v.digest == pinned.digest).map(|v| v.origin.clone());
        let (mut asked, mut tried) = (BTreeSet::from([self.options.node.clone()]), Vec::new());
        for node in origins.chain(self.peers.nodes()) {
            if !asked.insert(node.clone()) {
                continue;
            }
            let node = node.as_str();
            match self.peers.fetch(node, pinned.digest, self.options.size_max_bytes).await {
                Ok(bytes) if Digest::of(&bytes) == pinned.digest => {
                    self.blobs.put(pinned.digest, bytes.clone()).await?;
                    return Ok(bytes);
                }
                Ok(_) => tried.push(format!("{node} sent other bytes")),
                Err(reason) => tried.push(format!("{node}: {reason}")),
            }
        }
        if let Some(damaged) = damaged {
            return Err(damaged);
        }
        let tried = if tried.is_empty() { "no other node has them".to_owned() } else { tried.join("; ") };
        Err(RegistryError::NoBytes { plugin: pinned.to_string(), digest: pinned.digest, tried })
    }

    /// Gets the bytes of active versions that this node does not have yet, so that it can start them also when nobody is left to ask.
    /// Which ones could not be had.
    ///
    /// # Errors
    /// Those of the metadata store.
    pub async fn fetch_active(&self) -> Result<Vec<RegistryError>, RegistryError> {
        let mut missing = Vec::new();
        for (name, record) in self.catalog.list().await? {
            let Some(active) = record.active() else { continue };
            if self.blobs.has(&active.digest) {
                continue;
            }
            let (version, digest) = (active.version.clone(), active.digest);
            let fetched = self.bytes_of(&Pinned { name, version, digest, builtin: false }).await;
            missing.extend(fetched.err());
        }
        Ok(missing)
    }

    /// Bytes that this node has, for another one.
    ///
    /// # Errors
    /// When the disk fails or the bytes are damaged.
    pub async fn blob(&self, digest: Digest) -> Result<Option<Vec<u8>>, RegistryError> {
        self.blobs.get(digest).await
    }

    /// Names with their records, without the built-ins.
    ///
    /// # Errors
    /// Those of the metadata store.
    pub async fn list(&self) -> Result<Vec<(String, PluginRecord)>, RegistryError> {
        Ok(self.catalog.list().await?)
    }

    /// A name's record; `None`: there is none, or it is built in.
    ///
    /// # Errors
    /// Those of the metadata store.
    pub async fn record(&self, name: &str) -> Result<Option<PluginRecord>, RegistryError> {
        Ok(self.catalog.get(name).await?.map(|(record, _)| record))
    }

    /// Components that are compiled now.
    #[must_use]
    pub fn compiled(&self) -> Vec<(Digest, Arc<Plugin>)> {
        self.compiled.all()
    }

    /// Files of the folder that could not be taken in.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        self.folder.problems()
    }

    /// Makes a version the one that the bare name means; whether it was another one before.
    ///
    /// # Errors
    /// When there is no such version.
    pub async fn activate(&self, name: &str, version: &str, by: By) -> Result<bool, RegistryError> {
        self.changeable(name).await?;
        self.catalog
            .change(name, |record| {
                if record.version(version).is_none() {
                    let known: Vec<&str> = record.versions.iter().map(|v| v.version.as_str()).collect();
                    let known = known.join(", ");
                    let (name, version) = (name.to_owned(), version.to_owned());
                    return Err(RegistryError::UnknownVersion { name, version, known });
                }
                let before = record.actives.last().cloned();
                record.activate(version, now_ms(), by);
                Ok(before.as_deref() != Some(version))
            })
            .await
    }

    /// The version that was active before becomes active again; both, the later one first.
    ///
    /// # Errors
    /// When there is none.
    pub async fn roll_back(&self, name: &str, by: By) -> Result<(String, String), RegistryError> {
        self.changeable(name).await?;
        self.catalog
            .change(name, |record| {
                let from = record.actives.last().cloned().unwrap_or_default();
                let to = record.roll_back(now_ms(), by);
                let to = to.ok_or_else(|| RegistryError::NoEarlier { name: name.to_owned() })?;
                Ok((from, to))
            })
            .await
    }

    /// Takes a version out, or all versions of a name; which they were. `users` say what is in use.
    ///
    /// # Errors
    /// When a version is in use, or there is none.
    pub async fn remove(
        &self,
        name: &str,
        version: Option<&str>,
        users: &BTreeMap<Digest, Vec<String>>,
    ) -> Result<Vec<String>, RegistryError> {
        let _one_at_a_time = self.changing.lock().await;
        self.changeable(name).await?;
        let removed = self.catalog.change(name, |record| {
            let chosen = record.versions.iter().filter(|v| version.is_none_or(|wanted| v.version == wanted));
            let chosen: Vec<_> = chosen.cloned().collect();
            if chosen.is_empty() {
                let known: Vec<&str> = record.versions.iter().map(|v| v.version.as_str()).collect();
                let (name, version) = (name.to_owned(), version.unwrap_or_default().to_owned());
                return Err(RegistryError::UnknownVersion { name, version, known: known.join(", ") });
            }
            for v in &chosen {
                if let Some(users) = users.get(&v.digest).filter(|u| !u.is_empty()) {
                    let plugin = format!("{name}@{}", v.version);
                    return Err(RegistryError::InUse { plugin, users: users.join(", ") });
                }
            }
            chosen.iter().for_each(|v| record.remove(&v.version));
            Ok(chosen.into_iter().map(|v| v.version).collect::<Vec<_>>())
        });
        let removed = removed.await?;
        self.swept(users).await?;
        Ok(removed)
    }

    /// A name that exists and is not built in.
    async fn changeable(&self, name: &str) -> Result<(), RegistryError> {
        if self.builtin(name).is_some() {
            return Err(RegistryError::Builtin { name: name.to_owned() });
        }
        match self.catalog.get(name).await? {
            Some(_) => Ok(()),
            None => Err(self.unknown(name).await),
        }
    }

    /// Deletes stored bytes that no version has and nobody uses.
    ///
    /// # Errors
    /// Those of the metadata store and the disk.
    pub async fn sweep(&self, users: &BTreeMap<Digest, Vec<String>>) -> Result<(), RegistryError> {
        let _one_at_a_time = self.changing.lock().await;
        self.swept(users).await
    }

    async fn swept(&self, users: &BTreeMap<Digest, Vec<String>>) -> Result<(), RegistryError> {
        let mut kept: BTreeSet<Digest> = users.keys().copied().collect();
        kept.extend(self.catalog.list().await?.iter().flat_map(|(_, r)| r.versions.iter().map(|v| v.digest)));
        let removed = self.blobs.keep_only(kept).await?;
        if removed > 0 {
            tracing::info!(removed, "components that no plugin has were deleted");
        }
        Ok(())
    }
}
