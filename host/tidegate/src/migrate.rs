//! `tidegate meta migrate`.

use crate::server::{self, ServeError};
use std::path::PathBuf;
use std::sync::Arc;
use tg_cli::MigrateArgs;
use tg_config::{ConfigError, ServerConfig};
use tg_metastore::{EmbeddedStore, EtcdStore, MetaStore};
use tg_server::ServerError;

/// Moves metadata, and says what was moved and what is left to do.
pub(crate) async fn run(args: MigrateArgs) -> Result<(), ServeError> {
    let (config, warnings) = ServerConfig::resolve(args.server.config.as_deref(), &args.server.overrides())?;
    for warning in &warnings {
        eprintln!("{warning}");
    }
    server::install_crypto();
    let Some(metastore) = &config.metastore else {
        let reason = "say where the other store is, like --metastore etcd://127.0.0.1:2379".to_owned();
        return Err(ConfigError::BadServer { key: "metastore".to_owned(), reason }.into());
    };
    let of = server::cluster_options(metastore, &config.security);
    let folder = config.data_dir.clone().unwrap_or_else(|| PathBuf::from(server::DATA_DIR_DEFAULT));
    let meta = |e| ServeError::from(ServerError::from(e));
    let file: Arc<dyn MetaStore> = Arc::new(EmbeddedStore::open(&folder).map_err(meta)?);
    let etcd: Arc<dyn MetaStore> = Arc::new(EtcdStore::connect_with(&of.endpoints, of.etcd).await.map_err(meta)?);
    let (from, to) = if args.back { (etcd, file) } else { (file, etcd) };
    let moved = tg_server::migrate(from, to, &config.cluster_id).await?;
    println!(
        "Moved {} changefeeds and {} plugins. They go on from their checkpoints when a server starts {} --metastore.",
        moved.changefeeds,
        moved.plugins,
        if args.back { "without" } else { "with" }
    );
    if !args.back && moved.plugins > 0 {
        println!("The plugins' components are in {}: start a server with this data directory too.", folder.display());
    }
    Ok(())
}
