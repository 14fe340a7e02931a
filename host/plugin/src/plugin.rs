//! A component, compiled and checked.

use crate::bindings::{dispatcher, sink, transform};
use crate::engine::PluginEngine;
use crate::error::PluginError;
use crate::manifest::{self, Manifest, check_start, describe};
use crate::state::State;
use crate::{Grants, PluginMetrics, world};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use wasmtime::component::{Component, InstancePre};

/// Largest component that is looked at.
const COMPONENT_BYTES_MAX: usize = 64 << 20;
/// What a plugin does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Writes rows.
    Sink,
    /// Decides where rows go.
    Dispatcher,
    /// Makes rows of rows.
    Transform,
}

pub(crate) enum Pre {
    Sink(sink::SinkPluginPre<State>),
    Dispatcher(dispatcher::DispatcherPluginPre<State>),
    Transform(transform::TransformPluginPre<State>),
}

/// A component that can be started. Cheap to share; instances take microseconds.
pub struct Plugin {
    pub(crate) engine: Arc<PluginEngine>,
    pub(crate) pre: Pre,
    pub(crate) name: Arc<str>,
    manifest: Manifest,
    digest: String,
    imports: Vec<String>,
    metrics: Arc<PluginMetrics>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin").field("manifest", &self.manifest).field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Plugin {
    /// Compiles (or takes from the cache), checks and asks a component what it is. Compiling runs on a blocking thread.
    ///
    /// # Errors
    /// [`PluginError`].
    pub async fn load(engine: &Arc<PluginEngine>, bytes: Vec<u8>) -> Result<Self, PluginError> {
        if bytes.len() > COMPONENT_BYTES_MAX {
            return Err(PluginError::TooLarge { len_bytes: bytes.len(), limit_bytes: COMPONENT_BYTES_MAX });
        }
        let digest = hex::encode(Sha256::digest(&bytes));
        let compiler = engine.engine.clone();
        let compiled = tokio::task::spawn_blocking(move || Component::new(&compiler, &bytes)).await;
        let component = compiled
            .map_err(|e| PluginError::Engine { detail: e.to_string() })?
            .map_err(|e| PluginError::NotComponent { detail: format!("{e:#}") })?;
        let kind = world::check(engine, &component)?;
        let imports = world::imports(engine, &component);
        let linked = engine.linker.instantiate_pre(&component);
        let linked = linked.map_err(|e| PluginError::Import { import: e.root_cause().to_string() })?;
        let pre = pre(kind, linked)?;
        let manifest = Box::pin(describe(engine, &pre)).await?;
        Ok(Self {
            engine: Arc::clone(engine),
            pre,
            name: manifest.name.as_str().into(),
            manifest,
            digest,
            imports,
            metrics: Arc::default(),
        })
    }

    /// What it does.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.pre {
            Pre::Sink(_) => Kind::Sink,
            Pre::Dispatcher(_) => Kind::Dispatcher,
            Pre::Transform(_) => Kind::Transform,
        }
    }

    /// What it says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The error of one that is asked to be something else.
    pub(crate) fn wrong_kind(&self, wanted: &'static str) -> PluginError {
        let exports = match self.kind() {
            Kind::Sink => "sink",
            Kind::Dispatcher => "dispatcher",
            Kind::Transform => "transform",
        };
        PluginError::World { wanted, exports: exports.to_owned() }
    }

    /// SHA-256 of the component, in hex.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Names of the interfaces it imports, with their versions.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Counts over all its instances.
    #[must_use]
    pub const fn metrics(&self) -> &Arc<PluginMetrics> {
        &self.metrics
    }

    /// Whether it can be started with this configuration and these grants.
    ///
    /// # Errors
    /// [`PluginError::Config`] when the text is not JSON or does not fit the plugin's schema; [`PluginError::NotGranted`].
    pub fn check(&self, config: &str, grants: &Grants) -> Result<(), PluginError> {
        check_start(&self.manifest, config, grants)
    }

    /// Parameters of a URI, which are texts, as the types the plugin's schema wants.
    #[must_use]
    pub fn typed(&self, params: Map<String, Value>) -> Map<String, Value> {
        match manifest::schema(&self.manifest) {
            Ok(schema) => schema.typed(params),
            Err(_) => params,
        }
    }
}

fn pre(kind: Kind, linked: InstancePre<State>) -> Result<Pre, PluginError> {
    let world = |e: wasmtime::Error| PluginError::World { wanted: "functions", exports: format!("{e:#}") };
    Ok(match kind {
        Kind::Sink => Pre::Sink(sink::SinkPluginPre::new(linked).map_err(world)?),
        Kind::Dispatcher => Pre::Dispatcher(dispatcher::DispatcherPluginPre::new(linked).map_err(world)?),
        Kind::Transform => Pre::Transform(transform::TransformPluginPre::new(linked).map_err(world)?),
    })
}
