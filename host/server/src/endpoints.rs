//! What a changefeed's plugins may open: the downstream of its sink URI, and what its file grants by name.

use crate::choice::{RULES, Role};
use crate::kafka::{CLAIMS, KafkaSide, REGISTRY};
use crate::record::Layout;
use crate::{ServerError, granted, postgres, storage};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tg_config::changefeed::{GrantsConfig, PluginConfig};
use tg_config::uri::Family;
use tg_config::{ChangefeedConfig, ConfigError, KafkaOptions, Location, MysqlOptions, Scheme, SinkUri, StorageOptions};
use tg_kafka::KafkaEndpoint;
use tg_mysql::{Flavor, MysqlEndpoint, MysqlTarget, MysqlTls, Secret};
use tg_object_store::StoreEndpoint;
use tg_plugin::{Grants, Plugin};

/// Name of the endpoint that the sink URI describes.
const ENDPOINT: &str = "downstream";
/// Longest wait for a DDL.
pub(crate) const DDL_TIMEOUT: Duration = Duration::from_secs(3600);

/// Everything that can be opened, connected once for all instances of a run.
pub(crate) struct Endpoints {
    /// What the sink URI describes.
    downstream: Grants,
    /// What the file grants.
    granted: Grants,
    /// Parameters of the sink URI that are for the plugin, as texts.
    params: Map<String, Value>,
    /// What the sink in the box that belongs to the URI is told besides.
    options: Map<String, Value>,
    /// What the dispatcher in the box that belongs to the URI is told.
    rules: Map<String, Value>,
    /// Brokers of the URI.
    pub(crate) kafka: Option<Arc<KafkaEndpoint>>,
    /// The endpoint keeps the lanes' positions.
    pub(crate) keeps_progress: bool,
    /// How long rows may wait for others before they are made durable.
    pub(crate) linger: Duration,
    /// What it was made of.
    uri: SinkUri,
    grants: GrantsConfig,
}

/// All replicas in sync have a message before it counts.
const ACKS_ALL: i64 = -1;

/// Whether the sink is the one in the box that belongs to the URI.
fn writes_with_its_own(uri: &SinkUri, config: &ChangefeedConfig) -> bool {
    config.tidegate.sink.as_ref().is_none_or(|p| p.plugin.split('@').next() == Some(uri.scheme.plugin()))
}

/// Whether writers of such a changefeed are fenced where they write, as far as one knows without asking: positions are kept there,
/// under an epoch.
pub(crate) fn fences(uri: &SinkUri, config: &ChangefeedConfig) -> bool {
    config.tidegate.exactly_once
        && match uri.scheme.family() {
            Family::Mysql | Family::Postgres => true,
            Family::Storage => uri.scheme != Scheme::Noop && writes_with_its_own(uri, config),
            Family::Kafka => KafkaOptions::new(uri, config).is_ok_and(|o| o.link.required_acks == ACKS_ALL),
            _ => false,
        }
}

fn sync_point(reason: String) -> ConfigError {
    ConfigError::Conflict { at: Location::whole("changefeed config"), key: "enable-sync-point".to_owned(), reason }
}

impl Endpoints {
    /// Connects what the URI names and the file grants.
    pub(crate) async fn connect(
        uri: &SinkUri,
        config: &ChangefeedConfig,
        (layout, incarnation): (Layout, &str),
        secrets: &Path,
    ) -> Result<Self, ServerError> {
        if config.enable_sync_point && uri.scheme.family() != Family::Mysql && writes_with_its_own(uri, config) {
            return Err(sync_point(format!("needs a TiDB downstream: `{}` has none", uri.scheme.plugin())).into());
        }
        let mut found = Self {
            downstream: Grants::default(),
            granted: granted::open(&config.tidegate.grants, secrets).await?,
            params: Map::new(),
            options: Map::new(),
            rules: Map::new(),
            kafka: None,
            keeps_progress: false,
            linger: Duration::ZERO,
            uri: uri.clone(),
            grants: config.tidegate.grants.clone(),
        };
        match uri.scheme.family() {
            Family::Mysql => found.mysql(uri, config, layout, incarnation).await?,
            Family::Postgres => {
                let (endpoint, options) = Box::pin(postgres::open(uri, config, layout, incarnation)).await?;
                found.downstream.sql.insert(ENDPOINT.to_owned(), endpoint);
                (found.keeps_progress, found.options) = (config.tidegate.exactly_once, options);
            }
            Family::Storage if uri.scheme != Scheme::Noop => found.storage(uri, config, incarnation).await?,
            Family::Kafka => found.kafka(KafkaSide::connect(uri, config, incarnation).await?),
            _ => {}
        }
        for (name, value) in &uri.plugin_params {
            found.params.insert(name.clone(), json!(value.expose()));
        }
        Ok(found)
    }

    /// Whether these are what another URI and file need too.
    pub(crate) fn serve(&self, uri: &SinkUri, config: &ChangefeedConfig) -> bool {
        self.uri == *uri && self.grants == config.tidegate.grants
    }

