//! A PostgreSQL downstream as its URI and file describe it.

use crate::ServerError;
use crate::endpoints::DDL_TIMEOUT;
use crate::record::Layout;
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::sync::Arc;
use tg_config::uri::Family;
use tg_config::{ChangefeedConfig, MysqlOptions, PostgresOptions, SinkUri, SslMode};
use tg_mysql::{MysqlEndpoint, MysqlTarget, Secret};
use tg_plugin::grant::SqlEndpoint;
use tg_postgres::{PostgresEndpoint, PostgresTarget, PostgresTls, Verify};

/// Connects what a sink URI names; what the sink in the box is told besides.
pub(crate) async fn open(
    uri: &SinkUri,
    config: &ChangefeedConfig,
    layout: Layout,
    incarnation: &str,
) -> Result<(Arc<dyn SqlEndpoint>, Map<String, Value>), ServerError> {
    let options = PostgresOptions::new(uri, config);
    let endpoint = PostgresEndpoint::connect(PostgresTarget {
        incarnation: incarnation.to_owned(),
        lanes: u32::from(layout.lanes),
        progress: config.tidegate.exactly_once,
        ..target(&options)
    });
    Ok((Arc::new(endpoint.await?), options.plugin))
}

fn target(o: &PostgresOptions) -> PostgresTarget {
    let tls = |verify, or_plain| PostgresTls {
        verify,
        or_plain,
        ca: o.ssl_root_cert.as_ref().map(PathBuf::from),
        identity: o.ssl_identity.as_ref().map(|(c, k)| (PathBuf::from(c), PathBuf::from(k))),
    };
    PostgresTarget {
        host: o.host.clone(),
        port: o.port,
        user: o.user.clone(),
        password: Secret::new(o.password.expose().to_owned()),
        database: o.database.clone(),
        tls: match o.ssl_mode {
            SslMode::Disable => None,
            SslMode::Prefer => Some(tls(Verify::Nothing, true)),
            SslMode::Require => Some(tls(Verify::Nothing, false)),
            SslMode::VerifyCa => Some(tls(Verify::Authority, false)),
            SslMode::VerifyFull => Some(tls(Verify::Host, false)),
        },
        connect_timeout: o.connect_timeout.get(),
        statement_timeout: o.read_timeout.max(o.write_timeout).get(),
        ddl_timeout: DDL_TIMEOUT,
        ..PostgresTarget::default()
    }
}

/// What a grant opens: a SQL database of either kind, that keeps no positions.
pub(crate) async fn granted(uri: &SinkUri) -> Result<Arc<dyn SqlEndpoint>, ServerError> {
    let config = ChangefeedConfig::default();
    if uri.scheme.family() == Family::Postgres {
        let target = PostgresTarget { progress: false, ..target(&PostgresOptions::new(uri, &config)) };
        return Ok(Arc::new(PostgresEndpoint::connect(target).await?));
    }
    let target = crate::endpoints::target(&MysqlOptions::new(uri, &config)?);
    Ok(Arc::new(MysqlEndpoint::connect(MysqlTarget { progress: false, ..target }).await?))
}
