//! What a sink URI grants its plugin: named endpoints and a configuration.

use crate::ServerError;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tg_config::uri::Family;
use tg_config::{ChangefeedConfig, MysqlOptions, SinkUri};
use tg_downstream::{MysqlEndpoint, MysqlTarget, MysqlTls, Secret};
use tg_plugin::Grants;

use crate::record::Layout;

/// Name of the endpoint that the sink URI describes.
const ENDPOINT: &str = "downstream";
/// Longest wait for a DDL.
const DDL_TIMEOUT: Duration = Duration::from_secs(3600);

/// What the sink's instances may open and what they are told.
pub(crate) struct SinkSetup {
    pub(crate) grants: Grants,
    pub(crate) config: Map<String, Value>,
    /// The endpoint keeps the lanes' positions.
    pub(crate) keeps_progress: bool,
}

/// Connects what the URI names.
pub(crate) async fn set_up(
    uri: &SinkUri,
    config: &ChangefeedConfig,
    layout: Layout,
    incarnation: &str,
) -> Result<SinkSetup, ServerError> {
    let mut setup = match uri.scheme.family() {
        Family::Mysql => mysql(uri, config, layout, incarnation).await?,
        _ => SinkSetup { grants: Grants::default(), config: Map::new(), keeps_progress: false },
    };
    for (name, value) in &uri.plugin_params {
        setup.config.insert(name.clone(), json!(value.expose()));
    }
    if let Some(plugin) = &config.tidegate.sink {
        setup.config.extend(plugin.config.clone());
    }
    Ok(setup)
}

async fn mysql(
    uri: &SinkUri,
    config: &ChangefeedConfig,
    layout: Layout,
    incarnation: &str,
) -> Result<SinkSetup, ServerError> {
    let options = MysqlOptions::new(uri, config)?;
    let keeps_progress = config.tidegate.exactly_once;
    let endpoint = MysqlEndpoint::connect(MysqlTarget {
        incarnation: incarnation.to_owned(),
        ..target(&options, layout, keeps_progress)
    });
    let endpoint = endpoint.await?;
    let mut grants = Grants::default();
    grants.sql.insert(ENDPOINT.to_owned(), Arc::new(endpoint));
    let mut told = Map::new();
    told.insert("safe-mode".to_owned(), json!(options.safe_mode));
    told.insert("batch-dml-enable".to_owned(), json!(options.batch_dml));
    Ok(SinkSetup { grants, config: told, keeps_progress })
}

fn target(o: &MysqlOptions, layout: Layout, progress: bool) -> MysqlTarget {
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
        lanes: u32::from(layout.lanes),
        progress,
        ..MysqlTarget::default()
    }
}
