//! A component, compiled and checked.

use crate::PluginMetrics;
use crate::bindings::{dispatcher, sink};
use crate::engine::PluginEngine;
use crate::error::PluginError;
use crate::grant::{Grants, LaneContext};
use crate::instance::{Core, InstanceSpec, Limits};
use crate::state::State;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tg_model::{ChangefeedId, LaneId, Position, SlotId};
use wasmtime::component::{Component, InstancePre};

/// Largest component that is looked at.
const COMPONENT_BYTES_MAX: usize = 64 << 20;
/// Guest time for `describe`.
const DESCRIBE_TIME: Duration = Duration::from_secs(5);
/// Longest name and version in a manifest.
const NAME_LEN_MAX: usize = 128;
/// What a guest may import: the contract's interfaces, and WASI 0.2 for the language runtimes (with nothing behind it).
const IMPORTS: &[&str] = &[
    "tidegate:plugin/types@0.1.",
    "tidegate:plugin/rows@0.1.",
    "tidegate:plugin/session@0.1.",
    "tidegate:plugin/log@0.1.",
    "tidegate:plugin/metrics@0.1.",
    "tidegate:plugin/sql@0.1.",
    "wasi:cli/",
    "wasi:io/",
    "wasi:clocks/",
    "wasi:random/",
    "wasi:filesystem/",
    "wasi:sockets/",
];

/// What a plugin does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Writes rows.
    Sink,
    /// Decides where rows go.
    Dispatcher,
}

/// A capability the plugin asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capability {
    /// Name of the interface.
    pub name: String,
    /// Without it the plugin does not start.
    pub required: bool,
    /// What for.
    pub reason: String,
}

/// What the plugin says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// JSON Schema of the configuration; empty: takes none.
    pub config_schema: String,
    /// What it asks for.
    pub capabilities: Vec<Capability>,
    /// Highest TGR1 minor it knows.
    pub tgr_minor: u32,
}

pub(crate) enum Pre {
    Sink(sink::SinkPluginPre<State>),
    Dispatcher(dispatcher::DispatcherPluginPre<State>),
}

/// A component that can be started. Cheap to share; instances take microseconds.
pub struct Plugin {
    pub(crate) engine: Arc<PluginEngine>,
    pub(crate) pre: Pre,
    pub(crate) name: Arc<str>,
    manifest: Manifest,
    digest: String,
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
        let kind = check_world(engine, &component)?;
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
            metrics: Arc::default(),
        })
    }

    /// What it does.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.pre {
            Pre::Sink(_) => Kind::Sink,
            Pre::Dispatcher(_) => Kind::Dispatcher,
        }
    }

    /// What it says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the component, in hex.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Counts over all its instances.
    #[must_use]
    pub const fn metrics(&self) -> &Arc<PluginMetrics> {
        &self.metrics
    }

    /// Whether it can be started with this configuration and these grants.
    ///
    /// # Errors
    /// [`PluginError::Config`] when the text is not JSON; [`PluginError::NotGranted`].
    pub fn check(&self, config: &str, grants: &Grants) -> Result<(), PluginError> {
        check_start(&self.manifest, config, grants)
    }
}

/// Whether a plugin of this manifest can be started.
pub(crate) fn check_start(manifest: &Manifest, config: &str, grants: &Grants) -> Result<(), PluginError> {
    let plugin = || manifest.name.clone();
    if !config.is_empty() {
        serde_json::from_str::<serde_json::Value>(config)
            .map_err(|e| PluginError::Config { plugin: plugin(), detail: e.to_string() })?;
    }
    for c in manifest.capabilities.iter().filter(|c| c.required) {
        let granted = match c.name.as_str() {
            "sql" => !grants.sql.is_empty(),
            _ => false,
        };
        if !granted {
            let (capability, reason) = (c.name.clone(), c.reason.clone());
            return Err(PluginError::NotGranted { plugin: plugin(), capability, reason });
        }
    }
    Ok(())
}

