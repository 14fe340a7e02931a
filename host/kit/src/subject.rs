//! The component that is judged.

use crate::world::{GrantNames, World, grants};
use crate::{KitError, Settings};
use std::path::Path;
use std::sync::Arc;
use tg_model::{ChangefeedId, LaneId, Position, SlotId};
use tg_plugin::grant::{LaneContext, Secret};
use tg_plugin::{EngineOptions, Grants, InstanceSpec, Kind, Limits, Plugin, PluginEngine};

/// Instances that live at once.
const INSTANCES_MAX: u32 = 16;
/// Lanes of the slot that instances are told of.
pub(crate) const LANES: u16 = 4;
/// Capabilities that write somewhere, and the name they are granted under unless the settings say another.
const WRITERS: [&str; 4] = ["sql", "producer", "object-store", "http"];
/// Name of what is granted.
const ENDPOINT: &str = "downstream";

/// A loaded component with what it is given.
pub struct Subject {
    pub(crate) plugin: Plugin,
    pub(crate) settings: Settings,
    pub(crate) names: GrantNames,
}

impl Subject {
    /// Compiles and checks the component.
    ///
    /// # Errors
    /// [`KitError::File`], [`KitError::Plugin`].
    pub async fn load(path: &Path, settings: Settings) -> Result<Self, KitError> {
        let shown = path.display().to_string();
        let read = tokio::fs::read(path).await;
        let bytes = read.map_err(|e| KitError::File { path: shown.clone(), reason: e.to_string() })?;
        Self::of_bytes(&shown, bytes, settings).await
    }

    /// The same from bytes; `name` is for errors.
    ///
    /// # Errors
    /// [`KitError::Plugin`].
    pub async fn of_bytes(name: &str, bytes: Vec<u8>, settings: Settings) -> Result<Self, KitError> {
        let bad = |source| KitError::Plugin { path: name.to_owned(), source };
        let options = EngineOptions { instances_max: INSTANCES_MAX, ..EngineOptions::default() };
        let engine = PluginEngine::new(&options).map_err(bad)?;
        let plugin = Plugin::load(&engine, bytes).await.map_err(bad)?;
        let names = settings.grants.clone().unwrap_or_else(|| asked(&plugin));
        Ok(Self { plugin, settings, names })
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.plugin.kind()
    }

    /// The component itself.
    #[must_use]
    pub const fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    pub(crate) fn limits(&self) -> Limits {
        let of_kind = if self.kind() == Kind::Sink { Limits::SINK } else { Limits::DISPATCHER };
        Limits { memory_bytes: self.settings.memory_bytes.unwrap_or(of_kind.memory_bytes), ..of_kind }
    }

    /// What those may have that open nothing.
    fn secrets(&self) -> Grants {
        let secrets = self.names.secret.iter().map(|(name, value)| (name.clone(), Secret::new(value))).collect();
        Grants { secrets, ..Grants::default() }
    }

    /// What an instance is started with.
    pub(crate) fn spec(&self, lane: u16, epoch: u64, world: Option<&Arc<World>>) -> InstanceSpec {
        let changefeed = ChangefeedId { namespace: ChangefeedId::DEFAULT_NAMESPACE.to_owned(), name: "kit".to_owned() };
        InstanceSpec {
            lane: LaneContext { changefeed, slot: SlotId(0), lane: LaneId(lane), epoch: (1, epoch) },
            lanes: LANES,
            config: self.settings.config.clone(),
            checkpoint: Position::ZERO,
            state: None,
            grants: world.map_or_else(|| self.secrets(), |world| grants(world, &self.names)),
            limits: self.limits(),
        }
    }
}

/// What the component asks for, under one name.
fn asked(plugin: &Plugin) -> GrantNames {
    let wants = |name: &str| plugin.manifest().capabilities.iter().any(|c| c.name == name);
    let names = |name: &str| if wants(name) { vec![ENDPOINT.to_owned()] } else { Vec::new() };
    let [sql, producer, object_store, http] = WRITERS.map(names);
    GrantNames { sql, producer, object_store, http, ..GrantNames::default() }
}