    async fn mysql(
        &mut self,
        uri: &SinkUri,
        config: &ChangefeedConfig,
        layout: Layout,
        incarnation: &str,
    ) -> Result<(), ServerError> {
        let options = MysqlOptions::new(uri, config)?;
        self.keeps_progress = config.tidegate.exactly_once;
        let endpoint = MysqlEndpoint::connect(MysqlTarget {
            incarnation: incarnation.to_owned(),
            lanes: u32::from(layout.lanes),
            progress: self.keeps_progress,
            ..target(&options)
        });
        let endpoint = endpoint.await?;
        if config.enable_sync_point {
            let flavor = endpoint.facts().flavor;
            if flavor != Flavor::Tidb && writes_with_its_own(uri, config) {
                let reason = format!(
                    "needs a TiDB downstream: {} at {} cannot be read as of a moment in the past",
                    flavor.name(),
                    endpoint.target().display_name()
                );
                return Err(sync_point(reason).into());
            }
            self.options
                .insert("sync-point-retention-s".to_owned(), json!(config.sync_point_retention.get().as_secs()));
        }
        self.downstream.sql.insert(ENDPOINT.to_owned(), Arc::new(endpoint));
        self.options.insert("safe-mode".to_owned(), json!(options.safe_mode));
        self.options.insert("batch-dml-enable".to_owned(), json!(options.batch_dml));
        Ok(())
    }

    async fn storage(
        &mut self,
        uri: &SinkUri,
        config: &ChangefeedConfig,
        incarnation: &str,
    ) -> Result<(), ServerError> {
        let options = StorageOptions::new(uri, config)?;
        // The sink keeps them, in its manifests.
        self.keeps_progress = config.tidegate.exactly_once && writes_with_its_own(uri, config);
        self.linger = options.flush_interval.get();
        let endpoint = StoreEndpoint::connect(&storage::target(&options.place)?).await?;
        self.downstream.object_stores.insert(ENDPOINT.to_owned(), Arc::new(endpoint));
        self.options = options.plugin;
        self.options.insert("incarnation".to_owned(), json!(incarnation));
        self.options.insert("endpoint".to_owned(), json!(ENDPOINT));
        Ok(())
    }

    fn kafka(&mut self, side: KafkaSide) {
        self.keeps_progress = side.keeps_progress;
        self.downstream.producers.insert(ENDPOINT.to_owned(), Arc::clone(&side.endpoint) as _);
        self.downstream.http.extend(side.registry.map(|r| (REGISTRY.to_owned(), r)));
        self.downstream.object_stores.extend(side.claims.map(|c| (CLAIMS.to_owned(), c as _)));
        self.kafka = Some(side.endpoint);
        self.options = side.options;
        self.rules = side.rules;
    }

    /// What the sink may open and what it is told, as JSON. `component` is the sink; its schema says of which type parameters are.
    pub(crate) fn for_sink(&self, plugin: Option<&PluginConfig>, component: &Plugin) -> (Grants, String) {
        let mut told = component.typed(self.params.clone());
        if plugin.is_none_or(|p| p.plugin.split('@').next() == Some(self.uri.scheme.plugin())) {
            told.extend(self.options.clone());
        }
        told.extend(plugin.map(|p| p.config.clone()).unwrap_or_default());
        let mut grants = match plugin.and_then(|p| p.grants.as_ref()) {
            Some(names) => granted::only(&self.granted, names),
            None => Grants { secrets: std::collections::BTreeMap::new(), ..self.granted.clone() },
        };
        grants.sql.extend(self.downstream.sql.clone());
        grants.producers.extend(self.downstream.producers.clone());
        grants.object_stores.extend(self.downstream.object_stores.clone());
        grants.http.extend(self.downstream.http.clone());
        (grants, Value::Object(told).to_string())
    }

    /// What a dispatcher or a transform may open and what it is told.
    pub(crate) fn for_stage(&self, role: Role, plugin: Option<&PluginConfig>) -> (Grants, String) {
        let names = plugin.and_then(|p| p.grants.as_deref()).unwrap_or_default();
        let mut told = Map::new();
        let in_the_box = plugin.is_none_or(|p| p.plugin.split('@').next() == Some(RULES));
        if role == Role::Dispatcher && in_the_box {
            told.extend(self.rules.clone());
        }
        told.extend(plugin.map(|p| p.config.clone()).unwrap_or_default());
        (granted::only(&self.granted, names), Value::Object(told).to_string())
    }
}

/// A MySQL-class downstream as its URI and file describe it.
#[must_use]
pub fn target(o: &MysqlOptions) -> MysqlTarget {
    let tls = o.tls.then(|| MysqlTls {
        ca: o.ssl_ca.as_ref().map(PathBuf::from),
        identity: o.ssl_cert.as_ref().zip(o.ssl_key.as_ref()).map(|(c, k)| (PathBuf::from(c), PathBuf::from(k))),
    });
    MysqlTarget {
        host: o.host.clone(),
        port: o.port,
        user: o.user.clone(),
        password: Secret::new(o.password.expose().to_owned()),
        tls,
        connect_timeout: o.connect_timeout.get(),
        statement_timeout: o.read_timeout.max(o.write_timeout).get(),
        ddl_timeout: DDL_TIMEOUT,
        multi_statements: o.multi_statement,
        tidb_txn_mode: o.tidb_txn_mode.clone(),
        ..MysqlTarget::default()
    }
}
