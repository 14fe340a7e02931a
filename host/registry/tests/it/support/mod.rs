//! A registry in a temporary folder.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, missing_docs)]

use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tg_metastore::{EmbeddedStore, MetaStore};
use tg_model::Coded;
use tg_plugin::{EngineOptions, PluginEngine};
use tg_registry::{BlobSource, Builtins, Digest, NoPeers, Push, Registry, RegistryOptions, Source};
use tg_signature::PublicKey;

pub struct Rig {
    pub registry: Registry,
    pub folder: PathBuf,
    store: Arc<dyn MetaStore>,
    data: Arc<TempDir>,
}

pub fn code(error: &impl Coded) -> String {
    error.code().to_string()
}

pub fn component(builtin: &str) -> Vec<u8> {
    tg_builtin::by_name(builtin).unwrap().to_vec()
}

/// A push of a built-in's bytes under another name.
pub fn push(name: &str, version: &str, builtin: &str) -> Push {
    Push {
        bytes: component(builtin),
        name: Some(name.to_owned()),
        version: Some(version.to_owned()),
        signature: None,
        activate: false,
        source: Source::Push,
    }
}

impl Rig {
    pub const SIZE_MAX_BYTES: usize = 4 << 20;

    pub async fn new() -> Self {
        Self::trusting(Vec::new()).await
    }

    pub async fn trusting(trusted: Vec<PublicKey>) -> Self {
        let data = Arc::new(tempfile::tempdir().unwrap());
        let store: Arc<dyn MetaStore> = Arc::new(EmbeddedStore::open(data.path()).unwrap());
        Self::on(data, store, "here:1", Arc::new(NoPeers), trusted)
    }

    /// The same data after a restart.
    pub async fn again(&self) -> Self {
        Self::on(Arc::clone(&self.data), Arc::clone(&self.store), "here:1", Arc::new(NoPeers), Vec::new())
    }

    /// Another node of the same cluster.
    pub fn peer(&self, node: &str, peers: Arc<dyn BlobSource>) -> Self {
        let data = Arc::new(tempfile::tempdir().unwrap());
        Self::on(data, Arc::clone(&self.store), node, peers, Vec::new())
    }

    pub fn on(
        data: Arc<TempDir>,
        store: Arc<dyn MetaStore>,
        node: &str,
        peers: Arc<dyn BlobSource>,
        trusted: Vec<PublicKey>,
    ) -> Self {
        let engine = EngineOptions { instances_max: 4, memory_max_bytes: 64 << 20, cache_dir: None };
        let folder = data.path().join("plugins");
        std::fs::create_dir_all(&folder).unwrap();
        let options = RegistryOptions {
            components: data.path().join("components"),
            folder: folder.clone(),
            node: node.to_owned(),
            size_max_bytes: Self::SIZE_MAX_BYTES,
            trusted,
            builtins: Builtins { names: tg_builtin::NAMES, bytes: tg_builtin::by_name },
        };
        let engine = PluginEngine::new(&engine).unwrap();
        let registry = Registry::new(engine, Arc::clone(&store), (1, "test"), peers, options);
        Self { registry, folder, store, data }
    }

    fn stored(&self) -> Vec<PathBuf> {
        let list = |p: PathBuf| std::fs::read_dir(p).into_iter().flatten().map(|e| e.unwrap().path());
        list(self.data.path().join("components")).flat_map(list).collect()
    }

    /// Components stored.
    pub fn blobs(&self) -> usize {
        self.stored().len()
    }

    /// Puts other bytes in a component's place.
    pub fn overwrite(&self, digest: &Digest, bytes: &[u8]) {
        let path = self.stored().into_iter().find(|p| p.to_str().unwrap().contains(&digest.hex())).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}
