//! The plugins a node has: those in the binary, and the components in its plugin folder.

use crate::ServerError;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tg_plugin::{Kind, Plugin, PluginEngine};

/// Compiled components kept in memory, by name.
const COMPILED_MAX: usize = 64;

/// Finds plugins by name and compiles them once. A built-in's name always means the built-in; any other is
/// `NAME.wasm` in the folder, read at each start of a changefeed: a replaced file serves from the next resume on.
pub(crate) struct Installed {
    engine: Arc<PluginEngine>,
    folder: PathBuf,
    compiled: parking_lot::Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    bytes: Arc<[u8]>,
    plugin: Arc<Plugin>,
}

impl Installed {
    pub(crate) fn new(engine: Arc<PluginEngine>, folder: PathBuf) -> Self {
        Self { engine, folder, compiled: parking_lot::Mutex::default() }
    }

    /// The plugin of this name, which must be of this kind and, if a digest is given (`sha256:…`), have it.
    pub(crate) async fn get(&self, name: &str, kind: Kind, digest: Option<&str>) -> Result<Arc<Plugin>, ServerError> {
        let plugin = self.load(name).await?;
        if plugin.kind() != kind {
            let wanted = if kind == Kind::Sink { "sink" } else { "dispatcher" };
            return Err(ServerError::WrongKind { name: name.to_owned(), wanted });
        }
        match digest.map(|d| d.trim_start_matches("sha256:")) {
            Some(wanted) if !wanted.eq_ignore_ascii_case(plugin.digest()) => Err(ServerError::WrongDigest {
                name: name.to_owned(),
                wanted: wanted.to_owned(),
                found: plugin.digest().to_owned(),
            }),
            _ => Ok(plugin),
        }
    }

    async fn load(&self, name: &str) -> Result<Arc<Plugin>, ServerError> {
        let bytes: Arc<[u8]> = match tg_builtin::by_name(name) {
            Some(bytes) => bytes.into(),
            None => self.read(name).await?.into(),
        };
        let known = self.compiled.lock().get(name).filter(|k| k.bytes == bytes).cloned();
        if let Some(known) = known {
            return Ok(known.plugin);
        }
        let loaded = Plugin::load(&self.engine, bytes.to_vec()).await;
        let plugin = Arc::new(loaded.map_err(|source| ServerError::BadPlugin { name: name.to_owned(), source })?);
        let mut compiled = self.compiled.lock();
        if compiled.len() >= COMPILED_MAX {
            compiled.clear();
        }
        compiled.insert(name.to_owned(), Known { bytes, plugin: Arc::clone(&plugin) });
        Ok(plugin)
    }

    async fn read(&self, name: &str) -> Result<Vec<u8>, ServerError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.@".contains(&b);
        let unknown = || ServerError::NoPlugin {
            name: name.to_owned(),
            known: self.names().join(", "),
            folder: self.folder.display().to_string(),
        };
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(unknown());
        }
        let path = self.folder.join(format!("{name}.wasm"));
        tokio::fs::read(&path).await.map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => unknown(),
            _ => ServerError::PluginFile { path: path.display().to_string(), reason: e.to_string() },
        })
    }

    /// Every name that can be used now.
    fn names(&self) -> Vec<String> {
        let mut found: Vec<String> = files(&self.folder);
        found.sort_unstable();
        tg_builtin::NAMES.iter().map(|n| (*n).to_owned()).chain(found).collect()
    }
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|e| e.file_name().to_str()?.strip_suffix(".wasm").map(str::to_owned)).collect()
}