fn check_world(engine: &PluginEngine, component: &Component) -> Result<Kind, PluginError> {
    let ty = component.component_type();
    for (import, _) in ty.imports(&engine.engine) {
        if !IMPORTS.iter().any(|known| import.starts_with(known)) {
            return Err(PluginError::Import { import: import.to_owned() });
        }
    }
    let exports: Vec<String> = ty.exports(&engine.engine).map(|(name, _)| name.to_owned()).collect();
    let has = |interface: &str| exports.iter().any(|e| e.starts_with(&format!("tidegate:plugin/{interface}@0.1.")));
    let wanted = match (has("describe"), has("sink"), has("dispatcher")) {
        (true, true, _) => return Ok(Kind::Sink),
        (true, false, true) => return Ok(Kind::Dispatcher),
        (false, ..) => "`describe`",
        (true, false, false) => "`sink` or `dispatcher`",
    };
    Err(PluginError::World { wanted, exports: exports.join(", ") })
}

fn pre(kind: Kind, linked: InstancePre<State>) -> Result<Pre, PluginError> {
    let world = |e: wasmtime::Error| PluginError::World { wanted: "functions", exports: format!("{e:#}") };
    Ok(match kind {
        Kind::Sink => Pre::Sink(sink::SinkPluginPre::new(linked).map_err(world)?),
        Kind::Dispatcher => Pre::Dispatcher(dispatcher::DispatcherPluginPre::new(linked).map_err(world)?),
    })
}

fn scratch() -> InstanceSpec {
    let changefeed =
        ChangefeedId { namespace: ChangefeedId::DEFAULT_NAMESPACE.to_owned(), name: "describe".to_owned() };
    InstanceSpec {
        lane: LaneContext { changefeed, slot: SlotId(0), lane: LaneId(0), epoch: (0, 0) },
        lanes: 1,
        config: String::new(),
        checkpoint: Position::ZERO,
        state: None,
        grants: Grants::default(),
        limits: Limits { call: DESCRIBE_TIME, ..Limits::SINK },
    }
}

/// On an instance of its own, which has nothing granted.
async fn describe(engine: &PluginEngine, pre: &Pre) -> Result<Manifest, PluginError> {
    let failed = |detail: String| PluginError::Describe { detail };
    let mut core = Core::new(engine, "being loaded".into(), Arc::default(), &scratch());
    let watch = core.begin("describe").map_err(|e| failed(e.to_string()))?;
    let store = &mut core.store;
    let answer = watch.within(async move {
        match pre {
            Pre::Sink(pre) => {
                let guest = pre.instantiate_async(&mut *store).await?;
                guest.tidegate_plugin_describe().call_describe(store).await.map(manifest_of_sink)
            }
            Pre::Dispatcher(pre) => {
                let guest = pre.instantiate_async(&mut *store).await?;
                guest.tidegate_plugin_describe().call_describe(store).await.map(manifest_of_dispatcher)
            }
        }
    });
    let answer = answer.await;
    let manifest = core.end("describe", answer).map_err(|e| failed(e.to_string()))?;
    let named = |s: &str| !s.is_empty() && s.len() <= NAME_LEN_MAX && !s.contains(char::is_control);
    if !named(&manifest.name) || !named(&manifest.version) {
        return Err(failed("its name or version is empty or too long".to_owned()));
    }
    Ok(manifest)
}

macro_rules! manifest_from {
    ($name:ident, $world:ident) => {
        fn $name(m: $world::exports::tidegate::plugin::describe::Manifest) -> Manifest {
            let capability = |c: $world::exports::tidegate::plugin::describe::Capability| Capability {
                name: c.name,
                required: c.required,
                reason: c.reason,
            };
            Manifest {
                name: m.name,
                version: m.version,
                config_schema: m.config_schema,
                capabilities: m.capabilities.into_iter().map(capability).collect(),
                tgr_minor: m.tgr_minor,
            }
        }
    };
}
manifest_from!(manifest_of_sink, sink);
manifest_from!(manifest_of_dispatcher, dispatcher);
