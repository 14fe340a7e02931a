//! `tidegate server`.

mod cluster;
mod common_name;
mod error;
mod log;
mod peers;
mod tls;

pub(crate) use cluster::options as cluster_options;
pub(crate) use error::{CODES, ServeError};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tg_cli::ServerArgs;
use tg_config::ConfigError;
use tg_config::ServerConfig;
use tg_server::{GuestLog, Node, NodeOptions, PluginOptions};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Where data is kept when nothing is said.
pub(crate) const DATA_DIR_DEFAULT: &str = "tidegate-data";
/// Bound of memory on a machine that does not tell how much it has.
const MEMORY_DEFAULT_BYTES: u64 = 1 << 30;
/// How long open connections may take to end.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// Runs a server until it is told to stop.
pub(crate) async fn run(args: ServerArgs) -> Result<(), ServeError> {
    let (config, warnings) = ServerConfig::resolve(args.config.as_deref(), &args.overrides())?;
    let guest_log = GuestLog::default();
    log::start(&config, &guest_log)?;
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    install_crypto();
    let listener = TcpListener::bind(&config.addr).await;
    let listener = listener.map_err(|error| ServeError::Listen { addr: config.addr.clone(), error })?;
    let tls = tls::acceptor(&config.security, config.metastore.is_some())?;
    let node = Node::start(options(&config, guest_log)?).await?;
    tracing::info!(addr = %config.addr, pd = %config.pd.join(","), version = env!("CARGO_PKG_VERSION"), "tidegate serves");
    let api = node.serve(tg_api::router(Arc::new(node.control()), api_options(&config)));
    let stop = stop_signal()?;
    let (closing, closed) = tokio::sync::oneshot::channel::<()>();
    let leaving = Arc::clone(&node);
    let until = async move {
        stop.await;
        // Streams of other nodes stay open until it has left them.
        leaving.leave().await;
        let _ = closing.send(());
    };
    let serving = async move {
        match tls {
            None => axum::serve(listener, api).with_graceful_shutdown(until).await,
            Some(tls) => axum::serve(tls.listen(listener), api).with_graceful_shutdown(until).await,
        }
    };
    let bounded = async {
        let _ = closed.await;
        tokio::time::sleep(CLOSE_MAX).await;
    };
    let served = tokio::select! {
        served = serving => served,
        () = bounded => Ok(()),
    };
    node.shut_down().await;
    tracing::info!("tidegate has stopped");
    served.map_err(|error| ServeError::System { what: "connections cannot be accepted", error })
}

/// One TLS provider for the process.
pub(crate) fn install_crypto() {
    // A second call finds it installed, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn options(config: &ServerConfig, guest_log: GuestLog) -> Result<NodeOptions, ServeError> {
    let file = |p: &str| (!p.is_empty()).then(|| PathBuf::from(p));
    let s = &config.security;
    Ok(NodeOptions {
        address: config.advertise_addr.clone(),
        cluster: config.cluster_id.clone(),
        pd: config.pd.clone(),
        tls: file(&s.ca_path).map(|ca| tg_upstream::TlsPaths { ca, cert: file(&s.cert_path), key: file(&s.key_path) }),
        data_dir: config.data_dir.clone().unwrap_or_else(|| PathBuf::from(DATA_DIR_DEFAULT)),
        memory_limit_bytes: memory_limit(config),
        gc_ttl: Duration::from_secs(config.gc_ttl_secs),
        set_log_level: log::set_level,
        plugins: plugins(config, guest_log)?,
        cluster_of: config.metastore.as_ref().map(|m| cluster::options(m, &config.security)),
    })
}

fn plugins(config: &ServerConfig, log: GuestLog) -> Result<PluginOptions, ServeError> {
    let own = &config.file.plugins;
    let bad = |reason: String| ConfigError::BadServer { key: "plugins.trusted-keys".to_owned(), reason };
    let keys = own.trusted_keys.iter().map(|k| k.parse().map_err(|e| bad(format!("`{k}`: {e}"))));
    Ok(PluginOptions {
        log,
        size_max_bytes: usize::try_from(own.max_size.get()).unwrap_or(usize::MAX),
        trusted_keys: keys.collect::<Result<_, _>>()?,
        secrets_dir: own.secrets_dir.as_ref().map(PathBuf::from),
        peers: Some(peers::client(&config.security)?),
    })
}

fn memory_limit(config: &ServerConfig) -> usize {
    let share = || {
        let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| machine_memory(&text));
        machine.map_or(MEMORY_DEFAULT_BYTES, |bytes| (bytes as f64 * config.memory_limit_share) as u64)
    };
    let bytes = config.memory_limit.map_or_else(share, |limit| limit.get());
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
fn machine_memory(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb << 10)
}

fn api_options(config: &ServerConfig) -> tg_api::ApiOptions {
    // The configuration's own check has looked the name up.
    let named = config.tz.as_ref().and_then(|name| jiff::tz::TimeZone::get(name).ok());
    tg_api::ApiOptions { tz: named.unwrap_or_else(jiff::tz::TimeZone::system), ..tg_api::ApiOptions::default() }
}

/// Ends at the first SIGTERM or SIGINT.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, ServeError> {
    let on = |kind| signal(kind).map_err(|error| ServeError::System { what: "signals cannot be handled", error });
    let (mut term, mut int) = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::machine_memory;

    #[test]
    fn the_machine_says_how_much_memory_it_has() {
        assert_eq!(machine_memory("MemTotal:       24576 kB\nMemFree: 1 kB\n"), Some(24_576 << 10));
        assert_eq!(machine_memory("nothing"), None);
    }
}
