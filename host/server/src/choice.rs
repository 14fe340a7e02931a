//! Which plugins a changefeed runs: from what its file says to versions, and back from its record.

use crate::ServerError;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tg_config::changefeed::PluginConfig;
use tg_config::uri::Family;
use tg_config::{ChangefeedConfig, SinkUri};
use tg_plugin::{Kind, Plugin};
use tg_registry::{Pinned, PluginRef, Registry};

/// The dispatcher used when the changefeed names none.
const DISPATCHER_DEFAULT: &str = "dispatcher";
/// The one that knows `[[sink.dispatchers]]`: the default where rows have topics.
pub(crate) const RULES: &str = "rules";

/// What a plugin does in a changefeed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Role {
    /// Reshapes rows; the number is its place.
    Transform(usize),
    /// Routes rows.
    Dispatcher,
    /// Writes rows.
    Sink,
}

impl Role {
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Transform(_) => Kind::Transform,
            Self::Dispatcher => Kind::Dispatcher,
            Self::Sink => Kind::Sink,
        }
    }

    /// What the file says of it.
    pub(crate) fn config(self, config: &ChangefeedConfig) -> Option<&PluginConfig> {
        match self {
            Self::Transform(i) => config.tidegate.transforms.get(i),
            Self::Dispatcher => config.tidegate.dispatcher.as_ref(),
            Self::Sink => config.tidegate.sink.as_ref(),
        }
    }

    /// What is to be run, as the file or the sink URI names it.
    pub(crate) fn wanted<'a>(self, uri: &'a SinkUri, config: &'a ChangefeedConfig) -> &'a str {
        let default = match self {
            Self::Sink => uri.scheme.plugin(),
            _ if uri.scheme.family() == Family::Kafka => RULES,
            _ => DISPATCHER_DEFAULT,
        };
        self.config(config).map_or(default, |p| p.plugin.as_str())
    }

    /// The name that it follows to other versions; `None`: it stays.
    pub(crate) fn follows<'a>(self, uri: &'a SinkUri, config: &'a ChangefeedConfig) -> Option<&'a str> {
        let wanted = self.wanted(uri, config);
        let follows = self.config(config).map_or_else(|| !wanted.contains('@'), PluginConfig::follows);
        follows.then_some(wanted)
    }

    /// All roles of a changefeed, in the order rows pass them.
    pub(crate) fn all(config: &ChangefeedConfig) -> Vec<Self> {
        let transforms = (0..config.tidegate.transforms.len()).map(Self::Transform);
        transforms.chain([Self::Dispatcher, Self::Sink]).collect()
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Transform(i) => write!(f, "transforms[{i}]"),
            Self::Dispatcher => f.write_str("dispatcher"),
            Self::Sink => f.write_str("sink"),
        }
    }
}

/// Plugins with their configuration, under a label that progress records name.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) label: String,
    pub(crate) config: Arc<ChangefeedConfig>,
    /// By role.
    pub(crate) plugins: Vec<(Role, Pinned)>,
}

impl Choice {
    /// What the file means now.
    pub(crate) async fn resolve(
        registry: &Registry,
        uri: &SinkUri,
        config: &Arc<ChangefeedConfig>,
    ) -> Result<Self, ServerError> {
        Self::resolve_if(registry, uri, config, None).await
    }

    /// What the file would mean if this were the active version of its name.
    pub(crate) async fn resolve_if(
        registry: &Registry,
        uri: &SinkUri,
        config: &Arc<ChangefeedConfig>,
        active: Option<&Pinned>,
    ) -> Result<Self, ServerError> {
        let mut plugins = Vec::new();
        for role in Role::all(config) {
            let wanted: PluginRef = role.wanted(uri, config).parse()?;
            let followed = role.follows(uri, config);
            let pinned = match active.filter(|a| followed == Some(a.name.as_str())) {
                Some(active) => active.clone(),
                None => registry.resolve(&wanted).await?,
            };
            plugins.push((role, pinned));
        }
        Ok(Self { label: crate::record::new_incarnation(), config: Arc::clone(config), plugins })
    }

    /// Compiles one of them, and checks that it is what its role needs.
    pub(crate) async fn load(&self, registry: &Registry, role: Role) -> Result<Arc<Plugin>, ServerError> {
        let found = self.plugins.iter().find(|(r, _)| *r == role).map(|(_, pinned)| pinned);
        let pinned = found.ok_or_else(|| ServerError::NoRole { role: role.to_string() })?;
        let digest = role.config(&self.config).and_then(|p| p.digest.as_deref());
        let plugin = registry.load(pinned, digest).await?;
        if plugin.kind() == role.kind() {
            return Ok(plugin);
        }
        let wanted = match role {
            Role::Transform(_) => "transform",
            Role::Dispatcher => "dispatcher",
            Role::Sink => "sink",
        };
        Err(ServerError::WrongKind { name: pinned.name.clone(), wanted })
    }

