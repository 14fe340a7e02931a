//! What a plugin says of itself.

use crate::Grants;
use crate::bindings::{dispatcher, sink, transform};
use crate::engine::PluginEngine;
use crate::error::PluginError;
use crate::grant::LaneContext;
use crate::instance::{Core, InstanceSpec, Limits};
use crate::kept::Kept;
use crate::plugin::Pre;
use crate::schema::Schema;
use std::sync::Arc;
use std::time::Duration;
use tg_model::{ChangefeedId, LaneId, Position, SlotId};

/// Guest time for `describe`.
const DESCRIBE_TIME: Duration = Duration::from_secs(5);
/// Longest name and version in a manifest.
const NAME_LEN_MAX: usize = 128;

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
    /// A sink may be opened while the one before it on the same lane still writes (attribute `opens-warm`).
    pub opens_warm: bool,
}

/// Whether the attributes say `opens-warm`.
pub(crate) fn opens_warm(attrs: &[(String, String)]) -> bool {
    attrs.iter().any(|(name, value)| name == "opens-warm" && value == "true")
}

/// Whether a plugin of this manifest can be started.
pub(crate) fn check_start(manifest: &Manifest, config: &str, grants: &Grants) -> Result<(), PluginError> {
    let plugin = || manifest.name.clone();
    let config = if config.is_empty() { "{}" } else { config };
    let bad = |detail| PluginError::Config { plugin: plugin(), detail };
    let config = serde_json::from_str(config).map_err(|e| bad(format!("it is not JSON: {e}")))?;
    schema(manifest)?.check(&config).map_err(bad)?;
    for c in manifest.capabilities.iter().filter(|c| c.required) {
        if !grants.has(&c.name).unwrap_or(false) {
            let (capability, reason) = (c.name.clone(), c.reason.clone());
            return Err(PluginError::NotGranted { plugin: plugin(), capability, reason });
        }
    }
    Ok(())
}

pub(crate) fn schema(manifest: &Manifest) -> Result<Schema, PluginError> {
    let failed = |e| PluginError::Describe { detail: format!("its configuration schema is not usable: {e}") };
    Schema::parse(&manifest.config_schema).map_err(failed)
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
pub(crate) async fn describe(engine: &PluginEngine, pre: &Pre) -> Result<Manifest, PluginError> {
    let failed = |detail: String| PluginError::Describe { detail };
    let mut core = Core::new(engine, "being loaded".into(), Arc::default(), &scratch(), Kept::default());
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
            Pre::Transform(pre) => {
                let guest = pre.instantiate_async(&mut *store).await?;
                guest.tidegate_plugin_describe().call_describe(store).await.map(manifest_of_transform)
            }
        }
    });
    let answer = answer.await;
    let manifest = core.end("describe", answer).map_err(|e| failed(e.to_string()))?;
    let named = |s: &str| !s.is_empty() && s.len() <= NAME_LEN_MAX && !s.contains(char::is_control);
    if !named(&manifest.name) || !named(&manifest.version) {
        return Err(failed("its name or version is empty or too long".to_owned()));
    }
    schema(&manifest)?;
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
                opens_warm: opens_warm(&m.attrs),
            }
        }
    };
}
manifest_from!(manifest_of_sink, sink);
manifest_from!(manifest_of_dispatcher, dispatcher);
manifest_from!(manifest_of_transform, transform);
