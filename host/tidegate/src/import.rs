//! `tidegate meta import-ticdc`.

use crate::server::{self, ServeError};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use tg_cli::ImportArgs;
use tg_config::{ConfigError, ServerConfig};
use tg_metastore::{EmbeddedStore, EtcdOptions, EtcdStore, EtcdTls, MetaStore};
use tg_server::{Imported, ServerError, TicdcSource};

/// Takes changefeeds over, and says which, and what to look at.
pub(crate) async fn run(args: ImportArgs, keyspace: String, as_json: bool) -> Result<(), ServeError> {
    let (config, warnings) = ServerConfig::resolve(args.server.config.as_deref(), &args.server.overrides())?;
    for warning in &warnings {
        eprintln!("{warning}");
    }
    server::install_crypto();
    let from = ticdc(&args).await?;
    let to = own(&config).await?;
    let (cluster, only, dry_run) = (args.ticdc_cluster_id, args.changefeed_id, args.dry_run);
    let source = TicdcSource { cluster, keyspace, only, dry_run };
    let imported = tg_server::import_ticdc(&from, to, &config.cluster_id, &source).await?;
    if as_json {
        println!("{:#}", shown(&imported, dry_run));
    } else {
        print!("{}", told(&imported, dry_run));
    }
    Ok(())
}

/// TiCDC's etcd: PD's, with the certificates that are shown to PD.
async fn ticdc(args: &ImportArgs) -> Result<EtcdStore, ServeError> {
    let endpoints = endpoints(&args.etcd)?;
    let files = &args.server.tls;
    let file = |path: Option<&str>| path.filter(|p| !p.is_empty()).map(PathBuf::from);
    let tls = endpoints.iter().any(|e| e.starts_with("https://"));
    let tls = tls.then(|| EtcdTls {
        ca: file(files.ca.as_deref()),
        identity: file(files.cert.as_deref()).zip(file(files.key.as_deref())),
    });
    let store = EtcdStore::connect_with(&endpoints, EtcdOptions { credentials: None, tls }).await;
    store.map_err(|e| ServerError::from(e).into())
}

fn endpoints(url: &str) -> Result<Vec<String>, ConfigError> {
    let bad = |reason: &str| ConfigError::BadServer { key: "ETCD_URL".to_owned(), reason: reason.to_owned() };
    let (scheme, hosts) = url.split_once("://").unwrap_or(("http", url));
    let scheme = match scheme {
        "http" | "etcd" => "http",
        "https" => "https",
        _ => return Err(bad("write http://host:2379, https://host:2379 or etcd://host:2379")),
    };
    let bare = |host: &str| {
        let host = host.trim_start_matches("http://").trim_start_matches("https://").trim_end_matches('/');
        (!host.is_empty() && !host.contains(['/', '@'])).then(|| format!("{scheme}://{host}"))
    };
    let hosts: Option<Vec<String>> = hosts.split(',').map(bare).collect();
    hosts.ok_or_else(|| bad("between commas there are host:port and nothing else"))
}

/// Where the changefeeds of the server are kept.
async fn own(config: &ServerConfig) -> Result<Arc<dyn MetaStore>, ServeError> {
    let meta = |e| ServeError::from(ServerError::from(e));
    if let Some(metastore) = &config.metastore {
        let of = server::cluster_options(metastore, &config.security);
        return Ok(Arc::new(EtcdStore::connect_with(&of.endpoints, of.etcd).await.map_err(meta)?));
    }
    let folder = config.data_dir.clone().unwrap_or_else(|| PathBuf::from(server::DATA_DIR_DEFAULT));
    Ok(Arc::new(EmbeddedStore::open(&folder).map_err(meta)?))
}

fn shown(imported: &Imported, dry_run: bool) -> Value {
    let feeds = imported.changefeeds.iter().map(|feed| {
        json!({
            "changefeed": feed.id.name, "namespace": feed.id.namespace, "sink_uri": feed.sink_uri.to_string(),
            "start_ts": feed.start.ts, "target_ts": feed.target_ts, "warnings": feed.warnings,
        })
    });
    let passed_over = imported
        .passed_over
        .iter()
        .map(|(id, state)| json!({ "changefeed": id.name, "namespace": id.namespace, "state": state }));
    json!({ "dry_run": dry_run, "changefeeds": feeds.collect::<Vec<_>>(), "passed_over": passed_over.collect::<Vec<_>>() })
}

fn told(imported: &Imported, dry_run: bool) -> String {
    let mut text = String::new();
    for feed in &imported.changefeeds {
        text += &format!("{}: {} from {}\n", feed.id, feed.sink_uri, feed.start.ts);
        feed.warnings.iter().for_each(|warning| text += &format!("  warning: {warning}\n"));
    }
    for (id, state) in &imported.passed_over {
        text += &format!("{id}: passed over, it is {state}\n");
    }
    let count = imported.changefeeds.len();
    text += &if dry_run {
        format!("{count} changefeeds would be taken over.\n")
    } else {
        format!(
            "Took over {count} changefeeds, paused. `tidegate changefeed resume` starts them. Remove them from TiCDC after that: it holds \
             what they need of the upstream until then.\n"
        )
    };
    text
}

#[cfg(test)]
mod tests {
    use super::endpoints;

    #[test]
    fn the_etcd_is_named_as_pd_is() {
        assert_eq!(endpoints("http://a:2379").unwrap(), ["http://a:2379"]);
        assert_eq!(endpoints("https://a:2379,https://b:2379/").unwrap(), ["https://a:2379", "https://b:2379"]);
        assert_eq!(endpoints("etcd://a:1,b:2").unwrap(), ["http://a:1", "http://b:2"]);
        assert_eq!(endpoints("a:1").unwrap(), ["http://a:1"]);
        for bad in ["mysql://a:1", "http://", "http://a:1,,b:2", "http://user:pass@a:1", "http://a:1/path/x"] {
            assert!(endpoints(bad).is_err(), "{bad}");
        }
    }
}