    /// The same versions under the same configuration.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.plugins == other.plugins && self.config == other.config
    }

    /// Whether rows may take other lanes, or be counted otherwise, than under the other.
    pub(crate) fn routes_otherwise(&self, other: &Self) -> bool {
        fn stages(c: &Choice) -> impl Iterator<Item = &(Role, Pinned)> {
            c.plugins.iter().filter(|(role, _)| *role != Role::Sink)
        }
        let (a, b) = (&self.config, &other.config);
        let own = a.tidegate.dispatcher != b.tidegate.dispatcher || a.tidegate.transforms != b.tidegate.transforms;
        let tables = a.filter != b.filter
            || a.case_sensitive != b.case_sensitive
            || a.force_replicate != b.force_replicate
            || a.bdr_mode != b.bdr_mode;
        own || tables || a.sink.dispatchers != b.sink.dispatchers || !stages(self).eq(stages(other))
    }

    /// For people: `role name@version`.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.plugins.iter().map(|(role, pinned)| format!("{role} {pinned}")).collect()
    }

    pub(crate) fn to_stored(&self) -> Value {
        let of = |role| self.plugins.iter().find(|(r, _)| *r == role).map(|(_, p)| p);
        let transforms: Vec<&Pinned> =
            self.plugins.iter().filter(|(r, _)| matches!(r, Role::Transform(_))).map(|(_, pinned)| pinned).collect();
        json!({
            "label": self.label,
            "config": self.config.to_stored(),
            "sink": of(Role::Sink),
            "dispatcher": of(Role::Dispatcher),
            "transforms": transforms,
        })
    }

    /// `None`: it is of a later version, or damaged.
    pub(crate) fn from_stored(stored: &Value) -> Option<Self> {
        let fields: &Map<String, Value> = stored.as_object()?;
        let pinned = |v: &Value| serde_json::from_value::<Pinned>(v.clone()).ok();
        let mut plugins = Vec::new();
        for (i, transform) in fields.get("transforms")?.as_array()?.iter().enumerate() {
            plugins.push((Role::Transform(i), pinned(transform)?));
        }
        plugins.push((Role::Dispatcher, pinned(fields.get("dispatcher")?)?));
        plugins.push((Role::Sink, pinned(fields.get("sink")?)?));
        Some(Self {
            label: fields.get("label")?.as_str()?.to_owned(),
            config: Arc::new(ChangefeedConfig::from_stored(fields.get("config")?).ok()?),
            plugins,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, Role};
    use serde_json::json;
    use tg_config::{ChangefeedConfig, SinkUri};

    /// A choice as the first version of the record holds it.
    #[test]
    fn stored_choices_are_read() {
        let plugin = |name: &str, builtin: bool| {
            let digest = format!("sha256:{}", "0a".repeat(32));
            json!({ "name": name, "version": "1.0.0", "digest": digest, "builtin": builtin })
        };
        let stored = json!({
            "label": "a1", "config": { "tidegate": { "transforms": [{ "plugin": "mask" }] } },
            "sink": plugin("orders", false), "dispatcher": plugin("dispatcher", true), "transforms": [plugin("mask", true)],
        });
        let choice = Choice::from_stored(&stored).unwrap();
        assert_eq!(choice.shown(), ["transforms[0] mask@1.0.0", "dispatcher dispatcher@1.0.0", "sink orders@1.0.0"]);
        let again = Choice::from_stored(&choice.to_stored()).unwrap();
        assert!(again.same(&choice) && again.label == "a1");
        assert!(Choice::from_stored(&json!({ "label": "a1" })).is_none());
    }

    #[test]
    fn another_dispatcher_or_transform_routes_otherwise_and_another_sink_does_not() {
        let choice = |toml: &str, sink: &str, dispatcher: &str| {
            let plugin = |name: &str| {
                let digest = format!("sha256:{}", "0a".repeat(32));
                json!({ "name": name, "version": "1.0.0", "digest": digest, "builtin": false })
            };
            let stored = json!({ "label": "a", "config": {}, "sink": plugin(sink), "dispatcher": plugin(dispatcher), "transforms": [] });
            let (config, _) = ChangefeedConfig::from_toml("t", toml).unwrap();
            Choice { config: std::sync::Arc::new(config), ..Choice::from_stored(&stored).unwrap() }
        };
        let now = choice("", "a", "d");
        assert!(!now.routes_otherwise(&choice("[tidegate.sink]\nplugin = 'a'", "b", "d")));
        assert!(now.routes_otherwise(&choice("", "a", "e")));
        let configured = "[tidegate.dispatcher]\nplugin = 'd'\nconfig = { by = 'table' }";
        assert!(now.routes_otherwise(&choice(configured, "a", "d")));
    }

    #[test]
    fn names_follow_and_versions_stay() {
        let toml = "[tidegate.sink]\nplugin = 'orders'\n[tidegate.dispatcher]\nplugin = 'route@2'";
        let (config, _) = ChangefeedConfig::from_toml("t", toml).unwrap();
        let uri = SinkUri::parse("blackhole://").unwrap();
        assert_eq!(Role::Sink.follows(&uri, &config), Some("orders"));
        assert_eq!(Role::Dispatcher.follows(&uri, &config), None);
        let plain = ChangefeedConfig::default();
        assert_eq!(Role::Sink.follows(&uri, &plain), Some("blackhole"));
        assert_eq!(Role::Sink.follows(&SinkUri::parse("plugin+a@1://").unwrap(), &plain), None);
        assert_eq!(Role::all(&config), [Role::Dispatcher, Role::Sink]);
    }
}
